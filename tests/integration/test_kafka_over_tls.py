"""Kafka over TLS, by settings, on a broker that speaks it: who is let in and who is believed."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from joserfc.jwk import RSAKey

from chassis.kafka import Cluster
from chassis.kafka_settings import KafkaSettings, Security
from contracts.topics import APPOINTMENTS, REQUESTED
from local.ports import free_port
from tests.support import PATIENCE
from tests.support.certificates import LOOPBACK, self_signed
from tests.support.http_server import Answer, Server, serve
from tests.support.tls_kafka import LISTENERS, TlsKafka, tls_kafka

WRITER, READER = "scheduling", "status"
SHORT = 1.5  # seconds in which a broker has refused, or else said yes


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest_asyncio.fixture(scope="module")
async def kafka(folder: Path) -> AsyncIterator[TlsKafka]:
    known = [self_signed(folder / f"{name}.pem", subject=name) for name in (WRITER, READER)]
    clients = folder / "clients.pem"
    clients.write_text("".join(certificate_alone(each) for each in known))
    self_signed(folder / "stranger.pem", subject=WRITER)
    server = self_signed(folder / "kafka.pem")
    async with tls_kafka(folder, certificate=server, clients=clients) as running:
        yield running


def certificate_alone(file: Path) -> str:
    end = "-----END CERTIFICATE-----\n"
    return file.read_text().partition(end)[0] + end


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[Server]:
    async with serve() as server:
        yield server


@pytest.fixture
def settings(kafka: TlsKafka, folder: Path, provider: Server) -> "Settings":
    return Settings(kafka, folder, provider)


class Settings:
    """By which an account comes in, at each of LISTENERS."""

    def __init__(self, kafka: TlsKafka, folder: Path, provider: Server) -> None:
        self._kafka = kafka
        self._folder = folder
        self._provider = provider

    def scram(self, account: str) -> dict[str, str]:
        return {"kafka_username": account, "kafka_password": self._kafka.password(account)}

    def mutual(self, account: str) -> dict[str, str]:
        own = str(self._folder / f"{account}.pem")
        return {"kafka_security": "ssl", "kafka_cert_file": own, "kafka_key_file": own}

    def tokens(self, account: str) -> dict[str, str]:
        self.give(self._kafka.token(account))
        return {
            "kafka_mechanism": "OAUTHBEARER",
            "kafka_token_url": self._provider.url,
            "kafka_client_id": account,
            "kafka_client_secret": "geheim",
        }

    def give(self, token: str) -> None:
        """The provider's next answers."""
        body = json.dumps({"access_token": token, "expires_in": 300}).encode()
        self._provider.answer(Answer(body=body))

    def cluster(self, way: str, account: str, **others: str) -> Cluster:
        found = {
            "kafka_bootstrap": self._kafka.addresses[way],
            "kafka_ca_file": str(self._folder / "kafka.pem"),
            **getattr(self, way)(account),
            **others,
        }
        return Cluster.of(KafkaSettings.model_validate(found))


async def write(cluster: Cluster, value: bytes, topic: str = APPOINTMENTS.name) -> None:
    async with asyncio.timeout(PATIENCE), cluster.producer() as producer:
        await producer.send_and_wait(topic, value, key=b"key")


async def refused(cluster: Cluster, *, within: float = SHORT) -> bool:
    """Whether every kind of client is turned away, or turns away itself.

    aiokafka's start may end well with a token that the broker did not take (it knows no brokers
    then), so each is to do something.
    """
    admin = cluster.admin()
    broker = cluster.broker(logger=None)

    async def ask() -> None:
        await admin.start()
        assert (await admin.describe_cluster())["brokers"]

    async def publish() -> None:
        await broker.start()
        await broker.publish(b"rubbish", REQUESTED.name, key=b"key")

    async def let_in(deed: Awaitable[None]) -> bool:
        try:
            async with asyncio.timeout(within):
                await deed
        except (KafkaError, OSError):  # TimeoutError is one
            return False
        return True

    try:
        tries = ask(), publish(), write(cluster, b"rubbish", REQUESTED.name)
        answers = await asyncio.gather(*(let_in(each) for each in tries))
    finally:
        await admin.close()
        await broker.stop()
    assert len(set(answers)) == 1
    return not answers[0]


@pytest.mark.parametrize("way", LISTENERS)
async def test_events_go_from_their_writer_to_their_reader_and_rights_hold(
    settings: Settings, way: str
) -> None:
    value = uuid4().bytes
    await write(settings.cluster(way, WRITER), value)
    reader = settings.cluster(way, READER)
    consumer = reader.consumer(APPOINTMENTS.name, group_id=None, auto_offset_reset="earliest")
    async with asyncio.timeout(PATIENCE), consumer:
        async for record in consumer:
            if record.value == value:
                break
    with pytest.raises(TopicAuthorizationFailedError):
        await write(reader, value, REQUESTED.name)


async def test_faststream_reads_over_tls_as_well(settings: Settings) -> None:
    broker = settings.cluster("scram", READER).broker(logger=None)
    came: asyncio.Queue[bytes] = asyncio.Queue()

    @broker.subscriber(APPOINTMENTS.name, group_id=READER, auto_offset_reset="earliest")
    async def take(body: bytes) -> None:
        await came.put(body)

    await broker.start()
    try:
        value = uuid4().hex.encode()
        await write(settings.cluster("scram", WRITER), value)
        async with asyncio.timeout(PATIENCE):
            while await came.get() != value:
                pass
    finally:
        await broker.stop()


@pytest.mark.parametrize("way", LISTENERS)
async def test_a_server_of_other_authorities_is_not_told_who_we_are(
    settings: Settings, folder: Path, way: str
) -> None:
    assert await refused(settings.cluster(way, WRITER, kafka_ca_file=str(folder / "stranger.pem")))


@pytest.mark.parametrize("way", LISTENERS)
async def test_a_server_under_another_name_is_not_believed(
    settings: Settings, kafka: TlsKafka, way: str
) -> None:
    _, _, port = kafka.addresses[way].rpartition(":")
    assert await refused(settings.cluster(way, WRITER, kafka_bootstrap=f"localhost:{port}"))


@pytest.mark.parametrize("way", LISTENERS)
@pytest.mark.parametrize("security", ["plaintext", "sasl_plaintext"])
async def test_plain_text_gets_in_nowhere(
    settings: Settings, kafka: TlsKafka, way: str, security: Security
) -> None:
    known = settings.cluster("scram", WRITER)
    plain = replace(known, bootstrap=kafka.addresses[way], security=security, tls=None)
    assert await refused(plain)


async def test_a_server_without_tls_is_not_spoken_to_in_the_clear(settings: Settings) -> None:
    """No silent downgrade: what listens in our broker's place sees no login."""
    heard = bytearray()
    port = free_port()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await reader.read(4096))
        writer.close()

    async with await asyncio.start_server(listen, LOOPBACK, port):
        assert await refused(
            settings.cluster("scram", WRITER, kafka_bootstrap=f"{LOOPBACK}:{port}")
        )
    assert heard[:1] == b"\x16"  # a TLS handshake (RFC 8446, section 5.1)
    assert WRITER.encode() not in heard


async def test_who_is_let_in_is_seen_to_be(settings: Settings) -> None:
    """So that what else is refused here, is refused for the reason named."""
    assert not await refused(settings.cluster("scram", WRITER), within=PATIENCE)


async def test_a_wrong_password_lets_nobody_in(settings: Settings) -> None:
    assert await refused(settings.cluster("scram", WRITER, kafka_password="guessed"))


@pytest.mark.parametrize("own", ["stranger.pem", "kafka.pem"])
async def test_a_certificate_of_other_authorities_lets_nobody_in(
    settings: Settings, folder: Path, own: str
) -> None:
    file = str(folder / own)
    files = {"kafka_cert_file": file, "kafka_key_file": file}
    assert await refused(settings.cluster("mutual", WRITER, **files))


@pytest.mark.parametrize("fault", ["of another key", "over", "not ours"])
async def test_a_token_that_does_not_hold_lets_nobody_in(
    settings: Settings, kafka: TlsKafka, fault: str
) -> None:
    cluster = settings.cluster("tokens", WRITER)
    match fault:
        case "of another key":
            settings.give(kafka.token(WRITER, key=RSAKey.generate_key(2048)))
        case "over":
            settings.give(kafka.token(WRITER, lifetime=-300))
        case _:
            settings.give("rubbish")
    assert await refused(cluster)
