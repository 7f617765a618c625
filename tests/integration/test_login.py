"""Logging in at the dashboard, as a browser does it, and everything that must not work."""

import asyncio
import json
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import pytest
import pytest_asyncio

from chassis.auth import TokenVerifier, identity_provider
from chassis.database import Database
from chassis.jwks import FixedKeys, read_keys
from chassis.upstreams import Upstreams
from dashboard.login_attempt import Attempt
from dashboard.oidc import Provider, Tokens
from dashboard.problems import NotLoggedIn
from dashboard.sessions import Sessions
from dashboard.settings import Settings
from dashboard.streams import RENEW, Streams
from local.identity import CLIENT_ID, Identity
from local.identity_provider.web import Client, create_app
from local.practice import DEMO_PRACTICE
from tests.conftest import Stack
from tests.support import PATIENCE, eventually, http_client
from tests.support.visitor import SESSION, Visitor, new_visitor

PRACTICE = "/api/scheduling/practice"
STREAM = "/api/status/indicators/stream"


@pytest_asyncio.fixture
async def visitor(stack: Stack) -> AsyncIterator[Visitor]:
    async with new_visitor(stack) as fresh:
        yield fresh


async def in_database(stack: Stack, change: str) -> None:
    """Change all sessions, as time would."""
    connection = await asyncpg.connect(stack.owner_dsn("dashboard"))
    try:
        await connection.execute(f"UPDATE sessions SET {change}")
    finally:
        await connection.close()


async def test_without_a_login_there_is_nothing_to_see(visitor: Visitor, stack: Stack) -> None:
    page = await visitor.get("/")
    assert (page.status_code, page.headers["location"]) == (303, "/login")
    for path in (PRACTICE, "/api/status/indicators/stream", "/api/session"):
        answer = await visitor.get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "not-logged-in")
        assert answer.headers["content-type"] == "application/problem+json"
    for forged in (b"x", b"A" * 43, "é".encode(), b"A" * 5000):
        headers = [(b"cookie", SESSION.encode() + b"=" + forged)]
        answer = await visitor.http.get(stack.url("dashboard") + PRACTICE, headers=headers)
        assert answer.status_code == 401


async def test_after_the_login_the_tokens_stay_on_the_server(visitor: Visitor) -> None:
    asked = parse_qs(urlsplit(await visitor.begin()).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} <= asked.keys()
    answer = await visitor.log_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = next(one for one in answer.headers.get_list("set-cookie") if SESSION in one)
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert answer.headers["cache-control"] == "no-store"
    who = await visitor.get("/api/session")
    draft_key = who.json()["draft_key"]
    assert len(urlsafe_b64decode(f"{draft_key}=")) == 32
    assert (await visitor.get("/api/session")).json()["draft_key"] == draft_key
    assert who.json() == {
        "demo_links": {
            "Postfach": visitor.stack.url("mailbox"),
            "Telefone": visitor.stack.url("phones"),
        },
        "draft_key": draft_key,
        "name": "Ärztin",
        "rights": ["appointments:read", "appointments:write", "status:read", "visits:host"],
    }
    assert (await visitor.get(PRACTICE)).json()["name"] == "Hausarztpraxis am Markt"
    assert (await visitor.get("/")).status_code == 200
    log = (visitor.stack.folder.logs / "dashboard.log").read_text()
    for told in (str(answer.headers) + answer.text, str(who.headers) + who.text, log):
        assert "eyJ" not in told  # how every token begins
    assert str(visitor.session) not in log


async def test_only_known_hosts_are_served_and_cookies_have_one_of_them(
    visitor: Visitor, stack: Stack
) -> None:
    dashboard = stack.url("dashboard")
    port = urlsplit(dashboard).port
    for host, status in (("example.org", 400), (f"localhost:{port}", 307)):
        answer = await visitor.http.get(dashboard, headers={"Host": host})
        assert answer.status_code == status
    assert answer.headers["location"] == dashboard
    health = f"{stack.operations_url('dashboard')}/health/ready"  # asked for by address
    answer = await visitor.http.get(health, headers={"Host": "10.0.0.1"})
    assert answer.status_code == 200


async def test_an_answer_is_good_only_in_the_browser_that_asked(
    visitor: Visitor, stack: Stack
) -> None:
    async with new_visitor(stack) as victim:
        back = await visitor.agree(await visitor.begin())
        await victim.begin()
        answer = await victim.http.get(back)
        assert answer.status_code == 400
        assert "Die Anmeldung hat nicht geklappt" in answer.text
        assert victim.session is None


async def test_a_code_from_elsewhere_is_refused(visitor: Visitor, stack: Stack) -> None:
    """Somebody else's code under our own state: PKCE, checked by the provider, tells."""
    async with new_visitor(stack) as attacker:
        stolen = parse_qs(urlsplit(await attacker.agree(await attacker.begin())).query)["code"][0]
        back = await visitor.agree(await visitor.begin())
        answer = await visitor.http.get(re.sub(r"code=[^&]+", f"code={stolen}", back))
        assert answer.status_code == 400
        assert visitor.session is None


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        (r"state=[^&]+", "state=AAAA"),
        (r"state=[^&]+", "state=%C3%BC"),
        (r"state=[^&]+", ""),
        (r"code=[^&]+", "code=made-up"),
        (r"code=[^&]+", ""),
        (r"iss=[^&]+", "iss=https%3A%2F%2Felsewhere.example.org"),
        (r"iss=[^&]+", ""),
    ],
)
async def test_a_tampered_answer_is_refused(visitor: Visitor, pattern: str, instead: str) -> None:
    back = await visitor.agree(await visitor.begin())
    answer = await visitor.http.get(re.sub(pattern, instead, back))
    assert answer.status_code == 400
    assert visitor.session is None


async def test_an_answer_is_good_once(visitor: Visitor) -> None:
    back = await visitor.agree(await visitor.begin())
    assert (await visitor.http.get(back)).status_code == 303
    assert (await visitor.http.get(back)).status_code == 400


async def test_two_tabs_log_in_at_once_and_a_hundred_leave_few_cookies(visitor: Visitor) -> None:
    first, second = await visitor.begin(), await visitor.begin()
    for url in (first, second):
        assert (await visitor.http.get(await visitor.agree(url))).status_code == 303
    for _ in range(12):
        await visitor.begin()
    assert len([name for name in visitor.http.cookies if "login" in name]) <= 5


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("?zurueck=%23/termine/2026-12-01", "/#/termine/2026-12-01"),
        ("?zurueck=https://example.org", "/"),
        ("?zurueck=//example.org", "/"),
        ("?zurueck=/%5Cexample.org", "/"),
    ],
)
async def test_the_way_back_leads_to_our_own_page(
    visitor: Visitor, query: str, target: str
) -> None:
    assert (await visitor.log_in(query)).headers["location"] == target
    href = re.search(
        r'class="primary" href="([^"]+)"', (await visitor.get(f"/abgelaufen{query}")).text
    )
    assert href is not None
    assert href[1].startswith("/login")
    assert "example" not in href[1]


async def test_who_cancels_or_belongs_nowhere_gets_no_session(visitor: Visitor) -> None:
    for person, text in (("", "Anmeldung abgebrochen"), ("gast", "Kein Zugang")):
        answer = await visitor.log_in(person=person)
        assert (answer.status_code, visitor.session) == (403, None)
        assert text in answer.text
    again = await visitor.begin("?konto=anderes")
    assert "prompt=login" in again


async def test_an_assistant_can_not_delete_by_the_dashboard_either(visitor: Visitor) -> None:
    path = "/api/scheduling/appointments/01932c7e-5a00-7000-8000-000000000009"
    for person, status in (("assistenz", 403), ("leitung", 404)):
        await visitor.log_in(person=person)
        url = visitor.stack.url("dashboard") + path
        assert (await visitor.http.delete(url, headers=visitor.own)).status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://example.org"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://example.org"},
    ],
)
async def test_no_other_site_can_write(visitor: Visitor, headers: dict[str, str]) -> None:
    await visitor.log_in()
    base = visitor.stack.url("dashboard")
    for method, path in (
        ("POST", "/api/scheduling/appointments"),
        ("DELETE", "/api/session"),
        ("POST", "/api/session/activity"),
    ):
        answer = await visitor.http.request(method, base + path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross-site"), path


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_link_on_another_site_leads_to_the_page_and_leaves_nothing_in_the_audit_log(
    visitor: Visitor, site: str
) -> None:
    await visitor.log_in(person="leitung")
    base, elsewhere = visitor.stack.url("dashboard"), {"Sec-Fetch-Site": site}
    log = base + "/api/scheduling/audit"
    before = (await visitor.http.get(log)).json()["entries"]
    answer = await visitor.http.get(f"{log}/export", headers=elsewhere)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross-site")
    assert (await visitor.http.get(log)).json()["entries"] == before
    assert (await visitor.http.get(f"{base}/", headers=elsewhere)).status_code == 200
    assert (await visitor.get(PRACTICE)).status_code == 200


@pytest.mark.parametrize(
    "passed",
    ["seen_at = now() - interval '61 minutes'", "ends_at = now()"],
    ids=["idle", "too long"],
)
async def test_a_session_ends_with_its_time(visitor: Visitor, stack: Stack, passed: str) -> None:
    await visitor.log_in()
    await in_database(stack, "seen_at = now() - interval '50 minutes'")
    assert (await visitor.get(PRACTICE)).status_code == 200  # reading keeps no session alive
    await in_database(stack, passed)
    assert (await visitor.get(PRACTICE)).status_code == 401
    page = await visitor.get("/")
    assert (page.status_code, page.headers["location"]) == (303, "/abgelaufen")
    assert "Ihre Sitzung ist abgelaufen" in (await visitor.get("/abgelaufen")).text
    assert visitor.session is None


async def test_whoever_works_stays_logged_in(visitor: Visitor, stack: Stack) -> None:
    await visitor.log_in()
    url = stack.url("dashboard") + "/api/session/activity"
    for _ in range(3):
        await in_database(stack, "seen_at = seen_at - interval '50 minutes'")
        assert (await visitor.http.post(url, headers=visitor.own)).status_code == 204
    assert (await visitor.get(PRACTICE)).status_code == 200


async def test_one_person_has_a_bounded_number_of_sessions(stack: Stack) -> None:
    async with AsyncExitStack() as visitors:
        first = await visitors.enter_async_context(new_visitor(stack))
        await first.log_in(person="assistenz")
        for _ in range(20):
            last = await visitors.enter_async_context(new_visitor(stack))
            await last.log_in(person="assistenz")
        assert (await first.get(PRACTICE)).status_code == 401
        assert (await last.get(PRACTICE)).status_code == 200


async def test_logging_out_ends_the_session_everywhere(visitor: Visitor, stack: Stack) -> None:
    await visitor.log_in()
    kept = visitor.session
    answer = await visitor.http.delete(stack.url("dashboard") + "/api/session", headers=visitor.own)
    location = answer.json()["location"]
    assert location.startswith(stack.url("identity") + "/logout?")
    assert "id_token_hint=" in location
    assert visitor.session is None
    back = (await visitor.http.get(location)).headers["location"]
    assert "Sie sind abgemeldet" in (await visitor.http.get(back)).text
    visitor.http.cookies.set(SESSION, str(kept))
    assert (await visitor.get(PRACTICE)).status_code == 401
    hidden = await visitor.http.get(
        stack.url("identity") + "/logout?post_logout_redirect_uri=https://example.org"
    )
    assert hidden.status_code == 400


async def test_sessions_outlive_restarts_and_are_good_at_every_replica(
    visitor: Visitor, stack: Stack
) -> None:
    await visitor.log_in()
    await stack.service("dashboard").restart()
    assert (await visitor.get(PRACTICE)).status_code == 200
    replica = await stack.start_service("dashboard", replica=2)
    try:
        answers = await asyncio.gather(
            *(visitor.get(PRACTICE, stack.url(name)) for name in ["dashboard", "dashboard-2"] * 10)
        )
        assert {answer.status_code for answer in answers} == {200}
    finally:
        await replica.stop()


async def test_tokens_are_refreshed_and_a_login_that_the_provider_ended_ends(
    visitor: Visitor, stack: Stack
) -> None:
    await visitor.log_in()
    for _ in range(2):
        await in_database(stack, "refresh_at = now()")
        answers = await asyncio.gather(*(visitor.get(PRACTICE) for _ in range(10)))
        assert {answer.status_code for answer in answers} == {200}
    await stack.identity_provider.restart()  # it forgets who is logged in
    await in_database(stack, "refresh_at = now()")
    assert (await visitor.get(PRACTICE)).status_code == 401


async def test_while_the_provider_is_away_work_goes_on_and_logging_in_says_so(
    visitor: Visitor, stack: Stack
) -> None:
    await visitor.log_in()
    await stack.identity_provider.stop()
    replica = None
    try:
        replica = await stack.start_service("dashboard", replica=3)
        await in_database(stack, "refresh_at = now()")
        assert (await visitor.get(PRACTICE)).status_code == 200
        answer = await visitor.get("/login", stack.url("dashboard-3"))
        assert answer.status_code == 503
        assert "Die Anmeldung ist gerade nicht möglich" in answer.text
    finally:
        await stack.identity_provider.start()
        if replica is not None:
            await replica.stop()


async def test_replicas_refresh_an_expired_token_once(stack: Stack, tmp_path: Path) -> None:
    """A provider that rotates refresh tokens would end the login at the second use."""
    issuer, back = "http://127.0.0.1:8427", "http://127.0.0.1:8400/login/callback"
    identity = Identity(tmp_path, issuer)
    app = create_app(identity, Client(back, back))
    db = await Database.connect(stack.dsn("dashboard"))
    settings = Settings(
        environment="local",
        public_url="http://127.0.0.1:8400",
        database_url=stack.dsn("dashboard"),
        auth_issuer=issuer,
        oidc_client_id=CLIENT_ID,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:

        def replica() -> tuple[Provider, TokenVerifier, Sessions]:
            provider = Provider(
                issuer=issuer,
                client_id=CLIENT_ID,
                client_secret=identity.client_secret,
                scope="openid",
                parameters={},
                client=http,
            )
            verifier = TokenVerifier(identity_provider(settings, provider.keys))
            sessions = Sessions(
                db, provider, verifier, idle=settings.idle, longest=settings.longest
            )
            return provider, verifier, sessions

        provider, verifier, one = replica()
        attempt = Attempt.begin("")
        url = await provider.authorization_url(
            redirect_uri=back,
            state=attempt.state,
            nonce=attempt.nonce,
            challenge=attempt.challenge,
            anew=False,
        )
        answer = await http.post(url, data={"person": "praxis"})
        code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
        tokens = await provider.redeem(code, verifier=attempt.verifier, redirect_uri=back)
        caller = await verifier.verify(tokens.access_token)
        over = replace(caller, expires_at=datetime.now(UTC))  # as if its term had passed
        cookie = await one.open(tokens, over, "")
        _, _, two = replica()
        found = await asyncio.gather(*(each.find(cookie) for each in [one, two] * 10))
        assert {session.fresh for session in found} == {True}
        assert len({session.refresh_token for session in found}) == 1
        assert found[0].refresh_token != tokens.refresh_token
        await one.end(cookie)
        with pytest.raises(NotLoggedIn):
            await two.find(cookie)
    await db.close()


async def test_a_refresh_that_gives_somebody_elses_token_ends_the_session(
    stack: Stack, tmp_path: Path
) -> None:
    """OpenID Connect Core 1.0, section 12.2: the subject has to be the same."""
    identity = Identity(tmp_path, "http://127.0.0.1:8427")
    settings = Settings.model_construct(auth_issuer=identity.issuer)
    keys = FixedKeys(read_keys(json.dumps(identity.jwks)))
    verifier = TokenVerifier(identity_provider(settings, keys))

    class Confused(Provider):
        async def refresh(self, refresh_token: str) -> Tokens:
            return tokens("assistenz")

    def tokens(subject: str) -> Tokens:
        token = identity.token(DEMO_PRACTICE.id, subject=subject, lifetime=1000)
        return Tokens(token, "refresh", None)

    db = await Database.connect(stack.dsn("dashboard"))
    try:
        async with http_client() as http:
            provider = Confused(
                issuer=identity.issuer,
                client_id=CLIENT_ID,
                client_secret="",
                scope="openid",
                parameters={},
                client=http,
            )
            sessions = Sessions(
                db, provider, verifier, idle=settings.idle, longest=settings.longest
            )
            own = tokens("leitung")
            cookie = await sessions.open(own, await verifier.verify(own.access_token), "")
            assert (await sessions.find(cookie)).access_token == own.access_token
            await in_database(stack, "refresh_at = now()")
            with pytest.raises(NotLoggedIn):
                await sessions.find(cookie)
    finally:
        await db.close()


async def test_a_stream_ends_in_order_before_its_token_does(stack: Stack) -> None:
    seconds = 0.25

    async def ready() -> bool:
        nonlocal seconds
        seconds *= 2  # for a machine on which nothing comes so soon
        response = await upstreams.open_stream(
            "status", "/v1/indicators/stream", token=stack.token(), headers={}
        )
        relayed = streams.relay(response, session=b"", until=time.time() + seconds)
        chunks = [chunk async for chunk in relayed]
        await response.aclose()
        assert chunks[-1] == RENEW
        return b"event: ready" in b"".join(chunks)

    streams = Streams(Sessions.__new__(Sessions))  # nobody looks
    async with Upstreams({"status": stack.url("status")}, streams=1) as upstreams:
        await eventually(ready, "what a stream begins with")


async def test_logging_out_ends_the_live_stream(visitor: Visitor, stack: Stack) -> None:
    """Within seconds, in whichever tab or replica it was."""
    await visitor.log_in()
    async with (
        visitor.http.stream("GET", stack.url("dashboard") + STREAM) as stream,
        http_client(cookies=visitor.http.cookies) as http,
    ):
        chunks = stream.aiter_bytes()
        await anext(chunks)
        ended = await http.delete(stack.url("dashboard") + "/api/session", headers=visitor.own)
        assert ended.status_code == 200
        async with asyncio.timeout(PATIENCE):
            assert RENEW not in b"".join([chunk async for chunk in chunks])
