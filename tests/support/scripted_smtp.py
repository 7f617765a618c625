"""An SMTP server that says what it is told to, when it is told to, however wrong that is."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeAlias

from tests.support.certificates import LOOPBACK

MOST_BYTES = 64 * 1024 * 1024  # of a message


@dataclass(frozen=True, slots=True)
class Say:
    """What is said `after` so many seconds, nothing where `words` is empty; with `cut` the last.

    Text is sent as lines, whole ones; bytes just as they are.
    """

    words: str | bytes = ""
    after: float = 0.0
    cut: bool = False

    @property
    def wire(self) -> bytes:
        """As it goes over the wire."""
        if isinstance(self.words, bytes):
            return self.words
        return b"".join(line.encode() + b"\r\n" for line in self.words.splitlines())


Answer: TypeAlias = str | Say | Sequence[Say]
# What is said in place of what a well-behaved server says, by stage: greeting, ehlo, starttls, tls
# (instead of encrypting), ehlo_tls, auth, mail, rcpt, data, body (once some of it has come), dot,
# idle (right after that), rset, quit.
Talk: TypeAlias = Mapping[str, Answer]

USUAL: Talk = {
    "greeting": "220 mx.example.org ESMTP",
    "starttls": "220 2.0.0 Ready to start TLS",
    "auth": "235 2.7.0 Authentication successful",
    "mail": "250 2.1.0 Ok",
    "rcpt": "250 2.1.5 Ok",
    "data": "354 End data with <CR><LF>.<CR><LF>",
    "dot": "250 2.0.0 Ok: queued as 4F2Q3b1xZz",
    "rset": "250 2.0.0 Ok",
    "quit": Say("221 2.0.0 Bye", cut=True),
}
OFFERS = ("PIPELINING", "SIZE 10485760", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "DSN")


class ScriptedSmtp:
    """Serves one script; `talk` may be changed between two messages.

    `used` goes before it over a connection that has carried a message.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        one_by_one: bool = False,
        strict: bool = False,
    ) -> None:
        """With `tls` STARTTLS and a login are offered; with `implicit` it speaks TLS at once.

        With `one_by_one` it does not offer PIPELINING. Unless it is `strict` it waits for a message
        although it has refused its sender or recipient, as RFC 2920 (section 3.1) lets it.
        """
        self.talk: Talk = {}
        self.used: Talk = {}
        self.taken: list[bytes] = []  # messages whose final dot came
        self.tls = tls
        self.implicit = implicit
        self.strict = strict
        self.offers = [each for each in OFFERS if each != "PIPELINING" or not one_by_one]
        self.connections = 0
        self._open: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """The port that it listens on."""
        context = self.tls if self.implicit else None
        server = await asyncio.start_server(
            self._connected, LOOPBACK, 0, ssl=context, limit=MOST_BYTES
        )
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in self._open:
                task.cancel()
            await asyncio.gather(*self._open, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        try:
            with suppress(_Cut, OSError, EOFError, asyncio.CancelledError):
                await _Connection(self, reader, writer).converse()
        finally:
            self._open.discard(task)
            writer.close()


class _Cut(Exception):
    """The script ends the connection."""


class _Connection:
    """One client. `carried` is how many messages came over it."""

    def __init__(
        self, server: ScriptedSmtp, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._encrypted = server.implicit
        self._carried = 0
        self._refused = False

    async def converse(self) -> None:
        """Until the client hangs up, or the script does."""
        await self._say("greeting")
        while line := await self._reader.readline():
            verb, *words = line.decode("latin-1").upper().split() or [""]
            match verb:
                case "EHLO":
                    again = self._encrypted and not self._server.implicit
                    await self._say("ehlo_tls" if again else "ehlo")
                case "STARTTLS":
                    await self._encrypt()
                case "AUTH":
                    await self._log_in(words)
                case "DATA" if self._refused and self._server.strict:
                    self._writer.write(b"503 5.5.1 Error: need RCPT command\r\n")
                case "DATA":
                    if (await self._say("data")).startswith(b"3"):
                        await self._take_message()
                case "MAIL" | "RCPT" | "RSET" | "QUIT":
                    said = await self._say(verb.lower())
                    self._refused = not said.startswith(b"2") or (verb == "RCPT" and self._refused)
                case _:
                    self._writer.write(b"502 5.5.2 Error: command not recognized\r\n")

    async def _encrypt(self) -> None:
        if not (await self._say("starttls")).startswith(b"220"):
            return
        if "tls" in self._server.talk:
            await self._say("tls")
            await self._reader.read()  # what the client says can't be understood any more
            raise _Cut
        assert self._server.tls is not None
        await self._writer.start_tls(self._server.tls)
        self._encrypted = True

    async def _log_in(self, words: Sequence[str]) -> None:
        method, *given = words
        for _ in range((2 if method == "LOGIN" else 1) - len(given)):
            self._writer.write(b"334 \r\n")
            await self._reader.readline()
        await self._say("auth")

    async def _take_message(self) -> None:
        if "body" in self._server.talk:
            await self._reader.read(100)
            await self._say("body")
        self._server.taken.append(await self._reader.readuntil(b"\r\n.\r\n"))
        await self._say("dot")
        self._carried += 1
        await self._say("idle")

    async def _say(self, stage: str) -> bytes:
        """Say what the script has for it; returns the words, without blank lines before them."""
        said = b""
        parts = self._parts(stage)
        for part in parts:
            await asyncio.sleep(part.after)
            said += part.wire
            self._writer.write(part.wire)
            await self._writer.drain()
            if part.cut:
                raise _Cut
        if parts and not said:  # nor does it answer whatever comes behind
            while await self._reader.read(MOST_BYTES):
                pass
            raise _Cut
        return said.lstrip()

    def _parts(self, stage: str) -> Sequence[Say]:
        usual = {**USUAL, "ehlo": self._offers, "ehlo_tls": self._offers}
        for talk in (self._server.used if self._carried else {}, self._server.talk, usual):
            if stage in talk:
                answer = talk[stage]
                if isinstance(answer, str):
                    return [Say(answer)]
                return [answer] if isinstance(answer, Say) else answer
        return []

    @property
    def _offers(self) -> str:
        offers = ["mx.example.org", *self._server.offers]
        if self._server.tls is not None:
            offers.append("AUTH PLAIN LOGIN" if self._encrypted else "STARTTLS")
        *first, last = offers
        return "\n".join([*(f"250-{each}" for each in first), f"250 {last}"])
