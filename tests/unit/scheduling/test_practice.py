"""What may be set of a practice: every fault named at once, every value in its normal form."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.problems import InvalidInput
from contracts.tariffs import Tariff
from contracts.terms import MAX_RETENTION_DAYS
from services.scheduling.practice import Practice, PracticeChange, contact, new_practice

ID = UUID(int=1)


def refused(settings: PracticeChange) -> list[str]:
    with pytest.raises(InvalidInput) as invalid:
        settings.checked()
    return [error["field"] for error in invalid.value.extras["errors"]]


def test_a_name_is_all_that_is_needed() -> None:
    assert new_practice(ID, PracticeChange(name=" Praxis  am See ")) == Practice(
        ID, "Praxis am See", "Europe/Berlin", Tariff.BASIC, "de", (1440, 60), MAX_RETENTION_DAYS
    )
    with pytest.raises(InvalidInput):
        new_practice(ID, PracticeChange(tariff="premium"))


def test_what_is_not_named_is_left_out_and_the_rest_is_in_its_normal_form() -> None:
    settings = PracticeChange(
        tariff="premium",
        reminders=[60, 2880, 60],
        retention_days=0,
        daily_messages=0,
        sms_countries=["de", "FR", "DE"],
    )
    assert settings.checked() == {
        "tariff": Tariff.PREMIUM,
        "reminders": (2880, 60),
        "retention_days": 0,
        "daily_messages": 0,
        "sms_countries": ("DE", "FR"),
    }
    assert PracticeChange().checked() == {}


def test_how_a_practice_is_reached_is_in_its_normal_form() -> None:
    settings = PracticeChange(
        phone="030 / 12 34 567",
        reply_address=" Praxis@Weiß.example ",
        postal_address=" Hauptstraße  1 \r\n\r\n12345 Berlin\n",
        asks_for_answer=False,
    )
    assert settings.checked() == {
        "phone": "+49301234567",
        "reply_address": "Praxis@xn--wei-7ka.example",
        "postal_address": "Hauptstraße 1\n12345 Berlin",
        "asks_for_answer": False,
    }
    daily = PracticeChange(daily_mail_address=" Leitung@Weiß.example ", daily_mail_hour=0)
    assert daily.checked() == {
        "daily_mail_address": "Leitung@xn--wei-7ka.example",
        "daily_mail_hour": 0,
    }
    nothing = PracticeChange(phone="", reply_address=" ", postal_address="\n")
    assert nothing.checked() == {"phone": "", "reply_address": "", "postal_address": ""}


@given(st.text(max_size=100))
def test_whatever_is_set_fits_the_events(text: str) -> None:
    for field in ("phone", "reply_address", "postal_address"):
        try:
            practice = new_practice(ID, PracticeChange(**{"name": "Praxis", field: text}))  # type: ignore[arg-type]
        except InvalidInput:
            continue
        contact(practice)


@pytest.mark.parametrize(
    "setting",
    [
        {"name": " "},
        {"phone": "12"},
        {"phone": "+49 30 1234567 ext. 5"},
        {"phone": "110"},
        {"daily_mail_address": "leitung@weiss.example\r\nBcc: x@y.example"},
        {"daily_mail_address": "lëitung@weiss.example"},
        {"daily_mail_hour": -1},
        {"daily_mail_hour": 24},
        {"reply_address": "praxis"},
        {"reply_address": "praxis@weiss.example\r\nBcc: x@y.example"},
        {"reply_address": "Praxis <praxis@weiss.example>"},
        {"reply_address": "präxis@weiss.example"},
        {"postal_address": "1\n2\n3\n4\n5\n6"},
        {"postal_address": "x" * 81},
        {"postal_address": "Haupt\u202estraße"},
        {"postal_address": "Haupt\x07straße"},
        {"name": "x" * 101},
        {"name": "Praxis\u202e"},
        {"time_zone": "Europe/Musterstadt"},
        {"time_zone": "localtime"},
        {"tariff": "Basic"},
        {"language": "tlh"},
        {"reminders": [1, 2, 3, 4, 5, 6]},
        {"reminders": [0]},
        {"reminders": [20161]},
        {"retention_days": MAX_RETENTION_DAYS + 1},
        {"retention_days": -1},
        {"daily_messages": -1},
        {"daily_sms_per_country": 1_000_001},
        {"sms_countries": ["DE", "Lettland"]},
    ],
)
def test_what_can_not_be_is_refused_by_name(setting: dict[str, Any]) -> None:
    assert refused(PracticeChange(**setting)) == list(setting)


def test_all_faults_are_told_at_once() -> None:
    wrong = PracticeChange(name="Gut", tariff="gold", language="xx", retention_days=400)
    assert refused(wrong) == ["tariff", "language", "retention_days"]
