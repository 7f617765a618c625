"""Who gets through the door of a route: a token, the right that it needs, not too many writes."""

import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from fastapi import Request, Response
from fastapi.params import Security
from fastapi.security import HTTPAuthorizationCredentials, SecurityScopes
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

from chassis import auth
from chassis.auth import (
    Access,
    Caller,
    CallerKind,
    MissingRight,
    NoPractice,
    NotAuthenticated,
    TokenVerifier,
)
from chassis.jwks import FixedKeys
from chassis.settings import AuthSettings
from chassis.throttle import Throttle, TooManyRequests
from contracts.rights import KEY_TOKEN_ISSUER, TOKEN_AUDIENCE, Right, Role

ISSUER = "https://login.example.org"
PRACTICE = UUID(int=7)
PEOPLES = OKPKey.generate_key("Ed25519", {"use": "sig"}, auto_kid=True)
OF_KEYS = OKPKey.generate_key("Ed25519", {"use": "sig"}, auto_kid=True)
UNTIL = int(time.time()) + 24 * 3600  # this module is loaded long before it runs


class Settings(AuthSettings):
    port: int = 1
    operations_port: int = 2


def verifier() -> TokenVerifier:
    settings = Settings(environment="local", auth_issuer=ISSUER)
    people = auth.identity_provider(settings, FixedKeys(KeySet([PEOPLES])))
    return TokenVerifier(people, auth.api_keys(FixedKeys(KeySet([OF_KEYS]))))


def signed(key: OKPKey, **claims: Any) -> str:
    return jwt.encode({"alg": "Ed25519", "kid": key.kid}, claims, key, algorithms=["Ed25519"])


def persons_token(**changes: Any) -> str:
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": "einladung",
        "sub": "somebody",
        "exp": UNTIL,
        "practice_id": str(PRACTICE),
        "roles": ["assistant", "nobody"],
    }
    return signed(PEOPLES, **(claims | changes))


def keys_token(**changes: Any) -> str:
    claims: dict[str, Any] = {
        "iss": KEY_TOKEN_ISSUER,
        "aud": TOKEN_AUDIENCE,
        "sub": "ek_7",
        "exp": UNTIL,
        "practice_id": str(PRACTICE),
        "scope": "status:read",
    }
    return signed(OF_KEYS, **(claims | changes))


async def ask(
    token: str | None,
    *needed: str,
    method: str = "GET",
    writes: Throttle | None = None,
    response: Response | None = None,
) -> Caller:
    access = Access(verifier(), writes)
    app = SimpleNamespace(state=SimpleNamespace(access=access))
    request = Request({"type": "http", "method": method, "headers": [], "app": app})
    credentials = token and HTTPAuthorizationCredentials(scheme="Bearer", credentials=token)
    return await auth.caller(
        request, response or Response(), SecurityScopes([*needed]), credentials or None
    )


async def test_without_a_token_nobody_gets_in() -> None:
    with pytest.raises(NotAuthenticated) as refused:
        await ask(None)
    assert refused.value.status == 401
    assert refused.value.headers == {"WWW-Authenticate": "Bearer"}
    with pytest.raises(NotAuthenticated):
        await ask("made.up.token")


async def test_a_token_without_the_right_does_not_get_in() -> None:
    token = keys_token()
    assert (await ask(token, "status:read")).may(Right.READ_STATUS)
    with pytest.raises(MissingRight) as refused:
        await ask(token, "status:read", "audit:read", "appointments:read")
    assert refused.value.status == 403
    assert refused.value.headers == {
        "WWW-Authenticate": 'Bearer error="insufficient_scope", '
        'scope="appointments:read audit:read status:read"'
    }
    assert refused.value.extras["needed"] == ["appointments:read", "audit:read", "status:read"]


async def ask_one_of(token: str | None, *rights: Right, writes: Throttle | None = None) -> Caller:
    app = SimpleNamespace(state=SimpleNamespace(access=Access(verifier(), writes)))
    headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
    request = Request({"type": "http", "method": "PATCH", "headers": headers, "app": app})
    found: Caller = await auth.needs_one_of(*rights).dependency(request, Response())
    return found


async def test_of_some_rights_one_suffices() -> None:
    token = keys_token(scope="status:read appointments:correct")
    one_of = Right.WRITE_APPOINTMENTS, Right.CORRECT_APPOINTMENTS
    assert (await ask_one_of(token, *one_of)).rights == {
        Right.READ_STATUS,
        Right.CORRECT_APPOINTMENTS,
    }
    with pytest.raises(MissingRight) as refused:
        await ask_one_of(keys_token(), *one_of)
    assert refused.value.extras["needed"] == ["appointments:correct", "appointments:write"]
    with pytest.raises(NotAuthenticated):
        await ask_one_of(None, *one_of)
    once = Throttle(1)
    await ask_one_of(token, *one_of, writes=once)
    with pytest.raises(TooManyRequests):
        await ask_one_of(token, *one_of, writes=once)


def test_alternatives_are_described_one_by_one() -> None:
    assert auth.alternatives(Right.READ_LINKS, Right.READ_STATUS) == {
        "security": [{"token": ["links:read"]}, {"token": ["status:read"]}]
    }


async def test_a_key_can_have_no_right_to_erase_and_none_to_watch() -> None:
    caller = await ask(keys_token(scope=" ".join(Right)))
    lacking = {*Right} - caller.rights
    assert lacking == {Right.DELETE_APPOINTMENTS, Right.READ_AUDIT, Right.HOST_VISITS}
    for role in Role:
        person = await ask(persons_token(roles=[role]))
        assert Right.READ_LINKS not in person.rights


async def test_a_person_and_a_key_are_told_apart() -> None:
    person = await ask(persons_token(name=" Dr.\n Erika\u202e  Muster "))
    assert (person.kind, person.kind.value) == (CallerKind.PERSON, "person")
    assert (person.practice_id, person.subject) == (PRACTICE, "somebody")
    assert person.expires_at == datetime.fromtimestamp(UNTIL, UTC)
    assert person.roles == (Role.ASSISTANT,)
    assert person.name == "Dr. Erika Muster"
    key = await ask(keys_token(roles=["practitioner"]))
    assert (key.kind, key.kind.value) == (CallerKind.API_KEY, "api_key")
    assert (key.practice_id, key.subject, key.name, key.roles) == (PRACTICE, "ek_7", None, ())
    assert not key.may(Right.READ_AUDIT)


@pytest.mark.parametrize(
    ("name", "read"),
    [(None, None), (5, None), ("", None), ("\u202e", None), ("x" * 201, "x" * 200), ("é", "é")],
)
async def test_a_name_is_one_short_line(name: object, read: str | None) -> None:
    assert (await ask(persons_token(name=name))).name == read


@pytest.mark.parametrize(
    ("roles", "many"),
    [("assistant  practitioner", 2), (["assistant", 5, "practitioner"], 2), ({"assistant": 1}, 0)],
)
async def test_names_come_as_a_list_or_with_blanks_between(roles: object, many: int) -> None:
    assert len((await ask(persons_token(roles=roles))).roles) == many


async def test_a_token_of_no_practice_is_told_so() -> None:
    with pytest.raises(NoPractice) as refused:
        await ask(persons_token(practice_id=None))
    assert (refused.value.status, refused.value.type) == (403, "no-practice")


def test_refusals_are_called_by_their_names() -> None:
    assert NotAuthenticated().type == "not-authenticated"
    assert MissingRight(["x"]).type == "missing-right"


def test_a_caller_is_a_person_unless_it_is_said_otherwise() -> None:
    known = Caller(PRACTICE, "s", datetime.fromtimestamp(UNTIL, UTC), frozenset())
    assert (known.kind, known.name, known.roles) == (CallerKind.PERSON, None, ())


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "exp", "practice_id"])
async def test_no_claim_may_be_missing(missing: str) -> None:
    claims = {"iss": ISSUER, "aud": "einladung", "sub": "s", "exp": UNTIL, "practice_id": "7"}
    del claims[missing]
    with pytest.raises((NotAuthenticated, NoPractice)):
        await ask(signed(PEOPLES, **claims))


@pytest.mark.parametrize(("late_by", "holds"), [(0, True), (25, True), (40, False)])
async def test_clocks_may_differ_by_half_a_minute(late_by: int, holds: bool) -> None:
    assert auth.CLOCK_SKEW == 30
    token = persons_token(exp=int(time.time()) - late_by)
    if holds:
        await ask(token)
    else:
        with pytest.raises(NotAuthenticated):
            await ask(token)


async def test_each_caller_may_write_so_often_and_read_as_often_as_it_likes() -> None:
    writes = Throttle(2, now=lambda: 0.0)
    for method in ("POST", "DELETE"):
        await ask(persons_token(), method=method, writes=writes)
    with pytest.raises(TooManyRequests):
        await ask(persons_token(), method="PATCH", writes=writes)
    for method in ("GET", "HEAD", "OPTIONS"):
        await ask(persons_token(), method=method, writes=writes)
    for another in (persons_token(sub="another"), persons_token(practice_id=str(UUID(int=8)))):
        await ask(another, method="POST", writes=writes)


async def test_who_writes_is_told_how_often_it_still_may() -> None:
    writes = Throttle(60, now=lambda: 0.0)
    response = Response()
    for left in (59, 58):
        await ask(persons_token(), method="POST", writes=writes, response=response)
        assert response.headers["RateLimit-Policy"] == '"writes";q=60;w=60'
        assert response.headers["RateLimit"] == f'"writes";r={left};t={60 - left}'
    for _ in range(58):
        await ask(persons_token(), method="POST", writes=writes)
    with pytest.raises(TooManyRequests) as refused:
        await ask(persons_token(), method="POST", writes=writes)
    headers = refused.value.headers or {}
    assert headers["RateLimit"] == '"writes";r=0;t=60'
    assert headers["Retry-After"] == "1"


async def test_who_may_not_write_uses_nothing_up() -> None:
    writes = Throttle(1, now=lambda: 0.0)
    with pytest.raises(MissingRight):
        await ask(persons_token(), "audit:read", method="POST", writes=writes)
    await ask(persons_token(), method="POST", writes=writes)


async def test_without_a_limit_writes_are_not_counted() -> None:
    for _ in range(9):
        await ask(persons_token(), method="POST")


def test_a_route_names_the_rights_that_it_needs() -> None:
    needed = auth.needs(Right.READ_STATUS, Right.READ_AUDIT)
    assert isinstance(needed, Security)
    assert (needed.dependency, needed.scopes) == (auth.caller, ["status:read", "audit:read"])


@pytest.mark.parametrize(
    ("claims", "name", "found"),
    [
        ({"a.b": 1, "a": {"b": 2}}, "a.b", 1),
        ({"a": {"b": {"c": 3}}}, "a.b.c", 3),
        ({"a": {"b": 2}}, "a.c.d", None),
        ({"a": "b"}, "a.b", None),
        ({}, "a", None),
    ],
)
def test_claims_are_found_by_name_or_path(
    claims: dict[str, object], name: str, found: object
) -> None:
    assert auth.find_claim(claims, name) == found


def test_for_logs_the_practice_is_read_from_what_was_verified() -> None:
    assert verifier().practice_of(persons_token()) == str(PRACTICE)
    for nothing in ("", "a.b.c", "\U0001f600", persons_token(practice_id="its name")):
        assert verifier().practice_of(nothing) is None
