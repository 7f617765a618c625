"""Whose tokens hold, what they allow, and how keys are found when they change."""

import base64
import hmac
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

from chassis import auth
from chassis.auth import Issuer, NoPractice, NotAuthenticated, TokenVerifier, api_keys
from chassis.auth import identity_provider as provider_issuer
from chassis.jwks import FixedKeys
from chassis.settings import AuthSettings
from contracts.rights import KEY_TOKEN_ISSUER, RIGHTS_OF, Right, Role

ISSUER = "https://login.example.org"
PRACTICE = uuid4()
ED = OKPKey.generate_key("Ed25519", {"use": "sig"}, auto_kid=True)
RSA = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)
EC = ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True)
OTHER = OKPKey.generate_key("Ed25519", {"use": "sig"}, auto_kid=True)
OF_API_KEYS = OKPKey.generate_key("Ed25519", {"use": "sig"}, auto_kid=True)


class Settings(AuthSettings):
    port: int = 1
    operations_port: int = 2


def verifier(**changes: Any) -> TokenVerifier:
    settings = Settings(environment="local", auth_issuer=ISSUER, **changes)
    people: Issuer = provider_issuer(settings, FixedKeys(KeySet([ED, RSA, EC])))
    return TokenVerifier(people, api_keys(FixedKeys(KeySet([OF_API_KEYS]))))


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {
        "iss": ISSUER,
        "aud": ["einladung", "account"],
        "sub": "somebody",
        "iat": now,
        "exp": now + 300,
        "practice_id": str(PRACTICE),
        "roles": ["practitioner"],
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(content: Mapping[str, Any], key: Key = ED, alg: str = "Ed25519", **header: Any) -> str:
    head = {"alg": alg, "kid": key.kid, **header}
    return jwt.encode(head, dict(content), key, algorithms=[alg])


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # and still the name in use
@pytest.mark.parametrize(
    ("key", "alg"), [(ED, "Ed25519"), (ED, "EdDSA"), (RSA, "RS256"), (RSA, "PS256"), (EC, "ES256")]
)
async def test_a_good_token_says_who_may_do_what(key: Key, alg: str) -> None:
    caller = await verifier().verify(signed(claims(), key, alg))
    assert (caller.practice_id, caller.subject) == (PRACTICE, "somebody")
    assert caller.rights == RIGHTS_OF[Role.PRACTITIONER]


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://elsewhere.example.org"},
        {"iss": None},
        {"iss": ["https://login.example.org"]},
        {"aud": "dashboard"},
        {"aud": None},
        {"exp": 10**9},
        {"exp": None},
        {"exp": "never"},
        {"exp": 10**400},
        {"nbf": 10**10},
        {"sub": None},
        {"iss": KEY_TOKEN_ISSUER},  # the provider's key can't sign for the other issuer
    ],
)
async def test_a_token_with_a_wrong_claim_does_not_hold(wrong: dict[str, Any]) -> None:
    with pytest.raises(NotAuthenticated):
        await verifier().verify(signed(claims(**wrong)))


@pytest.mark.parametrize("kind", ["logout+jwt", "secevent+jwt", "dpop+jwt", ""])
async def test_a_token_for_something_else_is_no_access_token(kind: str) -> None:
    with pytest.raises(NotAuthenticated):
        await verifier().verify(signed(claims(), typ=kind))


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"])
async def test_providers_call_access_tokens_differently(kind: str) -> None:
    await verifier().verify(signed(claims(), typ=kind))


async def test_deeply_nested_json_in_a_token_is_no_token() -> None:
    deep, flat = b64(b'{"iss":' * 3000), b64(b'{"alg":"EdDSA"}')
    for token in (f"{flat}.{deep}.AAAA", f"{deep}.{flat}.AAAA"):
        with pytest.raises(NotAuthenticated):
            await verifier().verify(token)


async def test_clocks_may_differ_a_little() -> None:
    now = int(time.time())
    await verifier().verify(signed(claims(exp=now - 10)))
    await verifier().verify(signed(claims(nbf=now + 10)))


async def test_only_the_issuers_own_asymmetric_keys_sign() -> None:
    head, body, _ = signed(claims(), alg="Ed25519").split(".")
    head = b64(json.dumps({"alg": "HS256", "kid": ED.kid}).encode())
    mac = hmac.digest(ED.as_pem(private=False), f"{head}.{body}".encode(), "sha256")
    confused = f"{head}.{body}.{b64(mac)}"
    unsigned = f"eyJhbGciOiJub25lIn0.{signed(claims()).split('.')[1]}."
    foreign = signed(claims(), OTHER)
    borrowed_id = jwt.encode({"alg": "Ed25519", "kid": ED.kid}, claims(), OTHER, ["Ed25519"])
    of_keys = signed(claims(), OF_API_KEYS)
    for token in (confused, unsigned, foreign, borrowed_id, of_keys, "", "a.b", "é.é.é", "." * 9):
        with pytest.raises(NotAuthenticated):
            await verifier().verify(token)


@pytest.mark.parametrize("practice", [None, "", "praxis", 5, ["a"], {}])
async def test_a_token_of_no_practice_is_told_apart(practice: object) -> None:
    with pytest.raises(NoPractice):
        await verifier().verify(signed(claims(practice_id=practice)))


@pytest.mark.parametrize(
    ("setting", "content"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["appointment_admin", "x"]}}),
        ("https://example.org/roles", {"https://example.org/roles": ["appointment_admin"]}),
        ("groups", {"groups": "x appointment_admin"}),
    ],
)
async def test_roles_are_found_where_the_provider_puts_them(
    setting: str, content: dict[str, Any]
) -> None:
    token = signed(claims(roles=None, **content))
    caller = await verifier(auth_roles_claim=setting).verify(token)
    assert Right.DELETE_APPOINTMENTS in caller.rights


@pytest.mark.parametrize("roles", [None, [], "", "admin", {"practitioner": True}, [["assistant"]]])
async def test_what_is_no_role_gives_no_right(roles: object) -> None:
    caller = await verifier().verify(signed(claims(roles=roles, scope="appointments:delete")))
    assert caller.rights == frozenset()


async def test_a_token_of_an_api_key_has_its_scopes_and_never_a_role() -> None:
    content = claims(
        iss=KEY_TOKEN_ISSUER,
        aud="einladung",
        scope="status:read appointments:delete",
        roles=["appointment_admin"],
    )
    caller = await verifier().verify(signed(content, OF_API_KEYS))
    assert caller.rights == {Right.READ_STATUS}


class Changing:
    """Keys as of an issuer that changes them."""

    def __init__(self, *keys: Key) -> None:
        self.keys = KeySet(list(keys))

    async def having(self, kid: str | None) -> KeySet:
        return self.keys


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signatures were checked."""
    tokens: list[str] = []
    decode = jwt.decode

    def counted(token: str, *args: Any, **kwargs: Any) -> jwt.Token:
        tokens.append(token)
        return decode(token, *args, **kwargs)

    monkeypatch.setattr(jwt, "decode", counted)
    return tokens


def remembering(keys: Changing, now: Any) -> TokenVerifier:
    settings = Settings(environment="local", auth_issuer=ISSUER)
    return TokenVerifier(provider_issuer(settings, keys), now=now)


async def test_a_token_that_held_is_known_again_until_it_expires(checked: list[str]) -> None:
    now = datetime.now(UTC)
    verifying = remembering(Changing(ED), lambda: now)
    token = signed(claims())
    first = await verifying.verify(token)
    assert await verifying.verify(token) == first
    assert len(checked) == 1
    now = first.expires_at - timedelta(microseconds=1)
    await verifying.verify(token)
    assert len(checked) == 1
    now = first.expires_at
    await verifying.verify(token)  # whether clocks may differ by so much is asked each time
    await verifying.verify(token)
    assert len(checked) == 3


async def test_no_token_is_known_under_keys_that_have_changed(checked: list[str]) -> None:
    keys = Changing(ED, RSA)
    verifying = remembering(keys, lambda: datetime.now(UTC))
    token, under_another = signed(claims()), signed(claims(), RSA, "RS256")
    for each in (token, under_another, token, under_another):
        await verifying.verify(each)
    assert checked == [token, under_another]
    keys.keys = KeySet([RSA])  # the other is withdrawn
    with pytest.raises(NotAuthenticated):
        await verifying.verify(token)
    await verifying.verify(under_another)
    keys.keys = KeySet([ED, RSA])
    await verifying.verify(token)
    assert checked == [token, under_another] * 2 + [token]


async def test_what_did_not_hold_is_not_known(checked: list[str]) -> None:
    verifying = remembering(Changing(ED), lambda: datetime.now(UTC))
    token = signed(claims())
    await verifying.verify(token)
    forged = token[:-8] + "AAAAAAAA"
    for _ in range(2):
        with pytest.raises(NotAuthenticated):
            await verifying.verify(forged)
    assert checked == [token, forged, forged]


async def test_so_many_tokens_are_known_and_no_more(
    checked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "MOST_VERIFIED", 2)
    verifying = remembering(Changing(ED), lambda: datetime.now(UTC))
    first, second, third = (signed(claims(sub=f"somebody {each}")) for each in range(3))
    for each in (first, second, third, third, second, first):
        await verifying.verify(each)
    assert checked == [first, second, third, first]
