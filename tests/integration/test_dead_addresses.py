"""An address that bounced for good is not used again unasked; the next success clears it."""

from uuid import uuid4

from contracts.envelope import encode
from contracts.events import Evidence, InvitationDelivered
from tests.conftest import Stack
from tests.support import Json, Practice, eventually, unknown_address
from tests.support.topics import outcome_of, publish


async def bounced(practice: Practice, address: str) -> Json:
    """An appointment whose invitation came back, once scheduling knows it too."""
    created = await practice.create(email=address)
    await practice.shows(created["id"], "failed")
    await practice.knows_as_dead(address)
    return created


async def test_a_dead_address_is_refused_with_a_way_out(practice: Practice) -> None:
    address = unknown_address()
    await bounced(practice, address)
    refused = await practice.post(practice.form(email=address.upper()))
    assert refused.status_code == 422
    [error] = refused.json()["errors"]
    assert (error["field"], error["code"]) == ("email", "dead_address")
    assert (await practice.create(email=address, send_anyway=True))["email"] == address


async def test_resending_to_it_is_refused_too(practice: Practice) -> None:
    created = await bounced(practice, unknown_address())
    path = f"/v1/appointments/{created['id']}/invitations"
    refused = await practice.scheduling.post(path, json={})
    assert [error["code"] for error in refused.json()["errors"]] == ["dead_address"]
    assert (await practice.resend(created["id"], send_anyway=True))["invitation"]["attempt"] == 2


async def test_another_practice_learns_nothing_of_it(
    practice: Practice, other_practice: Practice
) -> None:
    address = unknown_address()
    await bounced(practice, address)
    assert (await other_practice.post(other_practice.form(email=address))).status_code == 201


async def test_the_next_success_clears_it(practice: Practice, stack: Stack) -> None:
    address = unknown_address()
    created = await bounced(practice, address)
    delivered = outcome_of(InvitationDelivered, practice, created, evidence=Evidence.CONFIRMED)
    message = encode(delivered, source="/einladung/notification")
    await publish(stack, message)

    async def cleared() -> bool:
        return (await practice.post(practice.form(email=address))).status_code == 201

    await eventually(cleared, "the address is good again")


async def test_a_full_mailbox_is_no_dead_address(practice: Practice) -> None:
    address = f"voll+{uuid4().hex[:8]}@example.org"
    created = await practice.create(email=address)
    await practice.shows(created["id"], "failed")
    marker = unknown_address()
    await bounced(practice, marker)
    assert (await practice.post(practice.form(email=address))).status_code == 201
