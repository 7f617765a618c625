"""Sessions of people who are logged in: tokens on the server, one random secret in the cookie.

The secret is in no table: a row's id is its hash and the row's tokens are sealed under a key
derived from it, so that the database alone gives nobody away. Any replica can serve any session.
Tokens are refreshed by whoever claims that under a lease, since a provider that rotates refresh
tokens ends the login of someone who uses one twice.
"""

import asyncio
import binascii
import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import structlog
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from chassis.auth import Caller, NoPractice, NotAuthenticated, TokenVerifier
from chassis.clock import utc_now
from chassis.database import Connection, Database
from chassis.jwks import KeysUnavailable
from dashboard import session_store as store
from dashboard.oidc import LoginRefused, Provider, ProviderUnavailable, Tokens
from dashboard.problems import LoginUnavailable, NotLoggedIn

log = structlog.get_logger(__name__)

MOST_OF_ONE_PERSON = 20
DRAFTS_LAST = timedelta(hours=12)  # after the session; as static/drafts.js has it
REFRESH_BEFORE = timedelta(seconds=60)
REFRESH_WITHIN = 10.0  # seconds for the provider
LEASE = timedelta(seconds=15)
WAIT, WAIT_STEP = 12.0, 0.1  # seconds for another's refresh
SEALED = {"alg": "dir", "enc": "A256GCM"}


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is logged in; times are seconds since the epoch."""

    name: str
    subject: str
    rights: list[str]
    access_token: str
    access_until: float
    refresh_token: str | None
    id_token: str | None
    ends_at: float

    @property
    def fresh(self) -> bool:
        """Whether the access token can still be used."""
        return utc_now().timestamp() < self.access_until


class Sessions:
    """Opens, finds, refreshes and ends sessions."""

    def __init__(
        self,
        db: Database,
        provider: Provider,
        verifier: TokenVerifier,
        *,
        idle: timedelta,
        longest: timedelta,
    ) -> None:
        self._db = db
        self._provider = provider
        self._verifier = verifier
        self._idle = idle
        self._longest = longest

    async def open(self, tokens: Tokens, caller: Caller, name: str) -> str:
        """A new session for checked tokens; the secret for its cookie."""
        secret = secrets.token_bytes(32)
        ends_at = utc_now() + self._longest
        nothing = Session(name, caller.subject, [], "", 0, None, None, ends_at.timestamp())
        session = _with(tokens, caller, nothing)
        row = store.Row(_seal(secret, session), ends_at, _refresh_at(session, caller))
        async with self._db.system() as tx:
            await store.add(tx, _id(secret), _person(caller.subject), row, most=MOST_OF_ONE_PERSON)
        return urlsafe_b64encode(secret).rstrip(b"=").decode()

    async def find(self, cookie: str | None) -> Session:
        """The session with an access token that holds. Raises NotLoggedIn, LoginUnavailable."""
        secret = _secret(cookie)
        row = await self._row(secret)
        session = _unseal(secret, row.sealed)
        if utc_now() < row.refresh_at:
            return session
        return await self._refreshed(secret, session)

    def practice_of(self, session: Session) -> str | None:
        """For logs: the practice of whoever is logged in."""
        return self._verifier.practice_of(session.access_token)

    async def touch(self, cookie: str | None) -> None:
        """Somebody is there: the idle time begins anew. Raises NotLoggedIn."""
        secret = _secret(cookie)
        await self._row(secret)
        async with self._db.system() as tx:
            await store.touch(tx, _id(secret))

    async def end(self, cookie: str | None) -> Session | None:
        """Log out here; the session that was, if there was one."""
        try:
            secret = _secret(cookie)
            async with self._db.system() as tx:
                sealed = await store.end(tx, _id(secret))
            return _unseal(secret, sealed) if sealed else None
        except NotLoggedIn:
            return None

    async def lasting(self, ids: Collection[bytes]) -> set[bytes]:
        """Those of these sessions that have not ended."""
        async with self._db.system() as tx:
            return await store.lasting(tx, ids, self._idle)

    async def purge(self, tx: Connection) -> None:
        """Forget what is over."""
        await store.purge(tx, self._idle, self._longest + DRAFTS_LAST)

    async def draft_key(self, session: Session) -> str:
        """What the person's unfinished input is sealed with in the browser; base64url.

        It is the same at their next login, and nobody else is given it.
        """
        async with self._db.system() as tx:
            key = await store.draft_key(tx, _person(session.subject), secrets.token_bytes(32))
        return urlsafe_b64encode(key).rstrip(b"=").decode()

    async def _row(self, secret: bytes) -> store.Row:
        async with self._db.system() as tx:
            row = await store.find(tx, _id(secret), self._idle)
        if row is None:
            raise NotLoggedIn
        return row

    async def _refreshed(self, secret: bytes, session: Session) -> Session:
        async with self._db.system() as tx:
            sealed = await store.claim_refresh(tx, _id(secret), LEASE)
        if sealed is None:
            return session if session.fresh else await self._await_refresh(secret)
        session = _unseal(secret, sealed)
        try:
            return await self._refresh(secret, session)
        except (LoginRefused, NotAuthenticated, NoPractice):
            log.info("session ended by the identity provider")
            async with self._db.system() as tx:
                await store.end(tx, _id(secret))
            raise NotLoggedIn from None
        except (
            ProviderUnavailable,
            KeysUnavailable,
            TimeoutError,
        ):  # the lease stays: nobody asks again until it ends
            if session.fresh:
                return session
            raise LoginUnavailable from None

    async def _refresh(self, secret: bytes, session: Session) -> Session:
        if session.refresh_token is None:
            raise LoginRefused("no refresh token")
        async with asyncio.timeout(REFRESH_WITHIN):
            tokens = await self._provider.refresh(session.refresh_token)
            caller = await self._verifier.verify(tokens.access_token)
        if caller.subject != session.subject:  # OpenID Connect Core 1.0, section 12.2
            raise LoginRefused("somebody else's tokens")
        session = _with(tokens, caller, session)
        async with self._db.system() as tx:
            saved = await store.refreshed(
                tx, _id(secret), _seal(secret, session), _refresh_at(session, caller)
            )
        if not saved:
            raise NotLoggedIn
        return session

    async def _await_refresh(self, secret: bytes) -> Session:
        for _ in range(int(WAIT / WAIT_STEP)):
            await asyncio.sleep(WAIT_STEP)
            session = _unseal(secret, (await self._row(secret)).sealed)
            if session.fresh:
                return session
        raise LoginUnavailable


def _with(tokens: Tokens, caller: Caller, session: Session) -> Session:
    return replace(
        session,
        rights=sorted(caller.rights),
        access_token=tokens.access_token,
        access_until=caller.expires_at.timestamp(),
        refresh_token=tokens.refresh_token or session.refresh_token,
        id_token=tokens.id_token or session.id_token,
    )


def _refresh_at(session: Session, caller: Caller) -> datetime:
    """A minute before the token ends, or in the last quarter of a short one's term."""
    if session.refresh_token is None:
        return caller.expires_at
    term = caller.expires_at - utc_now()
    return caller.expires_at - min(REFRESH_BEFORE, term / 4)


def _secret(cookie: str | None) -> bytes:
    try:
        secret = urlsafe_b64decode(f"{cookie or ''}=")
    except (binascii.Error, ValueError):
        raise NotLoggedIn from None
    if len(secret) != 32:
        raise NotLoggedIn
    return secret


def session_id(cookie: str | None) -> bytes:
    """The id of a cookie's session, whether there is one or not. Raises NotLoggedIn."""
    return _id(_secret(cookie))


def _person(subject: str) -> bytes:
    return hashlib.sha256(subject.encode()).digest()


def _id(secret: bytes) -> bytes:
    return hmac.digest(secret, b"id", "sha256")


def _key(secret: bytes) -> OctKey:
    return OctKey.import_key(hmac.digest(secret, b"seal", "sha256"))


def _seal(secret: bytes, session: Session) -> str:
    return jwe.encrypt_compact(SEALED, json.dumps(asdict(session)), _key(secret))


def _unseal(secret: bytes, sealed: str) -> Session:
    try:
        opened = jwe.decrypt_compact(sealed, _key(secret), algorithms=list(SEALED.values()))
        return Session(**json.loads(opened.plaintext or b""))
    except (JoseError, ValueError, TypeError):  # of a version with other fields
        raise NotLoggedIn from None
