"""The patient's language and calendar file, through the whole stack."""

import pytest

from chassis.wording import wordings
from contracts.languages import LANGUAGES
from tests.conftest import Stack
from tests.support import Json, Practice, eventually, http_client, unused_phone, utc
from tests.support.database import owner
from tests.support.mails import calendar_of


async def test_an_english_invitation_arrives_in_english_with_its_calendar_file(
    practice: Practice,
) -> None:
    created = await practice.create(locale="en", patient_name="Jürgen Müßig")
    assert created["locale"] == "en"
    mail = await practice.mail(created["email"])
    assert dict(mail["headers"])["Content-Language"] == "en"
    assert mail["subject"].startswith("Invitation to a video visit on ")
    assert "Hello Jürgen Müßig," in mail["text"]
    assert '<html lang="en" dir="ltr">' in mail["html"]
    calendar, event = calendar_of(mail)
    assert calendar["METHOD"] == "REQUEST"
    assert event["UID"] == created["id"]
    assert event["SUMMARY"] == "Video visit"
    assert event.decoded("DTSTART") == utc(created["start"])
    assert event["ATTENDEE"] == f"mailto:{created['email']}"
    assert event["URL"] in mail["text"]
    shown = await practice.scheduling.get(f"/v1/appointments/{created['id']}")
    assert shown.json()["locale"] == "en"


async def test_a_moved_appointment_meets_the_same_entry(practice: Practice) -> None:
    created = await practice.create()
    await practice.shows(created["id"], "delivered")
    path = f"/v1/appointments/{created['id']}"
    moved = (await practice.scheduling.patch(path, json={"time": "11:30", "notify": False})).json()
    await practice.resend(created["id"])

    async def both() -> list[Json] | None:
        mails = await practice.mails(created["email"])
        return mails if len(mails) == 2 else None

    (_, first), (_, second) = map(calendar_of, await eventually(both, "both mails"))
    assert first["UID"] == second["UID"]
    assert second["SEQUENCE"] > first["SEQUENCE"]
    assert second.decoded("DTSTART") == utc(moved["start"]) > first.decoded("DTSTART")


async def test_an_sms_in_english(practice: Practice) -> None:
    number = unused_phone()
    await practice.create(locale="en", channels=["sms"], phone=number, email=None)

    async def arrived() -> list[Json]:
        return await practice.texts(number)

    texts = await eventually(arrived, "the SMS")
    assert "invitation to your video visit on " in texts[-1]["text"]


async def test_without_a_choice_it_is_the_practice_s_language(
    practice: Practice, stack: Stack
) -> None:
    async with owner(stack, "scheduling") as connection:
        await connection.execute("UPDATE practices SET language = 'en' WHERE id = $1", practice.id)
    own = (await practice.scheduling.get("/v1/practice")).json()
    assert own["language"] == "en"
    assert (await practice.create())["locale"] == "en"
    assert (await practice.create(locale="de"))["locale"] == "de"


async def test_the_languages_to_choose_from(practice: Practice) -> None:
    own = (await practice.scheduling.get("/v1/practice")).json()
    assert own["language"] == "de"
    assert [each["code"] for each in own["languages"]] == list(wordings())
    assert {"code": "de", "name": "Deutsch"} in own["languages"]
    assert {"code": "ar", "name": "العربية"} in own["languages"]


@pytest.mark.parametrize("code", LANGUAGES)
async def test_mail_and_page_are_in_the_language_that_was_chosen(
    practice: Practice, code: str
) -> None:
    words = wordings()[code]
    created = await practice.create(locale=code)
    assert created["locale"] == code
    mail = await practice.mail(created["email"])
    assert dict(mail["headers"])["Content-Language"] == code
    assert words.say("Join the video visit with this link:") in mail["text"]
    assert f'<html lang="{code}" dir="{words.direction}">' in mail["html"]
    _, event = calendar_of(mail)
    assert event["SUMMARY"] == words.say("Video visit")
    async with http_client() as http:
        page = await http.get(str(event["URL"]))
    assert page.headers["Content-Language"] == code
    assert f'<html lang="{code}" dir="{words.direction}">' in page.text
    assert f"<h1>{words.say('Your video visit')}</h1>" in page.text


@pytest.mark.parametrize("locale", ["xx", "", "de-DE-extra", "../de", 7])
async def test_another_language_is_refused_by_name(practice: Practice, locale: object) -> None:
    response = await practice.post(practice.form(locale=locale))
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert [each["field"] for each in response.json()["errors"]] == ["locale"]
