"""Keys rotate replica by replica: whatever one makes, the other can read, at each of the steps.

chassis/secret_keys.py has the steps. A step reaches one replica after the other, so those of two
neighbouring steps serve side by side.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from joserfc import jwt
from pydantic import SecretStr

from chassis.sealing import Sealer
from chassis.secret_keys import NumberedKeys, check_keys, check_public_keys, decode_keys, newest
from contracts.rights import Right
from services.notification.receipts.return_path import ReturnPath
from services.notification.receipts.tags import Tags
from services.scheduling.audit.entry import AuditEntry
from services.scheduling.audit.proving import Prover, Standing
from services.scheduling.keys.mint import ALGORITHM, Mint
from services.scheduling.links import Link, Links
from services.webhooks.settings import Settings as WebhooksSettings
from tests.support.settings import WEBHOOKS

OLD, NEW = "b2xk" * 10 + "b2w", "bmV3" * 10 + "bmU"  # base64url of 32 bytes
STEPS = [{1: OLD}, {1: OLD, 2: f"next:{NEW}"}, {1: OLD, 2: NEW}, {2: NEW}]
NOW = datetime(2026, 12, 1, tzinfo=UTC)
ID = UUID(int=7)


def key_set(step: dict[int, str]) -> NumberedKeys:
    """As a process reads it."""
    return decode_keys(check_keys({number: SecretStr(key) for number, key in step.items()}))


def sealed(mine: NumberedKeys, theirs: NumberedKeys) -> bool:
    return Sealer(theirs).open(Sealer(mine).seal(b"Erika", ("place",)), ("place",)) == b"Erika"


def known(mine: NumberedKeys, theirs: NumberedKeys) -> bool:
    return Sealer(mine).fingerprint(b"Erika") in Sealer(theirs).fingerprints(b"Erika")


def linked(mine: NumberedKeys, theirs: NumberedKeys) -> bool:
    link = Link(ID, 1)
    return Links("https://x", theirs).read(Links("https://x", mine).token(link)) == link


def came_back(mine: NumberedKeys, theirs: NumberedKeys) -> bool:
    ours, others = (ReturnPath("post@praxis.example", keys) for keys in (mine, theirs))
    tag = Tags(mine, purpose=b"x").of(ID)
    return others.read(ours.of(ID)) == ID == Tags(theirs, purpose=b"x").read(tag)


def proven(mine: NumberedKeys, theirs: NumberedKeys) -> bool:
    entry = AuditEntry(
        id=ID,
        practice_id=ID,
        at=NOW,
        actor_kind="person",
        actor_id="erika",
        actor_name=None,
        actor_roles=[],
        action="appointment_created",
        appointment_ids=[ID],
        changed=[],
        trace_id=None,
    )
    proof = Prover(mine, lambda: NOW).prove(entry.deed)
    return Prover(theirs).standing(replace(entry, proof=proof)) is Standing.PROVEN


def let_in(mine: NumberedKeys, theirs: NumberedKeys) -> bool:
    token = Mint(mine).own_token(ID, frozenset({Right.READ_STATUS}))
    return bool(jwt.decode(token, Mint(theirs).keys, algorithms=[ALGORITHM]).claims)


WAYS: list[Callable[[NumberedKeys, NumberedKeys], bool]] = [
    sealed,
    known,
    linked,
    came_back,
    proven,
    let_in,
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("step", range(3))
def test_neighbouring_steps_serve_side_by_side(
    step: int, way: Callable[[NumberedKeys, NumberedKeys], bool]
) -> None:
    before, after = (key_set(each) for each in STEPS[step : step + 2])
    assert way(before, after)
    assert way(after, before)


def test_without_the_first_step_they_do_not() -> None:
    at_once, before = key_set(STEPS[2]), key_set(STEPS[0])
    assert not linked(at_once, before)
    assert not came_back(at_once, before)
    assert not proven(at_once, before)


def test_what_waits_makes_nothing_and_is_not_older() -> None:
    waits, uses = (Sealer(key_set(each)) for each in STEPS[1:3])
    assert waits.seal(b"", ())[0] == 1
    assert (waits.older, uses.older) == ([], [1])
    assert newest(key_set(STEPS[1])) == 1


def test_a_set_needs_a_key_in_use_and_what_is_public_never_waits() -> None:
    with pytest.raises(ValueError, match="in use"):
        key_set({1: f"next:{OLD}"})
    with pytest.raises(ValueError, match="does not wait"):
        check_public_keys({1: NEW, 2: f"next:{NEW}"})


def test_the_key_of_webhooks_secrets_may_wait() -> None:
    settings = WebhooksSettings(**dict[str, Any](WEBHOOKS | {"secret_keys": STEPS[1]}))
    sealer = Sealer(decode_keys(settings.secret_keys))
    assert (sealer.newest, [*sealer.waiting], sealer.older) == (1, [2], [])
