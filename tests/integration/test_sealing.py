"""What is stored of a patient is sealed; keys rotate; nothing open is left from before."""

import base64
import json
from uuid import UUID

import asyncpg

from tests.conftest import Stack
from tests.support import Practice, eventually
from tests.support.database import owner


def keys(**by_number: bytes) -> str:
    """Setting of keys k1=…, k2=…"""
    return json.dumps(
        {name[1:]: base64.urlsafe_b64encode(key).decode() for name, key in by_number.items()}
    )


def own_keys(stack: Stack, service: str) -> bytes:
    """The key that the stack has made for a service, number 1."""
    text = (stack.folder.path / f"{service}-contact-keys.json").read_text()
    return base64.urlsafe_b64decode(json.loads(text)["1"])


async def restart(stack: Stack, service: str, setting: str) -> None:
    stack.configure(service, **{f"{service.upper()}_CONTACT_KEYS": setting})
    await stack.service(service).restart()


async def test_contacts_are_sealed_under_keys_that_rotate(practice: Practice, stack: Stack) -> None:
    created = await practice.create()
    path, key = f"/v1/appointments/{created['id']}", UUID(created["id"])
    first = own_keys(stack, "scheduling")
    async with owner(stack, "scheduling") as db:
        row = await db.fetchrow("SELECT * FROM appointments WHERE id = $1", key)
        assert row is not None
        assert row["contact"][0] == 1
        assert created["email"] not in repr(row)
        try:
            await restart(stack, "scheduling", keys(k1=first, k2=b"2" * 32))

            async def rotated() -> bool:
                left = await db.fetchval(
                    "SELECT count(*) FROM appointments WHERE get_byte(contact, 0) <> 2"
                )
                return bool(left == 0)

            await eventually(rotated, "everything is sealed under the new key")
            await restart(stack, "scheduling", keys(k2=b"2" * 32))  # the old one is retired
            read = await practice.scheduling.get(path)
            assert read.json()["email"] == created["email"]
        finally:
            await restart(stack, "scheduling", keys(k1=first, k2=b"2" * 32))


async def test_a_contact_does_not_open_in_another_row(
    practice: Practice, other_practice: Practice, stack: Stack
) -> None:
    """Who can write to the database can't have one practice read another's patients."""
    mine, theirs = await practice.create(), await other_practice.create()
    async with owner(stack, "scheduling") as db:
        await db.execute(
            "UPDATE appointments SET contact = (SELECT contact FROM appointments WHERE id = $2) "
            "WHERE id = $1",
            UUID(mine["id"]),
            UUID(theirs["id"]),
        )
        answer = await practice.scheduling.get(f"/v1/appointments/{mine['id']}")
        assert answer.json()["damaged"]
        assert theirs["email"] not in answer.text
        await db.execute("DELETE FROM appointments WHERE id = $1", UUID(mine["id"]))


async def test_a_letter_that_waits_is_sealed_and_sent_after_a_rotation(
    practice: Practice, stack: Stack
) -> None:
    first = own_keys(stack, "notification")
    await stack.mailbox.stop()
    try:
        created = await practice.create()
        async with owner(stack, "notification") as db:

            async def waiting() -> "asyncpg.Record | None":
                return await db.fetchrow(
                    "SELECT * FROM deliveries WHERE appointment_id = $1 AND state = 'retrying'",
                    UUID(created["id"]),
                )

            row = await eventually(waiting, "a delivery that waits")
            assert row["letter"][0] == 1
            assert created["email"] not in repr(row)
            assert "besuch" not in repr(row)
            await restart(stack, "notification", keys(k1=first, k2=b"2" * 32))

            async def rotated() -> bool:
                return bool(
                    await db.fetchval(
                        "SELECT get_byte(letter, 0) = 2 FROM deliveries WHERE appointment_id = $1",
                        UUID(created["id"]),
                    )
                )

            await eventually(rotated, "the letter is sealed under the new key")
        await restart(stack, "notification", keys(k2=b"2" * 32))
    finally:
        await stack.mailbox.start()
    await practice.shows(created["id"], "delivered")
    await practice.mail(created["email"])
    await restart(stack, "notification", keys(k1=first, k2=b"2" * 32))
