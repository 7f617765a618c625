"""Every client logs in as the settings say; tokens are asked for no more often than needed."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import AuthenticationFailedError, KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest

from chassis.kafka import TOKEN_MARGIN, ClientCredentials, Cluster
from chassis.kafka_settings import KafkaSettings
from tests.support import PATIENCE
from tests.support.certificates import self_signed
from tests.support.settings import OAUTH, SERVICE


def cluster(**settings: str | None) -> Cluster:
    return Cluster.of(KafkaSettings.model_validate(SERVICE | settings))


def test_scram_over_tls_is_what_a_service_has_unless_it_is_told_otherwise() -> None:
    arguments = cluster().arguments
    assert arguments["security_protocol"] == "SASL_SSL"
    assert arguments["sasl_mechanism"] == "SCRAM-SHA-512"
    assert arguments["sasl_plain_username"] == "service"
    assert arguments["sasl_plain_password"] == "geheim"
    assert arguments["ssl_context"].check_hostname


def test_a_certificate_of_ones_own_logs_in_over_tls(tmp_path: Path) -> None:
    both = str(self_signed(tmp_path / "certificate.pem"))
    files = dict.fromkeys(("kafka_cert_file", "kafka_key_file", "kafka_ca_file"), both)
    arguments = cluster(kafka_security="ssl", **files).arguments
    assert arguments["security_protocol"] == "SSL"
    assert "sasl_mechanism" not in arguments
    assert [each["subject"] for each in arguments["ssl_context"].get_ca_certs()]


def test_a_password_is_in_no_representation() -> None:
    assert "geheim" not in repr(cluster())


async def test_faststream_is_given_the_same_as_aiokafka() -> None:
    for settings in ({}, OAUTH, {"kafka_security": "plaintext"}):
        found = cluster(**settings)
        given = found.broker()._connection_kwargs
        for name, value in found.arguments.items():
            if name == "bootstrap_servers" or value is None:
                continue
            assert given[name] is value or given[name] == value, name


class Provider:
    """An identity provider's token endpoint."""

    def __init__(self, **answer: object) -> None:
        self.asked: list[httpx.Request] = []
        self.answer = answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        told = {"access_token": f"token {len(self.asked)}"} | self.answer
        return httpx.Response(200, content=json.dumps(told))


def tokens(provider: object) -> ClientCredentials:
    assert callable(provider)
    return ClientCredentials(
        "https://login.example.org/token",
        client_id="service",
        client_secret="geheim",
        scope="kafka",
        transport=httpx.MockTransport(provider),
    )


async def test_a_token_is_kept_while_it_holds() -> None:
    provider = Provider(expires_in=300)
    source = tokens(provider)
    assert set(await asyncio.gather(*(source.token() for _ in range(5)))) == {"token 1"}
    [request] = provider.asked
    assert request.headers["authorization"].startswith("Basic ")
    assert request.content == b"grant_type=client_credentials&scope=kafka"


@pytest.mark.parametrize("answer", [{}, {"expires_in": TOKEN_MARGIN}])
async def test_a_token_about_to_end_or_that_says_no_end_is_used_once(
    answer: dict[str, object],
) -> None:
    source = tokens(Provider(**answer))
    assert [await source.token(), await source.token()] == ["token 1", "token 2"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"error": "invalid_client", "secret": "geheim"}),
        httpx.Response(200, content=b"geheim"),
        httpx.Response(200, json=["geheim"]),
        httpx.Response(200, json={"expires_in": 5}),
    ],
)
async def test_without_a_token_the_login_fails_and_says_no_secret(answer: httpx.Response) -> None:
    with pytest.raises(AuthenticationFailedError) as failed:
        await tokens(lambda _: answer).token()
    assert "geheim" not in str(failed.value)


async def test_a_connection_that_the_broker_closes_is_an_error_of_kafka_at_any_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also between the end of the connection and when the client has heard of it."""

    async def unasked(_connection: AIOKafkaConnection) -> None:
        pass

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    monkeypatch.setattr(AIOKafkaConnection, "_do_version_lookup", unasked)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, asyncio.timeout(PATIENCE):
        port = server.sockets[0].getsockname()[1]
        connection = AIOKafkaConnection("127.0.0.1", port)
        await connection.connect()
        asked: list[asyncio.Future[object]] = []

        async def go_on_asking() -> None:
            while True:
                asked.append(asyncio.ensure_future(connection.send(ApiVersionRequest())))
                await asyncio.sleep(0)

        with pytest.raises(KafkaConnectionError):
            await go_on_asking()
        answers = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(each) for each in answers} <= {KafkaConnectionError}
    assert not connection.connected()
