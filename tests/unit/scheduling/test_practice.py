"""What may be set of a practice: every fault named at once, every value in its normal form."""

from typing import Any
from uuid import UUID

import pytest

from chassis.problems import InvalidInput
from contracts.tariffs import Tariff
from contracts.terms import MAX_RETENTION_DAYS
from services.scheduling.practice import Practice, PracticeChange, new_practice

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


@pytest.mark.parametrize(
    "setting",
    [
        {"name": " "},
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
