"""The table that a campaign ends with. Pure."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from reliability.faults.doing import Happened
from reliability.faults.inviting import Account
from reliability.faults.plan import Kind
from reliability.faults.promises import (
    Broken,
    Evidence,
    Promise,
    copies,
    ended_by_chance,
    honest,
)

SHOWN = 20  # broken promises, and slow recoveries, that are told one by one
SLOW = 120.0  # seconds; a longer recovery is told by itself


def recoveries(
    happened: Sequence[Happened], accounts: Sequence[Account], unknown: Collection[str]
) -> Sequence[tuple[float, Happened, str]]:
    """Seconds from each fault's end until each appointment accepted meanwhile showed its end.

    What nobody can know the end of, until it turns amber or is sent again, does not count.
    """
    return [
        (account.settled_at.get(subject, float("inf")) - each.ended, each, subject)
        for each in happened
        for account in accounts
        for subject, at in account.accepted_at.items()
        if each.began <= at <= each.ended and subject not in unknown
    ]


def longest(
    happened: Sequence[Happened], found: Sequence[tuple[float, Happened, str]]
) -> Mapping[Kind, float]:
    """By kind of fault: it is over when the last of its appointments shows its end."""
    took = dict.fromkeys((each.fault.kind for each in happened), 0.0)
    for seconds, each, _ in found:
        took[each.fault.kind] = max(took[each.fault.kind], seconds)
    return took


def slow(seen: Evidence, found: Sequence[tuple[float, Happened, str]]) -> Iterator[str]:
    """The slowest, each with what is known of its deliveries."""
    invited = {each.appointment_id: each.recipient for each in seen.invitations}
    deliveries = defaultdict(list)
    for one in seen.deliveries:
        deliveries[one.appointment_id].append(f"{one.attempt} {one.channel} {one.state}")
    told = sorted(found, key=lambda each: each[0], reverse=True)
    for seconds, each, subject in told[:SHOWN]:
        if seconds > SLOW:
            yield (
                f"{seconds:.0f} s after {each.fault.number} ({each.fault.kind}): {subject}, "
                f"{invited.get(subject)}: {', '.join(deliveries[subject])}"
            )


def table(
    seen: Evidence,
    broken: Sequence[Broken],
    happened: Sequence[Happened],
    accounts: Sequence[Account],
) -> str:
    """In Markdown."""
    kinds = Counter(each.fault.kind for each in happened)
    unknown = [one.appointment_id for one in seen.deliveries if honest(one)]
    sent_again = [one.appointment_id for one in seen.deliveries if ended_by_chance(one)]
    found_ends = recoveries(happened, accounts, {*unknown, *sent_again})
    took = longest(happened, found_ends)
    found = Counter(each.promise for each in broken)
    refusals = sum((account.refusals for account in accounts), Counter[str]())
    lines = [
        "| fault | times | longest recovery |",
        "|---|---|---|",
        *(f"| {kind} | {times} | {took[kind]:.1f} s |" for kind, times in kinds.items()),
        "",
        "| of all | |",
        "|---|---|",
        f"| faults | {len(happened)} |",
        f"| invitations accepted | {len(seen.invitations)} |",
        f"| requests never answered | {seen.unanswered} |",
        f"| mails sent once more, as they may be | {copies(seen)} |",
        f"| of which nobody knows: clock, then amber | {len(unknown)} |",
        f"| of which nobody knew until they were sent again | {len(sent_again)} |",
        *(f"| {promise} | {found[promise]} |" for promise in Promise),
        "",
        "Answers that were asked again: "
        + (", ".join(f"{times} x {how}" for how, times in refusals.most_common()) or "none")
        + ".",
        *slow(seen, found_ends),
    ]
    if broken:
        lines += ["", *(f"{each.promise}: {each.subject}: {each.how}" for each in broken[:SHOWN])]
    return "\n".join(lines)
