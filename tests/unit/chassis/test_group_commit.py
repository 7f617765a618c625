"""Requests share a transaction by turns; none waits without end, or for another's refusal."""

import asyncio
from collections.abc import Sequence

import pytest

from chassis.group_commit import GroupCommit
from chassis.turns import Busy


class Transactions:
    """What each was of. The first is under way until `committed` is set."""

    def __init__(self) -> None:
        self.of: list[list[str]] = []
        self.begun = asyncio.Event()
        self.committed = asyncio.Event()

    async def work(self, pieces: Sequence[str]) -> Sequence[str]:
        self.of.append([*pieces])
        self.begun.set()
        await self.committed.wait()
        if "damaged" in pieces:
            raise ValueError
        return [each.upper() for each in pieces]


def asked(group: GroupCommit[str, str], *pieces: str) -> list["asyncio.Task[str]"]:
    """Of the practice that a piece's first letter stands for."""
    return [asyncio.create_task(group.share(piece, piece[0])) for piece in pieces]


async def test_one_alone_begins_at_once_and_the_next_ones_share() -> None:
    transactions = Transactions()
    group: GroupCommit[str, str] = GroupCommit(transactions.work, patience=9)
    first = asked(group, "a1")
    await transactions.begun.wait()
    others = asked(group, "a2", "b1", "c1")
    await asyncio.sleep(0)
    transactions.committed.set()
    assert await asyncio.gather(*first, *others) == ["A1", "A2", "B1", "C1"]
    assert transactions.of == [["a1"], ["a2", "b1", "c1"]]


async def test_practices_take_turns() -> None:
    transactions = Transactions()
    group: GroupCommit[str, str] = GroupCommit(transactions.work, patience=9, most=3)
    first = asked(group, "a0")
    await transactions.begun.wait()
    others = asked(group, "a1", "a2", "a3", "a4", "b1", "c1")
    await asyncio.sleep(0)
    transactions.committed.set()
    await asyncio.gather(*first, *others)
    assert transactions.of == [["a0"], ["a1", "b1", "c1"], ["a2", "a3", "a4"]]


async def test_one_practice_has_only_so_many_waiting() -> None:
    transactions = Transactions()
    group: GroupCommit[str, str] = GroupCommit(transactions.work, patience=9, waiting_of_one=1)
    first = asked(group, "a0")
    await transactions.begun.wait()
    kept, refused, others = asked(group, "a1", "a2", "b1")
    with pytest.raises(Busy):
        await refused
    transactions.committed.set()
    assert await asyncio.gather(*first, kept, others) == ["A0", "A1", "B1"]


async def test_who_waited_for_long_enough_is_told_and_left_out() -> None:
    transactions = Transactions()
    group: GroupCommit[str, str] = GroupCommit(transactions.work, patience=0.01)
    first = asked(group, "a0")  # under way, which has an end of its own
    await transactions.begun.wait()
    with pytest.raises(Busy):
        await group.share("a1", "a")
    transactions.committed.set()
    assert await first[0] == "A0"
    assert transactions.of == [["a0"]]


async def test_who_has_gone_is_left_out() -> None:
    transactions = Transactions()
    group: GroupCommit[str, str] = GroupCommit(transactions.work, patience=9)
    first = asked(group, "a0")
    await transactions.begun.wait()
    gone, stays = asked(group, "a1", "a2")
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    transactions.committed.set()
    assert await asyncio.gather(*first, stays) == ["A0", "A2"]
    assert transactions.of == [["a0"], ["a2"]]


async def test_an_error_is_everybodys_and_the_next_transaction_has_none() -> None:
    transactions = Transactions()
    transactions.committed.set()
    group: GroupCommit[str, str] = GroupCommit(transactions.work, patience=9)
    results = await asyncio.gather(*asked(group, "a1", "damaged"), return_exceptions=True)
    assert [type(each) for each in results] == [ValueError, ValueError]
    assert await group.share("b1", "b") == "B1"
