"""The pool, and the sender over it, against a real SMTP server."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult

from contracts.events import FailureReason
from services.notification.deliveries.events import Reply
from services.notification.letters.letter import Letter
from services.notification.refusals.refusal import About
from services.notification.sending.email.sender import EmailSender
from services.notification.sending.email.smtp_pool import Envelope, SmtpPool, SmtpServer
from services.notification.sending.sender import Contact, Outgoing, SendResult, Verdict
from tests.support import PATIENCE
from tests.support.certificates import LOOPBACK, self_signed, showing
from tests.support.deliveries import NOW, new
from tests.support.scripted_smtp import ScriptedSmtp


class Handler:
    """Answers as told; keeps what it took."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.taken: list[tuple[list[str], bytes]] = []
        self.connections = 0
        self.drop_after_data = False
        self.hang_up_after_message = False

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, _envelope: Any, hostname: str, lines: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return [self.answers["EHLO"]] if "EHLO" in self.answers else lines

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if "MAIL" not in self.answers:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return self.answers.get("MAIL", "250 2.1.0 ok")

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        answer = self.answers.get(f"RCPT {address}", self.answers.get("RCPT", "250 2.1.5 ok"))
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.drop_after_data:
            server.transport.abort()
            return "250 never read"
        answer = self.answers.get("DATA", "250 2.0.0 ok")
        if answer.startswith("250"):
            self.taken.append((list(envelope.rcpt_tos), envelope.content))
        if self.hang_up_after_message:
            asyncio.get_running_loop().call_soon(server.transport.close)
        return answer


@asynccontextmanager
async def serving(handler: Handler, **options: Any) -> AsyncIterator[SmtpServer]:
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, hostname="mail.example", **options), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    try:
        yield SmtpServer(
            host="127.0.0.1",
            port=port,
            tls="none",
            client_name="client.example",
            timeout=PATIENCE,
            message_timeout=PATIENCE,
        )
    finally:
        server.close()


Send = Callable[[str], Awaitable[SendResult]]


@asynccontextmanager
async def sending(server: SmtpServer) -> AsyncIterator[Send]:
    channel = EmailSender(
        SmtpPool(server),
        sender_address="einladung@praxis.example",
        envelope_sender=lambda _: "rueck@praxis.example",
        envelope_id=lambda _: "tag",
        now=lambda: NOW,
    )

    async def send(recipient: str = "patient@example.org") -> SendResult:
        letter = Letter(
            recipient=recipient,
            patient_name="Jürgen Müßig",
            sender_name="Praxis Dr. Weiß",
            link="https://video.example/t/abc",
            locale="de",
            appointment_version=1,
            start=NOW + timedelta(days=1),
            duration_minutes=20,
            time_zone="Europe/Berlin",
        )
        return await channel.send(Outgoing(new(), letter))

    yield send
    await channel.close()


async def test_accepted_mails_share_a_connection() -> None:
    handler = Handler()
    async with serving(handler) as server, sending(server) as send:
        for _ in range(3):
            accepted = SendResult(Verdict.ACCEPTED, Reply(250, "2.0.0"))
            assert await send("patient@example.org") == accepted
    assert handler.connections == 1
    recipients, content = handler.taken[0]
    assert recipients == ["patient@example.org"]
    message = message_from_bytes(content, policy=policy.default)
    assert message["Message-ID"] == "<1@praxis.example>"
    assert not message.defects


async def test_a_connection_takes_only_so_many_messages_and_none_when_idle_too_long() -> None:
    handler = Handler()
    async with serving(handler) as server:
        async with sending(replace(server, messages_per_connection=2)) as send:
            for _ in range(4):
                await send("patient@example.org")
        assert handler.connections == 2
        async with sending(replace(server, idle=-1)) as send:
            for _ in range(2):
                await send("patient@example.org")
        assert handler.connections == 4


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (
            {"EHLO": "554 5.3.2 no"},
            SendResult(
                Verdict.TECHNICAL, Reply(554, "5.3.2", FailureReason.SYSTEM, About.ALL_MAIL)
            ),
        ),
        (
            {"EHLO": "421 4.3.2 later"},
            SendResult(
                Verdict.TEMPORARY, Reply(421, "4.3.2", FailureReason.SYSTEM, About.ALL_MAIL)
            ),
        ),
        (
            {"MAIL": "550 5.7.1 sender"},
            SendResult(
                Verdict.TECHNICAL, Reply(550, "5.7.1", FailureReason.POLICY, About.ALL_MAIL)
            ),
        ),
        (
            {"MAIL": "451 4.3.0 later"},
            SendResult(
                Verdict.TEMPORARY, Reply(451, "4.3.0", FailureReason.SYSTEM, About.ALL_MAIL)
            ),
        ),
        (
            {"RCPT": "550 5.1.1 <patient@example.org> unknown"},
            SendResult(
                Verdict.PERMANENT, Reply(550, "5.1.1", FailureReason.UNKNOWN_USER, About.RECIPIENT)
            ),
        ),
        (
            {"RCPT": "450 4.2.0 greylisted"},
            SendResult(Verdict.TEMPORARY, Reply(450, "4.2.0", FailureReason.POLICY, About.NOBODY)),
        ),
        (
            {"DATA": "554 5.6.0 content"},
            SendResult(Verdict.PERMANENT, Reply(554, "5.6.0", FailureReason.OTHER, About.MESSAGE)),
        ),
        (
            {"DATA": "452 4.3.1 full"},
            SendResult(Verdict.TEMPORARY, Reply(452, "4.3.1", FailureReason.SYSTEM, About.SYSTEM)),
        ),
        (
            {"DATA": "421 bye"},
            SendResult(Verdict.TEMPORARY, Reply(421, None, FailureReason.SYSTEM, About.SYSTEM)),
        ),
    ],
)
async def test_refusals_at_each_stage(answers: dict[str, str], expected: SendResult) -> None:
    handler = Handler(**answers)
    async with serving(handler) as server, sending(server) as send:
        for _ in range(2):
            assert await send("patient@example.org") == expected
    assert handler.taken == []


@pytest.mark.parametrize(
    ("answers", "contact"),
    [
        ({}, Contact.GOOD),
        ({"RCPT": "550 5.1.1 unknown"}, Contact.GOOD),
        ({"EHLO": "554 5.7.1 you are on a block list"}, Contact.REFUSES_US),
        ({"MAIL": "550 5.7.1 sender"}, Contact.REFUSES_US),
        ({"MAIL": "451 4.3.0 later"}, Contact.SILENT),
        ({"RCPT": "550 5.7.1 relaying denied"}, Contact.SEEMS_TO_REFUSE_US),
    ],
)
async def test_what_a_try_shows_of_the_server(answers: dict[str, str], contact: Contact) -> None:
    async with serving(Handler(**answers)) as server, sending(server) as send:
        assert (await send("patient@example.org")).contact is contact


async def test_a_refused_recipient_does_not_spoil_the_connection() -> None:
    handler = Handler(**{"RCPT wrong@example.org": "550 5.1.1 unknown"})
    async with serving(handler) as server, sending(server) as send:
        assert (await send("wrong@example.org")).verdict is Verdict.PERMANENT
        assert (await send("right@example.org")).verdict is Verdict.ACCEPTED
    assert handler.connections == 1
    assert [recipients for recipients, _ in handler.taken] == [["right@example.org"]]


@pytest.mark.parametrize(("strict", "connections"), [(True, 1), (False, 2)])
async def test_a_refused_recipient_spoils_a_connection_only_if_the_message_is_waited_for(
    *, strict: bool, connections: int
) -> None:
    """What was said behind the refusal is heard out first, and no message is handed over."""
    server = ScriptedSmtp(strict=strict)
    handed_over: list[int] = []
    async with server.serving() as port:
        pool = SmtpPool(SmtpServer(host="127.0.0.1", port=port, tls="none", client_name="client"))

        async def send(number: int) -> Verdict:
            envelope = Envelope(
                id="1", sender="a@b.example", recipient="c@d.example", message=b"\r\n", utf8=False
            )
            return (await pool.send(envelope, lambda: handed_over.append(number))).verdict

        assert await send(1) is Verdict.ACCEPTED
        server.talk = {"rcpt": "550 5.1.1 unknown"}
        assert await send(2) is Verdict.PERMANENT
        server.talk = {}
        assert await send(3) is Verdict.ACCEPTED
        await pool.close()
    assert handed_over == [1, 3]
    assert server.connections == connections


async def test_reply_lost_after_the_message() -> None:
    handler = Handler()
    handler.drop_after_data = True
    async with serving(handler) as server, sending(server) as send:
        assert await send("patient@example.org") == SendResult(Verdict.REPLY_LOST)
        handler.drop_after_data = False
        assert (await send("patient@example.org")).verdict is Verdict.ACCEPTED


async def test_a_connection_closed_while_idle_is_replaced() -> None:
    handler = Handler()
    handler.hang_up_after_message = True
    async with serving(handler) as server, sending(server) as send:
        for _ in range(3):
            assert (await send("patient@example.org")).verdict is Verdict.ACCEPTED
    assert handler.connections == 3


async def test_nobody_listens() -> None:
    with socket.socket() as taken:  # so that nobody else begins to
        taken.bind(("127.0.0.1", 0))
        server = SmtpServer(host="127.0.0.1", port=taken.getsockname()[1], tls="none")
        async with sending(server) as send:
            result = await send("patient@example.org")
    assert (result, result.contact) == (SendResult(Verdict.TEMPORARY), Contact.SILENT)


async def test_silence_ends_with_the_timeout() -> None:
    connected: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: connected.append(writer), "127.0.0.1", 0)
    server = SmtpServer(
        host="127.0.0.1", port=silent.sockets[0].getsockname()[1], tls="none", timeout=0.05
    )
    async with sending(server) as send:
        assert await send("patient@example.org") == SendResult(Verdict.TEMPORARY)
    for writer in connected:
        writer.close()
    silent.close()


async def test_smtputf8() -> None:
    handler = Handler()
    async with serving(handler, enable_SMTPUTF8=True) as server, sending(server) as send:
        assert (await send("jürgen@example.org")).verdict is Verdict.ACCEPTED
    assert handler.taken[0][0] == ["jürgen@example.org"]
    async with serving(Handler()) as server, sending(server) as send:
        missing = SendResult(Verdict.PERMANENT, Reply(None, "5.6.7"))
        assert await send("jürgen@example.org") == missing
        assert (await send("patient@example.org")).verdict is Verdict.ACCEPTED


async def test_an_address_that_is_none_never_reaches_the_server() -> None:
    handler = Handler()
    async with serving(handler) as server, sending(server) as send:
        refused = SendResult(Verdict.PERMANENT, Reply(None, "5.1.3"))
        assert await send("a@example.org> SIZE=1\r\nRCPT TO:<b@example.org") == refused
    assert handler.connections == 0


def test_no_login_without_tls() -> None:
    with pytest.raises(ValueError, match="TLS"):
        SmtpServer(host="mail.example", port=25, tls="none", username="u", password="p")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of the server's, with its key, in one file."""
    return self_signed(tmp_path_factory.mktemp("tls") / "server.pem")


def log_in(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    right = (data.login, data.password) == (b"user", b"right")
    return AuthResult(success=right, handled=False)  # not handled: the server answers itself


@asynccontextmanager
async def serving_tls(certificate: Path, handler: Handler) -> AsyncIterator[SmtpServer]:
    context = showing(certificate)
    async with serving(
        handler, tls_context=context, authenticator=log_in, auth_required=True
    ) as server:
        yield replace(
            server,
            host=LOOPBACK,
            tls="starttls",
            ca_file=str(certificate),
            username="user",
            password="right",
        )


async def test_starttls_and_login(certificate: Path) -> None:
    handler = Handler()
    async with serving_tls(certificate, handler) as server, sending(server) as send:
        assert (await send("patient@example.org")).verdict is Verdict.ACCEPTED
    assert len(handler.taken) == 1


async def test_wrong_password_is_technical(certificate: Path) -> None:
    async with (
        serving_tls(certificate, Handler()) as server,
        sending(replace(server, password="wrong")) as send,
    ):
        assert await send("p@example.org") == SendResult(
            Verdict.TECHNICAL, Reply(535, "5.7.8", FailureReason.POLICY, About.ALL_MAIL)
        )


async def test_certificate_that_nobody_vouches_for_is_technical(certificate: Path) -> None:
    async with serving_tls(certificate, Handler()) as server:
        async with sending(replace(server, ca_file=None)) as send:
            assert (await send("patient@example.org")).verdict is Verdict.TECHNICAL
        async with sending(replace(server, host="localhost")) as send:
            assert (await send("patient@example.org")).verdict is Verdict.TECHNICAL


async def test_server_without_tls_is_technical() -> None:
    handler = Handler()
    async with serving(handler) as server:
        for tls in ("starttls", "tls"):
            async with sending(replace(server, tls=tls)) as send:
                result = await send("patient@example.org")
                assert result.verdict is Verdict.TECHNICAL
                assert result.contact is Contact.REFUSES_US
    assert handler.taken == []


def test_no_password_in_a_repr() -> None:
    server = SmtpServer(host="mail.example", port=25, tls="tls", username="u", password="geheim")
    assert "geheim" not in repr(server)
