"""The simulated phones: how the gateway answers for a number, and what it tells later."""

from dataclasses import dataclass
from enum import StrEnum

FILM_NUMBERS = "+4917139200"  # and two digits


class Reply(StrEnum):
    """How the sending of a message is answered."""

    TAKEN = "taken"
    INVALID = "invalid"
    TEXT_REFUSED = "text refused"
    BUSY_ONCE = "busy once"  # 429
    DOWN_ONCE = "down once"  # 503
    TAKEN_AND_CUT = "taken and cut"
    CUT = "cut"
    RECEIPT_FIRST = "receipt first"  # the receipt goes out before the reply


@dataclass(frozen=True, slots=True)
class Step:
    """A receipt, `after` so many delays. An older one does not change what is known."""

    after: float
    state: str
    code: str | None = None
    older: bool = False


@dataclass(frozen=True, slots=True)
class Phone:
    """How messages to one number fare."""

    reply: Reply = Reply.TAKEN
    steps: tuple[Step, ...] = (Step(1, "delivered"),)
    copies: int = 1


DELIVERS = Phone()
FAILS = Phone(steps=(Step(1, "failed", "unknown_number"),))
PHONES = {
    "02": FAILS,
    "03": Phone(steps=()),
    "04": Phone(steps=(Step(20, "delivered"),)),
    "05": Phone(Reply.INVALID),
    "06": Phone(Reply.BUSY_ONCE),
    "07": Phone(copies=2),
    "08": Phone(Reply.RECEIPT_FIRST, (Step(0, "delivered"),)),
    "09": Phone(steps=(Step(1, "buffered"), Step(4, "delivered"))),
    "10": Phone(steps=(Step(1, "buffered"), Step(4, "expired"))),
    "11": Phone(Reply.TAKEN_AND_CUT),
    "12": Phone(Reply.CUT),
    "13": Phone(steps=(Step(1, "delivered"), Step(2, "buffered", older=True))),
    "14": Phone(steps=(Step(1, "delivered"), Step(4, "failed", "unreachable"))),
    "15": Phone(Reply.DOWN_ONCE),
    "16": Phone(steps=(Step(1, "rejected", "blocked"),)),
    "17": Phone(Reply.TEXT_REFUSED),
}


def phone(number: str) -> Phone:
    """The phone behind a number in E.164."""
    if number.startswith(FILM_NUMBERS) and len(number) == len(FILM_NUMBERS) + 2:
        return PHONES.get(number[-2:], DELIVERS)
    return DELIVERS
