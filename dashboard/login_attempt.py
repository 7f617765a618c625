"""A login on its way: one random secret in a cookie of its own, and what is derived from it.

State, nonce and PKCE verifier need no store then, and a response is good only in the browser that
asked. Several tabs may log in at once: each attempt's cookie is named after its state.
"""

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

TERM = 600  # seconds to log in
MAX_ATTEMPTS = 5  # of one browser at once
# The page's views: a login leads there and nowhere else.
VIEW = re.compile(r"#/(patienten|termine|protokoll)(/\d{4}-\d\d-\d\d)?")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One login: its secret, and the view to show after it."""

    secret: str
    target: str

    @classmethod
    def begin(cls, target: str) -> "Attempt":
        """A new one; what is no view of ours becomes the start page."""
        return cls(secrets.token_urlsafe(32), target if VIEW.fullmatch(target) else "")

    @classmethod
    def read(cls, cookie: str) -> "Attempt":
        """From its cookie, whose target is believed no more than anybody else's."""
        secret, _, target = cookie.partition("~")
        view = f"#/{target}"
        return cls(secret, view if VIEW.fullmatch(view) else "")

    @property
    def cookie(self) -> str:
        """What the browser keeps meanwhile."""
        return f"{self.secret}~{self.target.removeprefix('#/')}"

    @property
    def state(self) -> str:
        """Ties the response to this browser."""
        return self._derive("state")

    @property
    def nonce(self) -> str:
        """Ties the ID token to this attempt."""
        return self._derive("nonce")

    @property
    def verifier(self) -> str:
        """Ties the code to this attempt (PKCE, RFC 7636)."""
        return self._derive("verifier")

    @property
    def challenge(self) -> str:
        """What the provider learns of the verifier beforehand."""
        return _base64(sha256(self.verifier.encode()).digest())

    def _derive(self, purpose: str) -> str:
        return _base64(hmac.digest(self.secret.encode(), purpose.encode(), "sha256"))


class Cookies:
    """Names and reach of the cookies; with https no other host can set them (`__Host-`)."""

    def __init__(self, *, secure: bool) -> None:
        self.secure = secure
        prefix = "__Host-" if secure else ""
        self.session = f"{prefix}einladung-session"
        self._attempt = f"{prefix}einladung-login-"

    def attempt(self, state: str) -> str:
        """The name of an attempt's cookie."""
        return self._attempt + re.sub(r"[^\w-]", "", state[:12], flags=re.ASCII)

    def attempts(self, present: Mapping[str, str]) -> list[str]:
        """The names of all that are present."""
        return [name for name in present if name.startswith(self._attempt)]


def _base64(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
