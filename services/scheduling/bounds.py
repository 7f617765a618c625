"""How much may be written to patients within a day, so that a leaked key or a loop does no more.

Pure. A bound counts letters: one attempt or notice over one channel.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.tariffs import Tariff
from services.scheduling.practice import Practice

DAY = timedelta(days=1)
COUNTRIES = ("DE", "AT", "CH")
PER_TARIFF = {Tariff.BASIC: 1000, Tariff.STANDARD: 2000, Tariff.PREMIUM: 10_000}


class Bound(StrEnum):
    """What is written to too often."""

    APPOINTMENT = "appointment"
    ADDRESS = "address"
    COUNTRY = "country"
    PRACTICE = "practice"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of this installation, in letters a day. A practice's own, where it has them, go first."""

    per_appointment: int = 10  # over one channel
    per_address: int = 20
    per_tariff: Mapping[Tariff, int] = field(default_factory=lambda: PER_TARIFF)
    sms_per_country: int = 1000  # of one practice
    sms_countries: Collection[str] = COUNTRIES  # ISO 3166-1

    def countries(self, practice: Practice) -> Collection[str]:
        """Whose numbers this practice may write to."""
        return practice.sms_countries or self.sms_countries

    def most(self, bound: Bound, practice: Practice) -> int:
        """How many letters a day the practice may write before this bound holds it up."""
        match bound:
            case Bound.APPOINTMENT:
                return self.per_appointment
            case Bound.ADDRESS:
                return self.per_address
            case Bound.COUNTRY:
                return practice.daily_sms_per_country or self.sms_per_country
            case Bound.PRACTICE:
                return practice.daily_messages or self.per_tariff[practice.tariff]


def free_again(counted: Mapping[Bound, datetime | None]) -> tuple[Bound, datetime] | None:
    """The bound that holds a letter up longest, and until when; None where none does.

    `counted` is when the oldest letter was written of as many as the bound allows within a day.
    """
    reached = {bound: at + DAY for bound, at in counted.items() if at is not None}
    if not reached:
        return None
    bound = max(reached, key=lambda each: reached[each])
    return bound, reached[bound]
