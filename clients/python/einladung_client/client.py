"""The APIs as methods. Each raises Refused, and Unreachable where nobody answers."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

import httpx

from einladung_client.connection import Connection, Installation, Refused
from einladung_client.models import Appointment, Booked, Indicator, NewAppointment
from einladung_client.watching import Event, Watcher

TIMEOUT = 30.0  # seconds
IDS = 100  # asked for at once


class Einladung:
    """One practice's appointments and indicators, as far as its key may. For one thread."""

    def __init__(
        self,
        installation: Installation,
        *,
        timeout: float = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
        **clocks: Callable[..., Any],
    ) -> None:
        self._connection = Connection(installation, timeout=timeout, transport=transport, **clocks)
        self._scheduling = f"{installation.scheduling}/v1"
        self._status = f"{installation.status}/v1"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._connection.close()

    def invite(
        self, appointment: NewAppointment, *, idempotency_key: str | None = None
    ) -> Appointment | Booked:
        """Create an appointment and invite its patient; once under the same key."""
        return _told(
            self._connection.request(
                "POST",
                f"{self._scheduling}/appointments",
                headers=_key(idempotency_key),
                json=appointment.model_dump(mode="json", exclude_none=True),
            )
        )

    def resend(
        self,
        appointment_id: UUID,
        *,
        patient_name: str | None = None,
        channels: list[str] | None = None,
        email: str | None = None,
        phone: str | None = None,
        idempotency_key: str | None = None,
    ) -> Appointment | Booked:
        """„Erneut senden", where needed to a corrected address: what is left out stays."""
        change = {
            "patient_name": patient_name,
            "channels": channels,
            "email": email,
            "phone": phone,
        }
        return _told(
            self._connection.request(
                "POST",
                f"{self._scheduling}/appointments/{appointment_id}/invitations",
                headers=_key(idempotency_key),
                json={name: value for name, value in change.items() if value is not None},
            )
        )

    def move(
        self,
        seen: Booked,
        *,
        date: dt.date | None = None,
        time: dt.time | None = None,
        duration_minutes: int | None = None,
        notify: bool = True,
    ) -> Appointment | Booked:
        """Another time, unless the appointment has changed since it was seen (412)."""
        change: dict[str, Any] = {"notify": notify}
        if date is not None:
            change["date"] = date.isoformat()
        if time is not None:
            change["time"] = f"{time:%H:%M}"
        if duration_minutes is not None:
            change["duration_minutes"] = duration_minutes
        return _told(
            self._connection.request(
                "PATCH",
                f"{self._scheduling}/appointments/{seen.id}",
                headers={"If-Match": seen.etag},
                json=change,
            )
        )

    def appointment(self, appointment_id: UUID) -> Appointment | None:
        """One appointment; None if there is none, or no more."""
        found = self._found(f"{self._scheduling}/appointments/{appointment_id}")
        return None if found is None else Appointment.model_validate(found)

    def appointments(self, day: dt.date) -> list[Appointment]:
        """Those of one day, by start."""
        return self._listed({"date": day.isoformat()})

    def appointments_named(self, ids: Iterable[UUID]) -> list[Appointment]:
        """Those with these ids, as far as there are any."""
        wanted = [str(each) for each in ids]
        return [
            found
            for first in range(0, len(wanted), IDS)
            for found in self._listed({"id": wanted[first : first + IDS]})
        ]

    def indicator(self, appointment_id: UUID) -> Indicator | None:
        """What became of an invitation; None while nothing is known of it."""
        found = self._found(f"{self._status}/indicators/{appointment_id}")
        return None if found is None else Indicator.model_validate(found)

    def open(self) -> Iterator[Indicator]:
        """What somebody has to do something about, what can least wait first."""
        cursor: dict[str, str] = {}
        while True:
            page = self._connection.request(
                "GET", f"{self._status}/indicators", params={"open": "true", "limit": 100, **cursor}
            ).json()
            yield from map(Indicator.model_validate, page["indicators"])
            if not page["next"]:
                return
            cursor = {"cursor": page["next"]}

    def follow_up(self, seen: Indicator) -> None:
        """„Erledigt": what is open of this indicator, as it was seen, is dealt with."""
        self._connection.request(
            "POST",
            f"{self._scheduling}/appointments/{seen.appointment_id}/follow-ups",
            headers=_key(None),
            json={"causes": [str(each) for each in seen.causes]},
        )

    def watch(self, *, since: int | None = None) -> Iterator[Event]:
        """Every change as it happens, for ever; `since`: all after the event of this version."""
        return Watcher(self._connection, f"{self._status}/indicators/stream", since).events()

    def _listed(self, query: dict[str, Any]) -> list[Appointment]:
        answer = self._connection.request("GET", f"{self._scheduling}/appointments", params=query)
        return [Appointment.model_validate(each) for each in answer.json()["appointments"]]

    def _found(self, url: str) -> Any | None:
        try:
            return self._connection.request("GET", url).json()
        except Refused as refused:
            if refused.status == httpx.codes.NOT_FOUND:
                return None
            raise


def _key(given: str | None) -> dict[str, str]:
    return {"Idempotency-Key": given or str(uuid4())}


def _told(answer: httpx.Response) -> Appointment | Booked:
    told = answer.json()
    kind = Appointment if "patient_name" in told else Booked
    return kind.model_validate(told)
