"""How requests get there: tokens, tries, and what a refusal says."""

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import TypeAdapter, ValidationError

from einladung_client.models import FieldError
from einladung_client.version import VERSION

TRIES = 5
LONGEST_WAIT = 60.0  # seconds that Retry-After may ask for; more is told as a refusal
WAIT_AGAIN = (429, 503)
MARGIN = 30.0  # seconds before its end at which a token is no longer used
CONNECTIONS = 20
USED_AGAIN_WITHIN = 2.0  # seconds idle; servers of many kinds, ours among them, close after 5
# Before the first byte of a request is written: nothing can have been done.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
SAFE = frozenset({"GET", "HEAD"})
_ERRORS = TypeAdapter(list[FieldError])


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the two APIs are, and the practice's key."""

    scheduling: str
    status: str
    key_id: str
    key_secret: str = field(repr=False)

    @classmethod
    def from_environment(cls) -> "Installation":
        """As `make key` prints it. Raises KeyError with the name of what is missing."""
        return cls(
            scheduling=os.environ["EINLADUNG_SCHEDULING"],
            status=os.environ["EINLADUNG_STATUS"],
            key_id=os.environ["EINLADUNG_KEY_ID"],
            key_secret=os.environ["EINLADUNG_KEY_SECRET"],
        )


class Refused(Exception):
    """The service answered, and did not do it (RFC 9457; of tokens RFC 6749)."""

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: float = 1.0) -> None:
        self.status = status
        self.retry_after = retry_after  # seconds; of 429 and 503
        self.type = str(problem.get("type", "about:blank"))
        self.title = str(problem.get("title", ""))
        self.errors = _errors(problem.get("errors"))
        what = "; ".join(f"{each.field}: {each.message}" for each in self.errors)
        super().__init__(f"{status} {problem.get('detail') or self.title} {what}".strip())


class Unreachable(Exception):
    """The service did not answer, however often it was tried."""


class Connection:
    """Sends requests with a token of the key, again where that is right."""

    def __init__(
        self,
        installation: Installation,
        *,
        timeout: float,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.installation = installation
        self.sleep = sleep
        self._now = now
        name = {"User-Agent": f"einladung-client/{VERSION}"}
        limits = httpx.Limits(max_connections=CONNECTIONS, keepalive_expiry=USED_AGAIN_WITHIN)
        self._http = httpx.Client(timeout=timeout, transport=transport, headers=name, limits=limits)
        self._token = ""
        self._token_ends = -MARGIN

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """The good answer. Raises Refused and Unreachable."""
        sent = dict(headers or {})
        repeatable = method in SAFE or "Idempotency-Key" in sent

        def attempt() -> httpx.Response:
            sent["Authorization"] = f"Bearer {self.token()}"
            return self._http.request(method, url, headers=sent, **more)

        answer = self._tried(attempt, repeatable=repeatable)
        if answer.status_code == httpx.codes.UNAUTHORIZED:  # its key was rotated, say
            self.forget_token()
            answer = self._tried(attempt, repeatable=repeatable)
        return _good(answer)

    @contextmanager
    def stream(
        self, url: str, headers: Mapping[str, str], quiet: float
    ) -> Iterator[httpx.Response]:
        """A good answer whose body comes by and by, silent for `quiet` seconds at most."""
        sent = {**headers, "Authorization": f"Bearer {self.token()}"}
        timeout = httpx.Timeout(self._http.timeout.connect, read=quiet)
        with self._http.stream("GET", url, headers=sent, timeout=timeout) as answer:
            if not answer.is_success:
                answer.read()
                raise refusal(answer)
            yield answer

    def token(self) -> str:
        """One that holds for a while yet."""
        if self._now() + MARGIN >= self._token_ends:
            asked = self._now()
            key = (self.installation.key_id, self.installation.key_secret)
            answer = _good(
                self._tried(
                    lambda: self._http.post(
                        f"{self.installation.scheduling}/v1/tokens",
                        data={"grant_type": "client_credentials"},
                        auth=key,
                    ),
                    repeatable=True,
                )
            )
            told = answer.json()
            self._token, self._token_ends = told["access_token"], asked + told["expires_in"]
        return self._token

    def forget_token(self) -> None:
        """The next request fetches a new one."""
        self._token_ends = -MARGIN

    def _tried(self, attempt: Callable[[], httpx.Response], *, repeatable: bool) -> httpx.Response:
        for tries_left in reversed(range(TRIES)):
            try:
                answer = attempt()
            except httpx.TransportError as error:
                again = repeatable or isinstance(error, NOT_SENT)
                if not (again and tries_left):
                    raise Unreachable(f"{type(error).__name__}: {error}") from error
                wait = float(2 ** (TRIES - 1 - tries_left)) / 2
            else:
                wait = retry_after(answer)
                if answer.status_code not in WAIT_AGAIN or not tries_left or wait > LONGEST_WAIT:
                    return answer
            self.sleep(wait * random.uniform(1, 1.2))  # noqa: S311 (so that not all come at once)
        raise AssertionError  # pragma: no cover


def retry_after(answer: httpx.Response) -> float:
    """The seconds that an answer asks to wait; a second where it does not say."""
    told = answer.headers.get("Retry-After", "")
    return float(told) if told.isdecimal() else 1.0


def _good(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    raise refusal(answer)


def refusal(answer: httpx.Response) -> Refused:
    """What an answer says that is none of success; a proxy's own page says nothing more."""
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    told = problem if isinstance(problem, dict) else {}
    return Refused(answer.status_code, told, retry_after(answer))


def _errors(told: object) -> list[FieldError]:
    try:
        return _ERRORS.validate_python(told or [])
    except ValidationError:  # somebody else's answer
        return []
