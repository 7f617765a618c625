"""Requests share a transaction by turns; none waits without end, or for another's refusal."""

import asyncio
from collections.abc import Sequence

import pytest

from chassis import group_commit
from chassis.group_commit import COMPANY, GroupCommit
from chassis.turns import Busy, waiting


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


async def test_right_behind_others_one_waits_for_company_and_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    transactions = Transactions()
    group: GroupCommit[str, str] = GroupCommit(transactions.work, patience=9)
    pauses = [3600.0, 0.01]
    monkeypatch.setattr(group_commit, "pause_after", lambda *_: pauses.pop(0))
    names = [f"a{number}" for number in range(1, COMPANY + 1)]
    first = asked(group, "a0")
    await transactions.begun.wait()
    others = asked(group, *names[:-1])
    await asyncio.sleep(0)
    transactions.committed.set()
    await asyncio.gather(*first)
    await asyncio.sleep(0.01)
    assert transactions.of == [["a0"]]
    await asyncio.gather(*others, *asked(group, names[-1]))
    assert transactions.of == [["a0"], names]
    assert await asked(group, "b1")[0] == "B1"  # alone, once its time is over
    assert await asked(group, "b2")[0] == "B2"  # and at once, as nobody came meanwhile
    assert transactions.of[2:] == [["b1"], ["b2"]]


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


async def test_work_that_answers_too_few_leaves_nobody_waiting() -> None:
    async def forgetful(pieces: Sequence[str]) -> Sequence[str]:
        return pieces[1:]

    group: GroupCommit[str, str] = GroupCommit(forgetful, patience=9)
    async with asyncio.timeout(5):
        made = await asyncio.gather(*asked(group, "a1", "b1"), return_exceptions=True)
    assert [type(each) for each in made] == [ValueError, ValueError]


async def test_it_is_known_how_many_wait() -> None:
    before = how_many_wait()
    transactions = Transactions()
    group: GroupCommit[str, str] = GroupCommit(transactions.work, patience=0.01)
    first = asked(group, "a0")
    await transactions.begun.wait()
    assert how_many_wait() == before
    late = asked(group, "a1", "b1")
    await asyncio.sleep(0)
    assert how_many_wait() == before + 2
    await asyncio.gather(*late, return_exceptions=True)
    assert how_many_wait() == before
    transactions.committed.set()
    await first[0]


def how_many_wait() -> float:
    [metric] = waiting.collect()
    return metric.samples[0].value


async def test_an_error_is_everybodys_and_the_next_transaction_has_none() -> None:
    transactions = Transactions()
    transactions.committed.set()
    group: GroupCommit[str, str] = GroupCommit(transactions.work, patience=9)
    results = await asyncio.gather(*asked(group, "a1", "damaged"), return_exceptions=True)
    assert [type(each) for each in results] == [ValueError, ValueError]
    assert await group.share("b1", "b") == "B1"
