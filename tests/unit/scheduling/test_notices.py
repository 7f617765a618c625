"""Notices: when reminders are due, across daylight saving and in any zone, and whom they reach."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.events import NoticeKind, NoticeRequested
from contracts.tariffs import Tariff
from services.scheduling.appointments import Appointment
from services.scheduling.notices import DueNotice, reminder_time, reminders, requested, to_send
from services.scheduling.practice import Practice

BERLIN = ZoneInfo("Europe/Berlin")
# The last in the list changes its clocks by half an hour only.
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC", "Australia/Lord_Howe"]
NOW = datetime(2026, 10, 1, tzinfo=UTC)
START = datetime(2026, 10, 26, 10, 0, tzinfo=BERLIN)


def practice(**changes: object) -> Practice:
    known: dict[str, object] = {
        "id": UUID(int=1),
        "name": "Praxis",
        "time_zone": "Europe/Berlin",
        "tariff": Tariff.STANDARD,
        "reminders": (1440, 60),
    }
    return Practice(**{**known, **changes})  # type: ignore[arg-type]


def appointment(*channels: Channel) -> Appointment:
    return Appointment(
        id=UUID(int=2),
        practice_id=UUID(int=1),
        version=3,
        starts_at=START.astimezone(UTC),
        duration_minutes=20,
        patient_name="Erika Mustermann",
        email="erika@example.org",
        phone="+4915123456789",
        channels=channels,
        locale="de",
        consented_at=NOW,
        invitation_id=UUID(int=3),
        attempt=2,
        link_version=1,
        created_at=NOW,
        created_by="somebody",
        updated_at=NOW,
    )


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ("2026-10-26T10:00+01:00", 1440, "2026-10-25T10:00+01:00"),
        ("2026-10-25T10:00+01:00", 1440, "2026-10-24T10:00+02:00"),  # a day of 25 hours
        ("2026-03-29T10:00+02:00", 1440, "2026-03-28T10:00+01:00"),  # a day of 23 hours
        ("2026-10-25T03:30+01:00", 60, "2026-10-25T02:30+01:00"),  # the second half past two
        ("2026-10-25T02:30+01:00", 60, "2026-10-25T02:30+02:00"),  # an hour that passes
        ("2026-03-29T03:30+02:00", 60, "2026-03-29T01:30+01:00"),
        ("2026-10-26T02:30+01:00", 1440, "2026-10-25T02:30+02:00"),  # the first of two
        ("2026-03-30T02:30+02:00", 1440, "2026-03-29T03:30+02:00"),  # skipped: an hour later
        ("2026-10-26T10:00+01:00", 1500, "2026-10-25T09:00+01:00"),
    ],
)
def test_days_are_counted_on_the_wall_clock(start: str, minutes: int, due: str) -> None:
    found = reminder_time(datetime.fromisoformat(start), minutes, BERLIN)
    assert found == datetime.fromisoformat(due)


# The weeks around both changes of clocks, in either hemisphere.
starts = st.builds(
    lambda first, minutes: first + timedelta(minutes=minutes),
    st.sampled_from([datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 9, 25, tzinfo=UTC)]),
    st.integers(0, 45 * 1440),
)


@given(start=starts, minutes=st.integers(1, 20160), name=st.sampled_from(ZONES))
def test_always_before_the_start_and_never_off_by_more_than_a_change_of_clocks(
    start: datetime, minutes: int, name: str
) -> None:
    due = reminder_time(start, minutes, ZoneInfo(name))
    assert due < start
    assert abs(start - due - timedelta(minutes=minutes)) <= timedelta(hours=1)


@given(start=starts, days=st.integers(1, 14), name=st.sampled_from(ZONES))
def test_whole_days_keep_the_time_of_day(start: datetime, days: int, name: str) -> None:
    zone = ZoneInfo(name)
    local, due = (
        each.astimezone(zone) for each in (start, reminder_time(start, days * 1440, zone))
    )
    if due.time() != local.time():  # only where that day's clocks skip it
        wanted = (local - timedelta(days=days)).replace(fold=0)
        assert wanted.astimezone(UTC).astimezone(zone).time() != wanted.time()
        assert due.time() > local.time()
    else:
        assert (local.date() - due.date()).days == days


@given(start=starts, minutes=st.integers(1, 1439), name=st.sampled_from(ZONES))
def test_less_than_a_day_is_time_that_passes(start: datetime, minutes: int, name: str) -> None:
    assert start - reminder_time(start, minutes, ZoneInfo(name)) == timedelta(minutes=minutes)


def test_none_is_late_or_comes_soon_after_booking() -> None:
    def left(before: timedelta) -> list[int]:
        planned = reminders(practice(), START, START - before)
        return [each.minutes_before for each in planned]

    assert left(timedelta(days=3)) == [1440, 60]
    assert left(timedelta(hours=26)) == [60]  # 24 hours before is in two
    assert left(timedelta(hours=23)) == [60]  # and here it is past
    assert left(timedelta(hours=3)) == []
    assert left(timedelta(hours=3, minutes=1)) == [60]  # in two hours and a minute
    assert left(timedelta(hours=26, minutes=1)) == [1440, 60]


def test_the_same_reminder_twice_is_one() -> None:
    assert len(reminders(practice(reminders=(60, 60)), START, NOW)) == 1


def test_after_an_outage_the_last_reminder_alone_is_sent() -> None:
    def due(kind: NoticeKind, hours: int) -> DueNotice:
        moment = START - timedelta(hours=hours)
        return DueNotice(uuid4(), UUID(int=1), UUID(int=2), kind, moment, None)

    day, hour = due(NoticeKind.REMINDER, 24), due(NoticeKind.REMINDER, 1)
    moved = due(NoticeKind.MOVED, 2)
    assert set(to_send([hour, moved, day])) == {hour, moved}


def notice(kind: NoticeKind, *channels: Channel, **changes: object):  # type: ignore[no-untyped-def]
    return requested(
        UUID(int=9),
        kind,
        appointment(*channels),
        practice(**changes),
        channels=[*Channel],
        link="https://praxis.example/besuch/x",
        now=NOW,
        known_start=None if kind is NoticeKind.REMINDER else NOW,
    )


def test_only_the_channels_of_the_last_attempt_that_the_tariff_still_has() -> None:
    reminder = notice(NoticeKind.REMINDER, *Channel, tariff=Tariff.BASIC)
    assert (reminder.channels.email, reminder.channels.sms) == ("erika@example.org", None)
    assert notice(NoticeKind.REMINDER, Channel.SMS, tariff=Tariff.BASIC) is None
    only = notice(NoticeKind.REMINDER, Channel.SMS)
    assert (only.channels.email, only.channels.sms) == (None, "+4915123456789")


def test_a_move_names_both_times_and_a_cancellation_the_one_that_the_patient_knows() -> None:
    moved, cancelled = (
        notice(kind, Channel.EMAIL) for kind in (NoticeKind.MOVED, NoticeKind.CANCELLED)
    )
    assert (moved.previous_start, moved.start, moved.appointment_version) == (NOW, START, 3)
    assert (cancelled.previous_start, cancelled.start) == (None, NOW)
    assert cancelled.appointment_version == 3
    assert cancelled.not_after == START


def test_a_channel_that_this_installation_has_not_is_left_out() -> None:
    def to_send_over(*channels: Channel) -> NoticeRequested | None:
        return requested(
            UUID(int=9),
            NoticeKind.REMINDER,
            appointment(*Channel),
            practice(),
            channels=channels,
            link="https://praxis.example/besuch/x",
            now=NOW,
        )

    by_mail = to_send_over(Channel.EMAIL)
    assert by_mail is not None
    assert (by_mail.channels.email, by_mail.channels.sms) == ("erika@example.org", None)
    assert to_send_over() is None


def test_a_cancellation_of_which_no_other_start_is_known_names_its_own() -> None:
    event = requested(
        UUID(int=9),
        NoticeKind.CANCELLED,
        appointment(Channel.EMAIL),
        practice(),
        channels=[*Channel],
        link="https://praxis.example/besuch/x",
        now=NOW,
    )
    assert event is not None
    assert (event.start, event.previous_start) == (START, None)


def test_by_night_an_sms_waits_and_comes_in_time_for_the_start_that_the_patient_knows() -> None:
    def waits(kind: NoticeKind, *channels: Channel, **times: datetime) -> datetime | None:
        event = requested(
            UUID(int=9),
            kind,
            appointment(*channels),
            practice(),
            channels=[*Channel],
            link="https://praxis.example/besuch/x",
            **times,
        )
        assert event is not None
        return event.sms_not_before

    night = datetime(2026, 10, 20, 23, tzinfo=BERLIN)
    morning = datetime(2026, 10, 21, 8, tzinfo=BERLIN)
    assert waits(NoticeKind.MOVED, Channel.SMS, now=night, known_start=START) == morning
    assert waits(NoticeKind.CANCELLED, *Channel, now=night) == morning
    assert waits(NoticeKind.CANCELLED, Channel.EMAIL, now=night) is None
    soon = datetime(2026, 10, 21, 10, tzinfo=BERLIN)
    assert waits(NoticeKind.MOVED, Channel.SMS, now=night, known_start=soon) is None
    sunday = datetime(2026, 10, 25, 12, tzinfo=BERLIN)
    assert waits(NoticeKind.REMINDER, Channel.SMS, now=sunday) is None


def test_everything_that_a_notice_tells() -> None:
    event = notice(NoticeKind.REMINDER, Channel.EMAIL)
    assert (event.notice_id, event.kind) == (UUID(int=9), NoticeKind.REMINDER)
    assert (event.appointment_id, event.practice_id) == (UUID(int=2), UUID(int=1))
    assert (event.start, event.previous_start, event.not_after) == (START, None, START)
    assert (event.sender_name, event.patient_name) == ("Praxis", "Erika Mustermann")
    assert (event.duration_minutes, event.time_zone, event.locale) == (20, "Europe/Berlin", "de")
    assert event.link == "https://praxis.example/besuch/x"
