"""The audit log tells who did what, can't be changed, and holds nothing of the patient."""

import csv
import io
import re
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx

from services.scheduling.audit import export as audit_export
from tests.conftest import Stack
from tests.support import Json, Practice
from tests.support.database import owner
from tests.support.keys import admin, bearer, new_key

LOG = "/v1/audit"


async def entries(practice: Practice, **query: str) -> list[Json]:
    """The log, oldest first."""
    answer = await practice.scheduling.get(LOG, params={"limit": "200"} | query)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["entries"]
    return found[::-1]


def deeds(found: list[Json]) -> list[str]:
    return [entry["action"] for entry in found]


def as_person(stack: Stack, practice: Practice, subject: str, name: str) -> dict[str, str]:
    claims = {"aud": "einladung", "sub": subject, "name": name, "roles": ["assistant"]}
    token = stack.sign(claims | {"practice_id": str(practice.id)})
    return {"Authorization": f"Bearer {token}"}


async def test_every_deed_leaves_an_entry_with_who_and_what(
    practice: Practice, stack: Stack
) -> None:
    created = await practice.create(patient_name="Paula Protokoll")
    path = f"/v1/appointments/{created['id']}"
    await practice.resend(created["id"], email="neu-protokoll@example.org")
    moved = {"duration_minutes": 45}
    assert (await practice.scheduling.patch(path, json=moved)).status_code == 200
    headers = as_person(stack, practice, "auth0|7", "Anna\tAssistenz")
    assert (await practice.scheduling.get(path, headers=headers)).status_code == 200
    assert (await practice.scheduling.delete(path)).status_code == 204

    found = await entries(practice)
    assert deeds(found) == [
        "appointment_created",
        "invitation_resent",
        "appointment_rescheduled",
        "contact_data_read",
        "appointment_deleted",
    ]
    assert {tuple(entry["appointment_ids"]) for entry in found} == {(created["id"],)}
    assert [entry["changed"] for entry in found] == [[], ["email"], ["duration_minutes"], [], []]
    assert found[3]["actor"] == {
        "kind": "person",
        "id": "auth0|7",
        "name": "Anna Assistenz",
        "roles": ["assistant"],
    }
    assert found[0]["actor"]["roles"] == ["practitioner", "appointment_admin"]
    assert len({entry["trace_id"] for entry in found}) == 5
    whole = (await practice.scheduling.get(LOG)).text
    assert "Paula" not in whole
    assert "example.org" not in whole


async def test_each_entry_is_named_by_day_and_time_as_they_are_until_the_data_are_erased(
    practice: Practice,
) -> None:
    kept = await practice.create(patient_name="Paula Protokoll", time="09:00")
    moved = await practice.create(time="10:00")
    deleted = await practice.create(time="11:00")
    erased = await practice.create(time="12:00")
    paths = {each["id"]: f"/v1/appointments/{each['id']}" for each in (moved, deleted, erased)}
    change = {"time": "09:30"}
    assert (await practice.scheduling.patch(paths[moved["id"]], json=change)).status_code == 200
    assert (await practice.scheduling.delete(paths[deleted["id"]])).status_code == 204
    erasure = f"{paths[erased['id']]}/erasure"
    assert (await practice.scheduling.post(erasure)).status_code in (202, 204)

    log = (await practice.scheduling.get(LOG)).json()
    assert [
        (each["id"], each["date"], each["time"], each["deleted"]) for each in log["appointments"]
    ] == [
        (kept["id"], kept["date"], "09:00", False),
        (moved["id"], moved["date"], "09:30", False),
        (deleted["id"], deleted["date"], "11:00", True),
    ]
    assert log["appointments"][0]["start"] == kept["start"]
    assert "Paula" not in str(log)
    # What was looked up to name them is no reading of a patient's data.
    assert (await practice.scheduling.get(LOG)).json() == log
    one = (await practice.scheduling.get(LOG, params={"appointment_id": moved["id"]})).json()
    assert [each["id"] for each in one["appointments"]] == [moved["id"]]


async def test_what_is_refused_leaves_no_entry(practice: Practice) -> None:
    assert (await practice.post(practice.form(consent=False))).status_code == 422
    assert (await practice.scheduling.get(f"/v1/appointments/{uuid4()}")).status_code == 404
    assert await entries(practice) == []


async def test_reading_is_noted_once_an_hour_for_each_reader_and_appointment(
    practice: Practice, stack: Stack
) -> None:
    first = await practice.create()
    day = {"date": first["date"]}

    async def read(headers: dict[str, str] | None = None) -> None:
        for _ in range(3):
            await practice.scheduling.get("/v1/appointments", params=day, headers=headers)
            await practice.scheduling.get(f"/v1/appointments/{first['id']}", headers=headers)

    async def readings() -> list[list[str]]:
        found = await entries(practice)
        return [one["appointment_ids"] for one in found if one["action"] == "contact_data_read"]

    await read()
    assert await readings() == [[first["id"]]]
    second = await practice.create()
    await read()
    assert await readings() == [[first["id"]], [second["id"]]]
    await read(as_person(stack, practice, "somebody-else", "Else"))
    assert len(await readings()) == 3
    third_ids = (await readings())[2]
    assert set(third_ids) == {first["id"], second["id"]}

    of_one = await entries(practice, appointment_id=second["id"])
    assert deeds(of_one) == ["appointment_created", "contact_data_read", "contact_data_read"]


async def test_repeating_a_request_under_its_key_counts_as_reading(practice: Practice) -> None:
    form = practice.form()
    for _ in range(2):
        assert (await practice.post(form, key="again")).status_code == 201
    assert deeds(await entries(practice)) == ["appointment_created", "contact_data_read"]


async def test_a_clinic_system_and_the_operator_are_named(practice: Practice, stack: Stack) -> None:
    key = await new_key(stack, practice.id, "appointments:write", "appointments:read")
    headers = await bearer(stack, key)
    answer = await practice.scheduling.post(
        "/v1/appointments", json=practice.form(), headers=headers
    )
    assert answer.status_code == 201
    assert (await practice.scheduling.get(LOG, headers=headers)).status_code == 403
    assert (await admin(stack, "key", "revoke", key[0]))[0] == 0
    found = await entries(practice)
    assert deeds(found) == ["api_key_created", "appointment_created", "api_key_revoked"]
    assert [entry["actor"]["kind"] for entry in found] == ["operator", "api_key", "operator"]
    assert found[0]["actor"]["id"] == found[2]["actor"]["id"] == "operator:cli"
    assert found[1]["actor"]["id"] == key[0]
    assert [entry["changed"] for entry in found] == [[key[0]], [], [key[0]]]


async def test_pages_fit_together_and_days_bound_them(practice: Practice) -> None:
    made = [(await practice.create())["id"] for _ in range(5)]
    seen: list[str] = []
    query = {"limit": "2"}
    for _ in range(3):
        answer = (await practice.scheduling.get(LOG, params=query)).json()
        seen += [entry["appointment_ids"][0] for entry in answer["entries"]]
        query["before"] = str(answer["next"])
    assert answer["next"] is None
    assert seen == made[::-1]
    today = (await entries(practice))[0]["at"][:10]
    assert len(await entries(practice, **{"from": "2020-01-01", "to": "2999-01-01"})) == 5
    assert await entries(practice, to="2020-01-01") == []
    assert len(today) == 10
    refused = await practice.scheduling.get(LOG, params={"from": "9999-12-31"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "from")


async def test_the_view_and_the_file_use_the_same_words(practice: Practice) -> None:
    await practice.create()
    page = (await practice.scheduling.get(LOG)).json()
    exported = (await practice.scheduling.post(f"{LOG}/export")).content.decode("utf-8-sig")
    *_, created = csv.DictReader(io.StringIO(exported), delimiter=";")
    [entry], labels = page["entries"], page["labels"]
    assert created["Was"] == labels["actions"][entry["action"]] == "Termin erstellt"
    assert created["Wer"] == labels["kinds"][entry["actor"]["kind"]]
    assert created["Rollen"] == ", ".join(labels["roles"][role] for role in entry["actor"]["roles"])


async def test_no_practice_sees_anothers_log(practice: Practice, other_practice: Practice) -> None:
    created = await practice.create()
    assert await entries(other_practice) == []
    assert await entries(other_practice, appointment_id=created["id"]) == []
    exported = await other_practice.scheduling.post(f"{LOG}/export")
    assert created["id"] not in exported.text


async def test_the_export_is_safe_to_open_and_tells_of_itself(
    practice: Practice, stack: Stack
) -> None:
    created = await practice.create()
    formula = '=HYPERLINK("https://example.org")'
    headers = as_person(stack, practice, "@SUM(1)", formula)
    await practice.scheduling.get(f"/v1/appointments/{created['id']}", headers=headers)
    answer = await practice.scheduling.post(f"{LOG}/export")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="protokoll-')
    text = answer.content.decode("utf-8-sig")
    assert all(line.startswith('"') and line.endswith('"') for line in text.splitlines())
    header, *rows = csv.reader(io.StringIO(text), delimiter=";")
    assert header == [*audit_export.HEADER]
    assert [row[5] for row in rows] == [
        "Protokoll exportiert",
        "Kontaktdaten gelesen",
        "Termin erstellt",
    ]
    assert rows[1][2:4] == ["'@SUM(1)", f"'{formula}"]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert [int(row[9]) for row in rows] == [3, 2, 1]
    assert all(re.fullmatch("[0-9a-f]{64}", row[10]) for row in rows)


async def test_the_trace_id_is_ours(practice: Practice) -> None:
    foreign = {"traceparent": f"00-{'deadbeef' * 4}-00000000000000aa-01"}
    for _ in range(2):
        answer = await practice.scheduling.post(
            "/v1/appointments", json=practice.form(), headers=foreign
        )
        assert answer.status_code == 201
    traces = {entry["trace_id"] for entry in await entries(practice)}
    assert len(traces) == 2
    assert "deadbeef" * 4 not in traces


async def test_what_is_changed_by_the_owner_is_found_by_what_was_kept(
    practice: Practice, other_practice: Practice, stack: Stack, tmp_path: Path
) -> None:
    await practice.create()
    await other_practice.create()
    exported, heads = tmp_path / "protokoll.csv", tmp_path / "heads"
    exported.write_bytes((await practice.scheduling.get(f"{LOG}/export")).content)
    code, told = await admin(stack, "audit", "verify")
    assert (code, f"{practice.id}  2  " in told) == (0, True)
    heads.write_text(told)
    of_export = ("--export", str(exported), "--practice", str(practice.id))
    kept = ("--kept", str(heads))
    await practice.create()  # goes on
    code, told = await admin(stack, "audit", "verify", *kept, *of_export)
    assert code == 0, told

    async with owner(stack, "scheduling") as database:
        for statement in (
            "ALTER TABLE audit_entries DISABLE TRIGGER append_only",
            f"UPDATE audit_entries SET actor_name = 'Else' WHERE practice_id = '{practice.id}'"
            " AND number = 1",
        ):
            await database.execute(statement)
        code, told = await admin(stack, "audit", "verify")
        assert (code, f"{practice.id}: entry 1 was changed" in told) == (1, True)
        assert f"{other_practice.id}: " not in told
        # and who can reckon reckons all that comes after it anew
        await database.execute(
            f"""
            DO $$ DECLARE entry audit_entries; last bytea := decode(repeat('00', 32), 'hex');
            BEGIN
                FOR entry IN SELECT * FROM audit_entries WHERE practice_id = '{practice.id}'
                    ORDER BY number LOOP
                    last := audit_digest(last, entry.number, entry);
                    UPDATE audit_entries SET digest = last WHERE id = entry.id;
                END LOOP;
                UPDATE audit_chains SET digest = last WHERE chain = '{practice.id}';
            END $$
            """
        )
        await database.execute("ALTER TABLE audit_entries ENABLE TRIGGER append_only")
    assert (await admin(stack, "audit", "verify"))[0] == 0
    for keeping, number in ((kept, 2), (of_export, 1)):
        code, told = await admin(stack, "audit", "verify", *keeping)
        assert code == 1
        assert f"{practice.id}: entry {number} is not what it was when it was kept" in told
        assert f"{other_practice.id}: " not in told
    for wrong in (("--export", str(heads)), ("--kept", str(tmp_path / "nothing"))):
        assert (await admin(stack, "audit", "verify", *wrong))[0] == 1


async def test_an_entry_is_never_without_its_deed(practice: Practice, stack: Stack) -> None:
    """The log can't be written: then nothing is done, and the answer says so."""
    database = await asyncpg.connect(stack.owner_dsn("scheduling"))
    check = f"CONSTRAINT broken CHECK (practice_id <> '{practice.id}')"
    try:
        await database.execute(f"ALTER TABLE audit_entries ADD {check} NOT VALID")
        refused: httpx.Response = await practice.post(practice.form())
        assert refused.status_code == 500
    finally:
        await database.execute("ALTER TABLE audit_entries DROP CONSTRAINT IF EXISTS broken")
        await database.close()
    day = await practice.scheduling.get(
        "/v1/appointments", params={"date": practice.form()["date"]}
    )
    assert day.json()["appointments"] == []
