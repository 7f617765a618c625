"""Authorization codes and refresh tokens: each is good for one use, then for nothing."""

import base64
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass

from local.identity_provider.persons import Person

CODE_TERM = 60.0  # seconds
REFRESH_TERM = 12 * 3600.0  # seconds
MOST = 1000


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody agreed to."""

    person: Person
    redirect_uri: str
    nonce: str | None
    challenge: str

    def proven_by(self, verifier: str) -> bool:
        """PKCE (RFC 7636, S256)."""
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return hmac.compare_digest(challenge, self.challenge)


class Tickets:
    """Secrets that stand for a grant until they are used or their term is over."""

    def __init__(self, term: float) -> None:
        self._term = term
        self._grants: OrderedDict[str, tuple[float, Grant]] = OrderedDict()

    def issue(self, grant: Grant) -> str:
        """A new ticket; the oldest is forgotten when there are too many."""
        ticket = secrets.token_urlsafe(32)
        self._grants[ticket] = (time.monotonic() + self._term, grant)
        if len(self._grants) > MOST:
            self._grants.popitem(last=False)
        return ticket

    def redeem(self, ticket: str) -> Grant | None:
        """Its grant, this once."""
        until, grant = self._grants.pop(ticket, (0.0, None))
        return grant if time.monotonic() < until else None
