"""Whose tokens hold, what they allow, and how keys are found when they change."""

import base64
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

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
