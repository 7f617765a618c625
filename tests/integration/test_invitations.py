"""From „Einladen" to the tick, the mark and „Erneut senden", through the public APIs alone."""

import asyncio
import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support import Json, Practice, eventually, unknown_address, utc
from tests.support.mails import link_in
from tests.support.moments import clock_change


async def test_an_accepted_invitation_ends_in_a_tick(practice: Practice) -> None:
    created = await practice.create()
    shown = await practice.shows(created["id"], "delivered")
    channel = shown["channels"]["email"]
    assert (channel["state"], channel["evidence"]) == ("delivered", "accepted")
    types = [entry["type"] for entry in shown["history"]]
    assert types == ["requested", "pending", "delivered"]

    mail = await practice.mail(created["email"])
    assert "Erika Mustermann" in mail["text"]
    assert "10:00" in mail["text"]
    assert mail["html"]
    link = re.search(r"http\S+/besuch/\S+", mail["text"])
    assert link is not None
    page = await practice.scheduling.get(link[0], headers={"Authorization": ""})
    assert page.status_code == 200
    assert "Videosprechstunde" in page.text
    assert "10:00 Uhr" in page.text


async def test_a_refused_address_ends_in_the_mark_and_no_mail(practice: Practice) -> None:
    address = unknown_address()
    created = await practice.create(email=address)
    shown = await practice.shows(created["id"], "failed")
    channel = shown["channels"]["email"]
    assert (channel["category"], channel["status_code"]) == ("permanent", "5.1.1")
    assert channel["evidence"] is None
    assert await practice.mails(address) == []


async def test_a_corrected_address_turns_the_mark_into_a_tick(practice: Practice) -> None:
    created = await practice.create(email=unknown_address())
    await practice.shows(created["id"], "failed")
    right = practice.form()["email"]
    again = await practice.resend(created["id"], email=right)
    assert again["invitation"] == {
        "id": created["invitation"]["id"],
        "attempt": 2,
        "link_version": 2,
        "renews_link": False,
        "unsent": [],
    }
    assert again["email"] == right
    shown = await practice.shows(created["id"], "delivered", attempt=2)
    assert [entry["attempt"] for entry in shown["history"]] == [1, 1, 1, 2, 2, 2]
    await practice.mail(right)


async def test_a_busy_server_is_tried_again(practice: Practice) -> None:
    address = f"einmal-spaeter+{uuid4().hex[:8]}@example.org"
    created = await practice.create(email=address)
    shown = await practice.shows(created["id"], "delivered")
    retried = [entry for entry in shown["history"] if entry["type"] == "pending"]
    assert [entry["status_code"] for entry in retried] == [None, "4.3.0"]
    await practice.mail(address)


async def test_resending_to_another_address_voids_the_first_link(practice: Practice) -> None:
    created = await practice.create()
    old = link_in(await practice.mail(created["email"]))
    other = practice.form()["email"]
    await practice.resend(created["id"], email=other)
    new = link_in(await practice.mail(other))
    assert old != new
    assert (await practice.scheduling.get(old)).status_code == 404
    assert (await practice.scheduling.get(new)).status_code == 200


async def test_resending_to_the_same_address_keeps_the_link(practice: Practice) -> None:
    created = await practice.create()
    await practice.shows(created["id"], "delivered")
    await practice.resend(created["id"])
    await practice.shows(created["id"], "delivered", attempt=2)
    first, second = await practice.mails(created["email"])
    assert link_in(first) == link_in(second)


async def test_moving_keeps_the_link_and_deleting_kills_it(practice: Practice) -> None:
    created = await practice.create()
    link = link_in(await practice.mail(created["email"]))
    path = f"/v1/appointments/{created['id']}"
    moved = await practice.scheduling.patch(path, json={"time": "16:45", "duration_minutes": 45})
    assert moved.status_code == 200
    assert (moved.json()["time"], moved.json()["duration_minutes"]) == ("16:45", 45)
    assert "16:45 Uhr" in (await practice.scheduling.get(link)).text

    assert (await practice.scheduling.delete(path)).status_code == 204
    assert (await practice.scheduling.get(link)).status_code == 404
    assert (await practice.scheduling.get(path)).status_code == 404

    async def gone() -> bool:
        return await practice.indicator(created["id"]) is None

    await eventually(gone, "no indicator of a deleted appointment")


async def test_the_day_lists_what_is_on_it_in_order(practice: Practice) -> None:
    late = await practice.create(time="15:00")
    early = await practice.create(time="08:00")
    day = await practice.scheduling.get("/v1/appointments", params={"date": early["date"]})
    assert [each["id"] for each in day.json()["appointments"]] == [early["id"], late["id"]]
    assert utc(early["start"]) < utc(late["start"])
    empty = await practice.scheduling.get("/v1/appointments", params={"date": "2030-01-01"})
    assert empty.json()["appointments"] == []


async def test_named_appointments_come_by_start_and_unknown_ones_are_left_out(
    practice: Practice,
) -> None:
    late = await practice.create(time="15:00")
    early = await practice.create(time="08:00")
    gone = await practice.create()
    untold = {"notify": False}  # else it is named until the patient knows
    await practice.scheduling.delete(f"/v1/appointments/{gone['id']}", params=untold)
    asked = {"id": [late["id"], gone["id"], str(uuid4()), early["id"], early["id"]]}
    answer = await practice.scheduling.get("/v1/appointments", params=asked)
    found = {"time_zone": "Europe/Berlin", "appointments": [early, late]}
    assert answer.json() == found | {"kind": "ids"}


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ({}, "date", "missing"),
        ({"date": "2030-01-01", "id": [str(uuid4())]}, "id", "not_with_date"),
        ({"id": ["x"]}, "id.0", "invalid"),
        ({"id": [str(uuid4()) for _ in range(101)]}, "id", "invalid"),
    ],
)
async def test_a_list_is_asked_for_by_day_or_by_at_most_a_hundred_ids(
    practice: Practice, query: Json, field: str, code: str
) -> None:
    answer = await practice.scheduling.get("/v1/appointments", params=query)
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert (error["field"], error["code"]) == (field, code)


async def test_the_same_request_twice_is_carried_out_once(practice: Practice) -> None:
    body, key = practice.form(), uuid4().hex
    answers = await asyncio.gather(*(practice.post(body, key) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    replayed = [answer.headers.get("Idempotent-Replayed") for answer in answers]
    assert sorted(replayed, key=str) == [None, *["true"] * 4]
    await practice.shows(answers[0].json()["id"], "delivered")
    await practice.mail(body["email"])


async def test_a_key_is_refused_for_another_request(practice: Practice) -> None:
    key = uuid4().hex
    assert (await practice.post(practice.form(), key)).status_code == 201
    reused = await practice.post(practice.form(), key)
    assert reused.status_code == 422
    assert reused.json()["code"] == "idempotency-key-reused"


async def test_resending_twice_under_one_key_is_one_attempt(practice: Practice) -> None:
    created = await practice.create()
    await practice.shows(created["id"], "delivered")
    key = uuid4().hex
    attempts = [
        (await practice.resend(created["id"], key=key))["invitation"]["attempt"] for _ in range(2)
    ]
    assert attempts == [2, 2]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"patient_name": " "}, "patient_name", "missing"),
        ({"patient_name": 7}, "patient_name", "invalid"),
        ({"channels": []}, "channels", "no_channel"),
        ({"channels": ["fax"]}, "channels", "invalid"),
        ({"channels": ["sms"]}, "phone", "missing"),
        ({"channels": ["sms"], "phone": "030 901820"}, "phone", "landline"),
        ({"email": ""}, "email", "missing"),
        ({"email": "erika@"}, "email", "invalid"),
        ({"phone": "123"}, "phone", "too_short"),
        ({"date": ""}, "date", "missing"),
        ({"date": "2026-13-01"}, "date", "invalid"),
        ({"date": "2020-01-01"}, "date", "past"),
        ({"time": ""}, "time", "missing"),
        ({"time": "25:00"}, "time", "invalid"),
        ({"date": clock_change(back=False), "time": "02:30"}, "time", "nonexistent_time"),
        ({"date": clock_change(back=True), "time": "02:30"}, "time", "ambiguous_time"),
        ({"duration_minutes": None}, "duration_minutes", "missing"),
        ({"duration_minutes": 4}, "duration_minutes", "out_of_range"),
        ({"duration_minutes": 481}, "duration_minutes", "out_of_range"),
        ({"duration_minutes": "20 Minuten"}, "duration_minutes", "invalid"),
        ({"consent": False}, "consent", "consent_required"),
        ({"locale": "xx"}, "locale", "invalid"),
        ({"surprise": 1}, "surprise", "unknown"),
    ],
)
async def test_bad_input_names_its_field_and_changes_nothing(
    practice: Practice, changes: Json, field: str, code: str
) -> None:
    response = await practice.post(practice.form(**changes))
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    errors = response.json()["errors"]
    assert (field, code) in {(error["field"], error["code"]) for error in errors}
    assert all(error["message"] for error in errors)
    day = await practice.scheduling.get(
        "/v1/appointments", params={"date": practice.form()["date"]}
    )
    assert day.json()["appointments"] == []


async def test_all_faults_are_told_at_once(practice: Practice) -> None:
    response = await practice.post(
        practice.form(patient_name="", email="", time="", duration_minutes=None, consent=False)
    )
    fields = {error["field"] for error in response.json()["errors"]}
    assert fields == {"patient_name", "email", "time", "duration_minutes", "consent"}


async def test_a_doubled_hour_is_offered_and_chosen(practice: Practice) -> None:
    body = practice.form(date=clock_change(back=True), time="02:30")
    [error] = (await practice.post(body)).json()["errors"]
    assert error["options"] == ["+02:00", "+01:00"]
    starts = [
        (await practice.create(**body, utc_offset=offset))["start"] for offset in error["options"]
    ]
    assert [utc(start).hour for start in starts] == [0, 1]


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 400), (b"[]", 422), (b"\xff", 400), (b"{}" + b" " * 70_000, 413)],
)
async def test_what_is_no_form_is_refused(practice: Practice, content: bytes, status: int) -> None:
    response = await practice.scheduling.post(
        "/v1/appointments", content=content, headers={"Content-Type": "application/json"}
    )
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_stale_view_does_not_overwrite(practice: Practice) -> None:
    created = await practice.create()
    path, stale = f"/v1/appointments/{created['id']}", {"If-Match": '"1"'}
    first = await practice.scheduling.patch(path, json={"time": "11:00"}, headers=stale)
    assert first.status_code == 200
    assert first.headers["etag"] == '"2"'
    second = await practice.scheduling.patch(path, json={"time": "12:00"}, headers=stale)
    assert second.status_code == 412


DEEDS: dict[str, tuple[str, str, dict[str, str] | None]] = {
    "move": ("PATCH", "", {"time": "11:00"}),
    "send again": ("POST", "/invitations", {}),
    "erase": ("POST", "/erasure", None),
    "delete": ("DELETE", "", None),
}


@pytest.mark.parametrize("deed", DEEDS)
async def test_every_deed_heeds_what_its_doer_has_seen(practice: Practice, deed: str) -> None:
    """If-Match as RFC 9110, section 13.1.1, has it: compared strongly, in lists, or any."""
    method, path, body = DEEDS[deed]
    created = await practice.create()
    here = f"/v1/appointments/{created['id']}"

    async def answer(*if_match: str) -> tuple[int, str | None]:
        lines = [("If-Match", each) for each in if_match]
        told = await practice.scheduling.request(method, here + path, json=body, headers=lines)
        return told.status_code, told.json()["code"] if told.is_error else None

    for stale in ('"2"', 'W/"1"', '"2", W/"1"', '"01"', '"somebody-else"', ""):
        assert await answer(stale) == (412, "changed"), stale
    for malformed in ("1", '"1', '*, "1"', '"1" "2"'):
        assert await answer(malformed) == (400, "bad-etag"), malformed
    assert (await practice.scheduling.get(here)).headers["etag"] == '"1"'
    assert (await answer('"2"', '"7", "1"'))[0] < 300


async def test_nobody_without_a_valid_token(practice: Practice) -> None:
    for client in (practice.scheduling, practice.status):
        for token in ("", "Bearer x", "Basic eDp5", "Bearer e30.e30.e30"):
            path = "/v1/practice" if client is practice.scheduling else f"/v1/indicators/{uuid4()}"
            response = await client.get(path, headers={"Authorization": token})
            assert response.status_code == 401
            assert response.headers["content-type"] == "application/problem+json"


async def test_another_practice_sees_and_does_nothing(
    practice: Practice, other_practice: Practice
) -> None:
    created = await practice.create()
    await practice.shows(created["id"], "delivered")
    path = f"/v1/appointments/{created['id']}"
    stranger: httpx.AsyncClient = other_practice.scheduling
    attempts: list[Any] = [
        stranger.get(path),
        stranger.patch(path, json={"time": "11:00"}),
        stranger.delete(path),
        stranger.post(f"{path}/invitations", json={}),
        other_practice.status.get(f"/v1/indicators/{created['id']}"),
    ]
    assert {response.status_code for response in await asyncio.gather(*attempts)} == {404}
    bulk = await other_practice.status.get(
        "/v1/indicators", params={"appointment_id": created["id"]}
    )
    assert bulk.json()["indicators"] == []
    day = await stranger.get("/v1/appointments", params={"date": created["date"]})
    assert day.json()["appointments"] == []
    assert (await practice.scheduling.get(path)).json()["version"] == 1
