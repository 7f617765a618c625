"""The table that a campaign ends with. Pure."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from reliability.faults.doing import Happened
from reliability.faults.inviting import Account
from reliability.faults.promises import Broken, Evidence, Promise, copies, honest

SHOWN = 20  # broken promises that are told one by one


def recoveries(
    happened: Sequence[Happened], accounts: Sequence[Account], unknown: Collection[str]
) -> Mapping[str, float]:
    """By kind of fault: the longest, in seconds from a fault's end.

    A fault is over when whatever was accepted while it lasted has come to an end that is shown;
    what nobody can know the end of, until it turns amber, does not count.
    """
    longest: dict[str, float] = defaultdict(float)
    for each in happened:
        ends = (
            account.settled_at.get(subject, float("inf"))
            for account in accounts
            for subject, at in account.accepted_at.items()
            if each.began <= at <= each.ended and subject not in unknown
        )
        took = max((end - each.ended for end in ends), default=0.0)
        longest[each.fault.kind] = max(longest[each.fault.kind], took)
    return longest


def table(
    seen: Evidence,
    broken: Sequence[Broken],
    happened: Sequence[Happened],
    accounts: Sequence[Account],
) -> str:
    """In Markdown."""
    kinds = Counter(each.fault.kind for each in happened)
    unknown = [one.appointment_id for one in seen.deliveries if honest(one)]
    longest = recoveries(happened, accounts, unknown)
    found = Counter(each.promise for each in broken)
    refusals = sum((account.refusals for account in accounts), Counter[str]())
    lines = [
        "| fault | times | longest recovery |",
        "|---|---|---|",
        *(f"| {kind} | {times} | {longest[kind]:.1f} s |" for kind, times in kinds.items()),
        "",
        "| of all | |",
        "|---|---|",
        f"| faults | {len(happened)} |",
        f"| invitations accepted | {len(seen.invitations)} |",
        f"| requests never answered | {seen.unanswered} |",
        f"| mails sent once more, as they may be | {copies(seen)} |",
        f"| of which nobody knows: clock, then amber | {len(unknown)} |",
        *(f"| {promise} | {found[promise]} |" for promise in Promise),
        "",
        "Answers that were asked again: "
        + (", ".join(f"{times} x {how}" for how, times in refusals.most_common()) or "none")
        + ".",
    ]
    if broken:
        lines += ["", *(f"{each.promise}: {each.subject}: {each.how}" for each in broken[:SHOWN])]
    return "\n".join(lines)
