"""Tokens for API keys: what they say, for how long, and under which key they are signed."""

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chassis.auth import CallerKind, NotAuthenticated, TokenVerifier, api_keys
from chassis.jwks import FixedKeys
from contracts.rights import Right
from services.scheduling.keys import key as keys
from services.scheduling.keys.key import ClinicSystem
from services.scheduling.keys.mint import TOKEN_SECONDS, Mint

OLD, NEW = b"o" * 32, b"n" * 32
PRACTICE = UUID(int=7)
SCOPES = frozenset({Right.READ_STATUS, Right.READ_APPOINTMENTS})
NOW = datetime.now(UTC)
KEY, _ = keys.create(
    ClinicSystem(PRACTICE, SCOPES), "Praxissystem", now=NOW, expires_at=NOW + timedelta(days=1)
)


def verifier(mint: Mint) -> TokenVerifier:
    return TokenVerifier(api_keys(FixedKeys(mint.keys)))


async def test_a_token_stands_for_the_key_with_the_scopes_asked_for() -> None:
    mint = Mint({1: OLD})
    caller = await verifier(mint).verify(mint.token(KEY, frozenset({Right.READ_STATUS})))
    assert (caller.practice_id, caller.subject, caller.kind) == (
        PRACTICE,
        KEY.id,
        CallerKind.API_KEY,
    )
    assert caller.rights == {Right.READ_STATUS}
    assert 0 < caller.expires_at.timestamp() - time.time() <= TOKEN_SECONDS


async def test_tokens_of_an_older_seed_hold_until_the_seed_is_taken_away() -> None:
    token = Mint({1: OLD}).token(KEY, SCOPES)
    assert (await verifier(Mint({1: OLD, 2: NEW})).verify(token)).rights == SCOPES
    with pytest.raises(NotAuthenticated):
        await verifier(Mint({2: NEW})).verify(token)
    newest = Mint({1: OLD, 2: NEW}).token(KEY, SCOPES)
    assert (await verifier(Mint({2: NEW})).verify(newest)).subject == KEY.id


def test_nothing_private_is_published() -> None:
    published = Mint({1: OLD, 2: NEW}).keys.as_dict(private=False)
    assert len(published["keys"]) == 2
    assert not any("d" in each for each in published["keys"])
