"""What the dashboard believes of an identity provider, and what the local one refuses."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import OKPKey

from dashboard.login_attempt import Attempt
from dashboard.oidc import LoginRefused, Metadata, Provider, ProviderUnavailable, Tokens
from local.identity import CLIENT_ID, Identity
from local.identity_provider.web import Client, create_app

ISSUER = "http://127.0.0.1:8427"
BACK = "http://127.0.0.1:8400/login/callback"
AFTER_LOGOUT = "http://127.0.0.1:8400/abgemeldet"


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    return Identity(tmp_path, ISSUER)


@pytest_asyncio.fixture
async def http(identity: Identity) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(identity, Client(BACK, AFTER_LOGOUT)))
    async with httpx.AsyncClient(transport=transport, base_url=ISSUER) as client:
        yield client


def provider(http: httpx.AsyncClient, identity: Identity, **changes: Any) -> Provider:
    settings: dict[str, Any] = {
        "issuer": ISSUER,
        "client_id": CLIENT_ID,
        "client_secret": identity.client_secret,
        "scope": "openid profile",
        "parameters": {},
        "client": http,
    }
    return Provider(**(settings | changes))


async def code(http: httpx.AsyncClient, of: Provider, attempt: Attempt) -> str:
    url = await of.authorization_url(
        redirect_uri=BACK,
        state=attempt.state,
        nonce=attempt.nonce,
        challenge=attempt.challenge,
        anew=False,
    )
    answer = await http.post(url, data={"person": "praxis"})
    back = urlsplit(answer.headers["location"])
    asked = {name: values[0] for name, values in parse_qs(back.query).items()}
    assert asked["state"] == attempt.state
    return asked["code"]


async def redeem(of: Provider, given: str, attempt: Attempt) -> Tokens:
    return await of.redeem(given, verifier=attempt.verifier, redirect_uri=BACK)


async def test_a_code_is_good_once_and_for_its_own_attempt(
    http: httpx.AsyncClient, identity: Identity
) -> None:
    ours, mine, other = provider(http, identity), Attempt.begin(""), Attempt.begin("")
    given = await code(http, ours, mine)
    tokens = await redeem(ours, given, mine)
    assert await ours.identify(tokens.id_token, mine.nonce) == "Ärztin"
    with pytest.raises(LoginRefused):
        await redeem(ours, given, mine)
    with pytest.raises(LoginRefused):  # PKCE
        await redeem(ours, await code(http, ours, mine), other)
    with pytest.raises(LoginRefused):  # nonce
        await ours.identify(tokens.id_token, other.nonce)


async def test_a_refresh_token_is_good_once(http: httpx.AsyncClient, identity: Identity) -> None:
    ours, attempt = provider(http, identity), Attempt.begin("")
    first = await redeem(ours, await code(http, ours, attempt), attempt)
    assert first.refresh_token is not None
    second = await ours.refresh(first.refresh_token)
    assert second.refresh_token not in {None, first.refresh_token}
    with pytest.raises(LoginRefused):
        await ours.refresh(first.refresh_token)


async def test_a_client_without_its_secret_gets_nothing(
    http: httpx.AsyncClient, identity: Identity
) -> None:
    ours, attempt = provider(http, identity, client_secret="wrong"), Attempt.begin("")
    with pytest.raises(LoginRefused):
        await redeem(ours, await code(http, ours, attempt), attempt)


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "http://127.0.0.1:1"},
        {"aud": "einladung"},
        {"aud": [CLIENT_ID, "other"], "azp": "other"},
        {"exp": 1},
        {"nonce": None},
        {"nonce": ""},
        {"sub": None},
    ],
)
async def test_an_id_token_with_a_wrong_claim_is_refused(
    http: httpx.AsyncClient, identity: Identity, wrong: dict[str, Any]
) -> None:
    ours, good = provider(http, identity), {"aud": CLIENT_ID, "sub": "praxis", "nonce": "n"}
    await ours.identify(identity.sign(good, lifetime=60), "n")
    content = {name: value for name, value in (good | wrong).items() if value is not None}
    with pytest.raises(LoginRefused):
        await ours.identify(identity.sign(content, lifetime=60), "n")


async def test_a_key_of_the_provider_that_is_not_understood_costs_nobody_the_login(
    http: httpx.AsyncClient, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = [{"kty": "EC", "crv": "BP-256", "x": "AA", "y": "AA", "kid": "new"}, "text", {}]
    listed = {"keys": [*odd, *identity.jwks["keys"]]}
    monkeypatch.setattr(Identity, "jwks", property(lambda _: listed))
    content = {"aud": CLIENT_ID, "sub": "praxis", "nonce": "n", "name": "Ärztin"}
    token = identity.sign(content, lifetime=60)
    assert await provider(http, identity).identify(token, "n") == "Ärztin"


async def test_an_id_token_of_another_key_or_none_is_refused(
    http: httpx.AsyncClient, identity: Identity
) -> None:
    stranger = OKPKey.generate_key("Ed25519", auto_kid=True)
    content = {"iss": ISSUER, "aud": CLIENT_ID, "sub": "x", "nonce": "n", "iat": 1, "exp": 10**10}
    forged = jwt.encode({"alg": "Ed25519", "kid": stranger.kid}, content, stranger, ["Ed25519"])
    for token in (forged, "", None, "a.b.c"):
        with pytest.raises(LoginRefused):
            await provider(http, identity).identify(token, "n")


DOCUMENT = {
    "issuer": "https://login.example.org",
    "authorization_endpoint": "https://login.example.org/authorize",
    "token_endpoint": "https://login.example.org/token",
    "jwks_uri": "https://login.example.org/jwks",
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://login.example.org/"},
        {"token_endpoint": "http://login.example.org/token"},
        {"jwks_uri": "http://login.example.org/jwks"},
        {"end_session_endpoint": "javascript:alert(1)"},
    ],
)
def test_a_discovery_document_of_another_or_without_https_is_refused(wrong: dict[str, str]) -> None:
    assert Metadata.read(DOCUMENT, DOCUMENT["issuer"]).end_session_endpoint is None
    with pytest.raises(ValueError, match=r"another issuer|not https"):
        Metadata.read(DOCUMENT | wrong, DOCUMENT["issuer"])


@pytest.mark.parametrize(
    "document", ["", "[]", "{}", '{"issuer": "http://127.0.0.1:8427"}', '"text"']
)
async def test_a_provider_that_talks_nonsense_is_unavailable(
    identity: Identity, document: str
) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=document))
    async with httpx.AsyncClient(transport=transport) as http:
        ours = provider(http, identity)
        with pytest.raises(ProviderUnavailable):
            await ours.metadata()
        assert await ours.end_session_url(None, back_to=AFTER_LOGOUT) is None


@pytest.mark.parametrize(
    "target",
    [
        *("https://example.org", "//example.org", "/\\example.org", "#//example.org"),
        *("#/termine/../../x", "#/termine\n", "javascript:alert(1)", "#/termine/2026-12-01x"),
    ],
)
def test_after_the_login_only_our_own_views_follow(target: str) -> None:
    assert Attempt.begin(target).target == ""
    assert Attempt.read(f"secret~{target.removeprefix('#/')}").target == ""


def test_an_attempt_is_read_from_its_cookie() -> None:
    attempt = Attempt.begin("#/termine/2026-12-01")
    assert Attempt.read(attempt.cookie) == attempt
    assert attempt.target == "#/termine/2026-12-01"
    assert len({attempt.state, attempt.nonce, attempt.verifier, attempt.secret}) == 4
