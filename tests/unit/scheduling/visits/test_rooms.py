"""Rooms: nobody guesses them, they say nothing of the patient, and only the host leads."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from pydantic import ValidationError

from services.scheduling.appointments import Appointment
from services.scheduling.settings import Settings
from services.scheduling.visits.opening import Door, OpeningHours
from services.scheduling.visits.rooms import Role, Rooms
from services.scheduling.visits.settings import make_rooms
from tests.support.settings import KEY, SCHEDULING

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
SECRET = "s" * 32
JITSI = {
    "rooms": "jitsi",
    "room_key": KEY,
    "room_url": "https://meet.example.org",
    "jitsi_key": SECRET,
    "jitsi_issuer": "praxis",
    "jitsi_subject": "meet.example.org",
}
TEMPLATE = {
    "rooms": "template",
    "room_key": KEY,
    "room_url": "https://video.example.org/r/{room}?lang={language}",
    "room_host_url": "https://video.example.org/r/{room}?key={host_key}",
}
PEM = RSAKey.generate_key(2048).as_pem(private=True).decode()


def appointment(**changes: Any) -> Appointment:
    values: dict[str, Any] = {
        "id": UUID(int=7),
        "practice_id": UUID(int=1),
        "version": 1,
        "starts_at": NOW,
        "duration_minutes": 20,
        "patient_name": "Erika Mustermann",
        "email": "erika@example.org",
        "phone": None,
        "channels": (),
        "locale": "de",
        "consented_at": NOW,
        "invitation_id": UUID(int=8),
        "attempt": 1,
        "link_version": 1,
        "created_at": NOW,
        "created_by": "x",
        "updated_at": NOW,
    }
    return Appointment(**values | changes)


@cache  # reading settings costs more than making a link
def rooms(**settings: Any) -> Rooms:
    made = make_rooms(Settings(**SCHEDULING | settings))
    assert made is not None
    return made


def way_in(
    of: Rooms, role: Role, at: datetime = NOW, *, language: str = "de", **changes: Any
) -> str:
    visit = appointment(**changes)
    name = visit.patient_name if role is Role.PATIENT else "Hausarztpraxis"
    return of.way_in(visit, role, name=name, language=language, now=at)


def fragment(url: str) -> dict[str, str]:
    """What jitsi-meet reads there (parseURLParams.ts): JSON, its typographic quotes made plain."""
    parts = (part.split("=") for part in urlsplit(url).fragment.split("&"))
    read = {name: unquote(value).replace("\\&", "&") for name, value in parts}
    plain = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")
    return {name: json.loads(value.translate(plain)) for name, value in read.items()}


def claims(url: str, key: OctKey | RSAKey, algorithm: str) -> tuple[dict[str, Any], dict[str, Any]]:
    token = jwt.decode(fragment(url)["jwt"], key, algorithms=[algorithm])
    return token.header, token.claims


def test_jitsi_gets_a_token_for_one_person_and_one_room() -> None:
    url = way_in(rooms(**JITSI), Role.PATIENT)
    header, found = claims(url, OctKey.import_key(SECRET), "HS256")
    assert header == {"alg": "HS256", "typ": "JWT"}
    assert f"/{found['room']}" == urlsplit(url).path
    assert (found["aud"], found["iss"], found["sub"]) == ("jitsi", "praxis", "meet.example.org")
    assert found["context"]["user"] == {
        "id": "patient",
        "moderator": "false",
        "affiliation": "member",
    }
    assert found["nbf"] <= NOW.timestamp() < found["exp"]
    assert found["exp"] == (NOW + timedelta(minutes=20 + 60)).timestamp()
    assert fragment(url).keys() == {"jwt", "userInfo.displayName"}
    assert fragment(url)["userInfo.displayName"] == "Erika Mustermann"


@pytest.mark.parametrize(
    "name", ["Erika Mustermann", "Müller & Söhne", "“Kim” \\& Co=1#2?", "Łukasz Żółć", "李 娜 🩺"]
)
def test_no_server_is_told_the_patients_name(name: str) -> None:
    url = way_in(rooms(**JITSI), Role.PATIENT, patient_name=name)
    asked = urlsplit(url)._replace(fragment="").geturl()  # what a browser asks for (RFC 9110, 7.1)
    assert re.fullmatch(r"https://meet\.example\.org/[0-9a-f]{32}", asked)
    # jitsi-meet sends the token on in an address of its own
    _, found = claims(url, OctKey.import_key(SECRET), "HS256")
    assert name not in json.dumps(found, ensure_ascii=False)
    assert found["context"]["user"].keys() == {"id", "moderator", "affiliation"}
    assert fragment(url)["userInfo.displayName"] == name


def test_an_apostrophe_is_not_shown_as_its_html() -> None:
    url = way_in(rooms(**JITSI), Role.PATIENT, patient_name="Sinéad O'Neill")
    assert fragment(url)["userInfo.displayName"] == "Sinéad O\u2019Neill"


def test_the_practice_leads() -> None:
    url = way_in(rooms(**JITSI), Role.HOST)
    user = claims(url, OctKey.import_key(SECRET), "HS256")[1]["context"]["user"]
    assert (user["moderator"], user["affiliation"]) == ("true", "owner")
    assert user["name"] == "Hausarztpraxis"
    assert urlsplit(url).path == urlsplit(way_in(rooms(**JITSI), Role.PATIENT)).path


def test_jitsi_as_a_service_knows_the_key_by_its_id() -> None:
    service = JITSI | {
        "room_url": "https://8x8.vc/vpaas-magic-cookie-1/",
        "jitsi_algorithm": "RS256",
        "jitsi_key": PEM,
        "jitsi_key_id": "vpaas-magic-cookie-1/abc",
        "jitsi_issuer": "chat",
        "jitsi_subject": "vpaas-magic-cookie-1",
    }
    url = way_in(rooms(**service), Role.PATIENT)
    header, found = claims(url, RSAKey.import_key(PEM), "RS256")
    assert header["kid"] == "vpaas-magic-cookie-1/abc"
    assert url.startswith(f"https://8x8.vc/vpaas-magic-cookie-1/{found['room']}#jwt=")


def test_a_template_is_filled_in_without_the_patient() -> None:
    patient, host = (way_in(rooms(**TEMPLATE), role) for role in (Role.PATIENT, Role.HOST))
    room = urlsplit(patient).path
    assert patient == f"https://video.example.org{room}?lang=de"
    assert way_in(rooms(**TEMPLATE), Role.PATIENT, language="de-simple") == patient
    key = parse_qs(urlsplit(host).query)["key"][0]
    assert urlsplit(host).path == room
    assert key not in patient
    assert key not in room


@given(st.uuids(), st.uuids(), st.integers(1, 2**32 - 1), st.integers(1, 2**32 - 1))
def test_every_link_has_a_room_of_its_own(one: UUID, other: UUID, v1: int, v2: int) -> None:
    def room(of: UUID, version: int, **changes: Any) -> str:
        template = rooms(**TEMPLATE | changes)
        path = urlsplit(way_in(template, Role.PATIENT, id=of, link_version=version)).path
        name = path.removeprefix("/r/")
        assert len(name) == 32  # 128 bit
        assert name == name.lower()  # Jitsi knows no other
        assert of.hex not in path
        return name

    assert (room(one, v1) == room(other, v2)) == ((one, v1) == (other, v2))
    assert room(one, v1) != room(one, v1, room_key="B" * 43)


@given(
    st.timedeltas(timedelta(days=-90), timedelta(days=1800)),
    st.integers(5, 480),
    st.sampled_from(Role),
)
def test_a_way_in_holds_for_minutes_or_hours(
    ahead: timedelta, duration_minutes: int, role: Role
) -> None:
    start = NOW + ahead
    url = way_in(rooms(**JITSI), role, NOW, starts_at=start, duration_minutes=duration_minutes)
    found = claims(url, OctKey.import_key(SECRET), "HS256")[1]
    term = found["exp"] - NOW.timestamp()
    if ahead > timedelta(days=1):
        assert term == 15 * 60
    else:
        assert 3600 - 1 <= term <= 13 * 3600
        through = ahead + timedelta(minutes=duration_minutes)
        if timedelta(0) < through < timedelta(hours=12):
            assert term >= through.total_seconds()  # nobody is put out before the end


def test_the_way_in_holds_for_an_hour_after_a_late_start_as_well() -> None:
    late = NOW + timedelta(days=2)
    found = claims(way_in(rooms(**JITSI), Role.PATIENT, late), OctKey.import_key(SECRET), "HS256")
    assert found[1]["exp"] == (late + timedelta(hours=1)).timestamp()


@pytest.mark.parametrize(
    ("minutes", "after", "door"),
    [
        (-16, None, Door.EARLY),
        (-15, None, Door.OPEN),
        (0, 0, Door.OPEN),
        (20, 0, Door.OPEN),
        (21, 0, Door.CLOSED),
        (80, 60, Door.OPEN),
        (81, 60, Door.CLOSED),
        (60 * 24 * 60, None, Door.OPEN),
    ],
)
def test_the_door(minutes: int, after: int | None, door: Door) -> None:
    hours = OpeningHours(timedelta(minutes=15), None if after is None else timedelta(minutes=after))
    assert hours.door(appointment(), NOW + timedelta(minutes=minutes)) is door


def wrong() -> Iterator[tuple[dict[str, Any], str]]:
    yield JITSI | {"room_key": "short"}, "room_key"
    yield JITSI | {"room_url": ""}, "room_url"
    yield JITSI | {"room_url": "http://meet.example.org"}, "room_url"
    yield JITSI | {"room_url": "https://meet.example.org/?x=1"}, "room_url"
    yield JITSI | {"room_url": "javascript:alert(1)//"}, "room_url"
    yield JITSI | {"room_url": "https://a;b.example.org"}, "room_url"
    yield JITSI | {"room_url": "https://user@meet.example.org"}, "room_url"
    yield JITSI | {"jitsi_issuer": ""}, "jitsi_issuer"
    yield JITSI | {"jitsi_key": "short"}, "jitsi_key"
    yield JITSI | {"jitsi_algorithm": "RS256", "jitsi_key_id": "k"}, "jitsi_key"
    yield JITSI | {"jitsi_algorithm": "RS256", "jitsi_key": PEM}, "jitsi_key_id"
    yield JITSI | {"room_redirects_to": ["https://x.example.org; script-src *"]}, "redirects_to"
    yield TEMPLATE | {"room_url": "https://video.example.org/"}, "{room}"
    yield TEMPLATE | {"room_url": "https://{room}.example.org/"}, "room_url"
    yield TEMPLATE | {"room_url": "https://video.example.org/{room}/{name}"}, "placeholders"
    yield TEMPLATE | {"room_url": "https://video.example.org/{room}/{host_key}"}, "placeholders"
    yield TEMPLATE | {"room_url": "https://video.example.org/{room.__class__}"}, "placeholders"
    yield TEMPLATE | {"room_url": "https://video.example.org/{room!r:>99}"}, "placeholders"
    yield TEMPLATE | {"room_url": "https://video.example.org/{room"}, "braces"
    yield TEMPLATE | {"room_host_url": "http://video.example.org/{room}"}, "room_host_url"


@pytest.mark.parametrize(("settings", "named"), list(wrong()))
def test_rooms_nobody_could_enter_are_refused_by_name(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(**SCHEDULING | settings)
    assert named in str(refused.value)
    assert SECRET not in str(refused.value)
    assert "PRIVATE" not in str(refused.value)
