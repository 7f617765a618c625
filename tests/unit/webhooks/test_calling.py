"""Calls on real sockets: to the address that was judged, once, and no longer than allowed."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from services.webhooks.addresses import Address, Reach
from services.webhooks.calling import CallPolicy, NameUnknown, Receivers, Resolver
from services.webhooks.schedule import Answer, CallResult
from tests.support import PATIENCE
from tests.support.certificates import self_signed, showing
from tests.support.http_server import Answer as Scripted
from tests.support.http_server import Cut, Half, Silence, serve

LOOPBACK = (ip_network("127.0.0.0/8"),)


class Names(Resolver):
    """A name server that says one thing after another, and what it was asked."""

    def __init__(self, *answers: str) -> None:
        super().__init__(1)
        self.answers = list(answers)
        self.asked: list[str] = []

    async def addresses(self, host: str, port: int) -> list[Address]:
        self.asked.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not answer:
            raise NameUnknown
        return [ip_address(each) for each in answer.split()]


@asynccontextmanager
async def receivers(
    resolver: Resolver | None = None, *, inside: bool = True, total: float = 5
) -> AsyncIterator[Receivers]:
    reach = Reach(ports=frozenset(), networks=LOOPBACK if inside else (), plain_http=True)
    caller = Receivers(reach, CallPolicy(total=total), resolver)
    try:
        yield caller
    finally:
        await caller.close()


async def post(caller: Receivers, url: str) -> Answer:
    answer, milliseconds = await caller.call(url, {"webhook-id": "1"}, b"{}")
    assert milliseconds >= 0
    return answer


async def test_a_receiver_has_what_was_sent() -> None:
    async with serve() as server, receivers(Names("127.0.0.1")) as caller:
        url = f"http://clinic.example:{server.port}/hook?a=b"
        assert await post(caller, url) == Answer(CallResult.DELIVERED, 200)
        [seen] = server.seen
        assert (seen.method, seen.target, seen.body) == ("POST", "/hook?a=b", b"{}")
        assert seen.headers["host"] == f"clinic.example:{server.port}"
        assert seen.headers["webhook-id"] == "1"
        assert await post(caller, url)  # over the same connection
        assert server.connections == 1


async def test_a_name_that_leads_inside_is_not_connected_to() -> None:
    names = Names("127.0.0.1", "8.8.8.8 127.0.0.1", "::ffff:127.0.0.1")
    async with serve() as server, receivers(names, inside=False) as caller:
        for _ in range(3):
            answer = await post(caller, f"http://clinic.example:{server.port}/")
            assert answer == Answer(CallResult.ADDRESS)
        assert server.connections == 0


async def test_the_name_is_asked_once_for_a_connection() -> None:
    """Who answers differently the second time („DNS rebinding") has nobody who asks again."""
    names = Names("127.0.0.1", "10.0.0.1")
    async with serve() as server, receivers(names) as caller:
        answer = await post(caller, f"http://clinic.example:{server.port}/")
        assert answer.delivered
        assert names.asked == ["clinic.example"]
        await server.close_connections()
        again = await post(caller, f"http://clinic.example:{server.port}/")
        assert again in {Answer(CallResult.ADDRESS), Answer(CallResult.CONNECTION)}
        assert server.connections == 1


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "localhost", "[::1]"])
async def test_no_way_of_writing_it_leads_inside(host: str) -> None:
    async with serve() as server, receivers(inside=False) as caller:
        answer = await post(caller, f"http://{host}:{server.port}/")
        assert answer.result in {CallResult.ADDRESS, CallResult.NAME}
        assert server.connections == 0


async def test_redirects_are_not_followed() -> None:
    async with serve() as server, serve() as elsewhere, receivers(Names("127.0.0.1")) as caller:
        server.answer(Scripted(302, headers={"location": elsewhere.url}))
        answer = await post(caller, f"http://clinic.example:{server.port}/")
        assert answer == Answer(CallResult.STATUS, 302)
        assert not elsewhere.seen


async def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve() as server, serve() as proxy, receivers(Names("127.0.0.1")) as caller:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert (await post(caller, f"http://clinic.example:{server.port}/")).delivered
        assert not proxy.seen


@pytest.mark.parametrize(
    ("scripted", "result"),
    [
        (Silence(), CallResult.TIMEOUT),
        (Cut(), CallResult.RESPONSE),
        (Half(), CallResult.DELIVERED),  # the status counts
        (Scripted(599), CallResult.STATUS),
    ],
)
async def test_what_else_a_receiver_may_do(scripted: Scripted, result: CallResult) -> None:
    total = 0.3 if isinstance(scripted, Silence) else PATIENCE
    async with serve() as server, receivers(Names("127.0.0.1"), total=total) as caller:
        server.answer(scripted)
        answer = await post(caller, f"http://clinic.example:{server.port}/")
        assert answer.result is result


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        try:
            while True:
                writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
                sent += 1024
                await writer.drain()
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(endless, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, receivers(Names("127.0.0.1")) as caller:
        assert (await post(caller, f"http://clinic.example:{port}/")).delivered
    assert sent < 20_000_000


async def test_nobody_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]  # bound, not listening
        async with receivers(Names("127.0.0.1")) as caller:
            answer = await post(caller, f"http://clinic.example:{port}/")
        assert answer == Answer(CallResult.CONNECTION)
    async with receivers(Names("")) as caller:
        assert await post(caller, "http://clinic.example:1/") == Answer(CallResult.NAME)


async def test_who_speaks_no_tls_is_told_nothing() -> None:
    async with serve() as server, receivers(Names("127.0.0.1"), total=2) as caller:
        answer = await post(caller, f"https://clinic.example:{server.port}/")
        assert answer.result in {CallResult.CONNECTION, CallResult.TIMEOUT}
        assert not server.seen


async def test_tls_is_spoken_with_the_name_whatever_the_address(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path / "receiver.pem")  # of 127.0.0.1
    reach = Reach(ports=frozenset(), networks=LOOPBACK)
    policy = CallPolicy(total=5, ca_file=str(certificate))
    caller = Receivers(reach, policy, Names("127.0.0.1"))
    async with serve(showing(certificate)) as server:
        assert (await post(caller, f"https://127.0.0.1:{server.port}/")).delivered
        wrong = await post(caller, f"https://clinic.example:{server.port}/")
        assert wrong == Answer(CallResult.CONNECTION)
        assert len(server.seen) == 1
    await caller.close()


async def test_a_url_that_is_allowed_no_more_is_not_called() -> None:
    strict = Receivers(Reach(), CallPolicy())
    assert await post(strict, "http://clinic.example/") == Answer(CallResult.ADDRESS)
    await strict.close()
