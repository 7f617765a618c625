"""HTTP in: what an SMS would say and cost, composed by the code that sends it.

Nothing is looked up and nothing is stored: the caller says what the text is made of.
"""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, Field

from chassis.auth import Caller, needs
from chassis.problems import NOT_VALID, FieldError, InvalidInput
from contracts.rights import Right
from services.notification.letters import sms as texts
from services.notification.letters import sms_segments as segments
from services.notification.letters.letter import Letter, UnusableLetter
from services.notification.letters.sms_segments import Encoding

YEARS = range(2000, 9001)

router = APIRouter(prefix="/v1/previews", tags=["previews"])


class SmsPreview(BaseModel):
    """The text as it would be sent; `used` of `room` units of so many segments are taken."""

    text: str
    encoding: Encoding
    extended: bool = Field(description="Has characters of the 7-bit alphabet's extension table.")
    segments: int = Field(description="So many SMS are paid for.")
    used: int = Field(description="Septets, or UTF-16 code units with UCS-2.")
    room: int


def _reckonable(moment: datetime) -> datetime:
    if moment.year not in YEARS:
        raise ValueError("out of range")
    return moment


@router.get("/sms")
async def preview_sms(
    _caller: Annotated[Caller, needs(Right.WRITE_APPOINTMENTS)],
    sender_name: Annotated[str, Query(min_length=1, max_length=300)],
    link: Annotated[str, Query(max_length=2000, description="As long as the real one.")],
    start: Annotated[
        datetime,
        AfterValidator(_reckonable),
        Query(description="Without an offset it is the wall clock of the time zone."),
    ],
    time_zone: Annotated[str, Query(max_length=100)],
    locale: Annotated[str, Query(max_length=20)] = "de",
    phone: Annotated[str, Query(max_length=20, description="The practice's, in E.164.")] = "",
) -> SmsPreview:
    """The invitation as an SMS, its encoding and how many segments it takes."""
    try:
        if start.tzinfo is None:
            start = start.replace(tzinfo=ZoneInfo(time_zone))
        text = texts.compose(_letter(sender_name, link, start, time_zone, locale, phone))
    except UnusableLetter as error:
        raise _unusable(str(error).partition(" ")[0]) from None
    except (KeyError, ValueError, OSError):
        raise _unusable("time_zone") from None
    encoding, count = segments.encoding_of(text), segments.count(text)
    return SmsPreview(
        text=text,
        encoding=encoding,
        extended=encoding is Encoding.GSM7 and any(segments.septets(each) == 2 for each in text),
        segments=count,
        used=segments.units(text),
        room=segments.room(encoding, count),
    )


def _unusable(field: str) -> InvalidInput:
    return InvalidInput([FieldError(field, "invalid", NOT_VALID)])


def _letter(
    sender_name: str, link: str, start: datetime, time_zone: str, locale: str, phone: str
) -> Letter:
    return Letter(
        recipient="",
        patient_name="",  # no SMS names the patient
        sender_name=sender_name,
        link=link,
        locale=locale,
        appointment_version=1,
        start=start,
        duration_minutes=0,
        time_zone=time_zone,
        phone=phone,
    )
