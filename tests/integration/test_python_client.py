"""The Python client and its command line, from an invitation to its tick, on the real parts."""

import asyncio
from collections.abc import Callable
from datetime import time
from uuid import UUID, uuid4

import pytest

from einladung_client import Einladung, Indicator, Installation, Refused, cli
from tests.conftest import Stack
from tests.support import PATIENCE, Practice, berlin_day
from tests.support.keys import EVERY_SCOPE, new_key

Run = Callable[..., str]


async def test_from_an_invitation_to_its_tick(
    stack: Stack,
    practice: Practice,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    key_id, key_secret = await new_key(stack, practice.id, *EVERY_SCOPE)
    at = Installation(stack.url("scheduling"), stack.url("status"), key_id, key_secret)
    monkeypatch.setenv("EINLADUNG_SCHEDULING", at.scheduling)
    monkeypatch.setenv("EINLADUNG_STATUS", at.status)
    monkeypatch.setenv("EINLADUNG_KEY_ID", key_id)
    monkeypatch.setenv("EINLADUNG_KEY_SECRET", key_secret)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> str:
        assert cli.main([*arguments]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    with Einladung(at) as einladung, Einladung(at) as watching:
        walk = asyncio.to_thread(follow_it_through, einladung, watching, run)
        await asyncio.wait_for(walk, PATIENCE)  # what is late ends by the clients' being closed


def follow_it_through(einladung: Einladung, watching: Einladung, run: Run) -> None:
    """Invited to an address that refuses, corrected, arrived; moved; seen by others meanwhile."""
    told = watching.watch()
    next(told)  # ready

    def shown(overall: str, attempt: int) -> Indicator:
        return next(
            event
            for event in told
            if isinstance(event, Indicator) and event.appointment_id == appointment_id
            if (event.overall, event.attempt) == (overall, attempt)
        )

    day = berlin_day(1)
    visit = ("invite", "--name", "Clara [red]Client", "--date", f"{day}", "--time", "11:15")
    where = ("--email", f"unbekannt@{uuid4().hex[:8]}.example.org", "--consent")
    created = run(*visit, *where, "--idempotency-key", "ours")
    assert run(*visit, *where, "--idempotency-key", "ours") == created
    appointment_id = UUID(created.strip())

    failed = shown("failed", 1)
    assert failed.open == ["invitation_failed"]
    assert [each.appointment_id for each in einladung.open()] == [appointment_id]
    for command in (("open",), ("watch", "--events", "1")):
        table = run(*command)
        for text in (str(appointment_id), "Clara [red]Client", "failed"):
            assert text in table

    einladung.resend(appointment_id, email=f"clara-{uuid4().hex[:8]}@example.org")
    assert shown("delivered", 2).channels["email"].evidence is not None
    assert not list(einladung.open())

    seen = einladung.appointment(appointment_id)
    assert seen is not None
    moved = einladung.move(seen, time=time(12, 0), notify=False)
    with pytest.raises(Refused) as refused:
        einladung.move(seen, time=time(13, 0))
    assert refused.value.status == 412
    assert [each.id for each in einladung.appointments(day)] == [appointment_id]
    assert [each.start for each in einladung.appointments_named([appointment_id])] == [moved.start]
