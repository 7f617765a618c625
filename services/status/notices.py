"""What became of notices, and whether one told the patient anything. Pure.

Of one notice and channel the highest `sequence` counts. Of each kind the newest notice does: that
of the highest version of the appointment, then the one of which something was heard first later.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.channels import Channel
from contracts.events import FailureCategory, NoticeKind
from services.status.facts import Notice, State, winners


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one notice; `at` is the earliest that is known of it."""

    kind: NoticeKind
    version: int
    at: datetime
    notice_id: UUID
    channels: Mapping[Channel, Notice]

    @property
    def untold(self) -> State | None:
        """FAILED or UNCONFIRMED where it reached the patient over no channel, else None.

        One failed channel says so before the other one is heard of, over which it may still
        arrive. What was withdrawn was to tell nobody.
        """
        states = self._states
        if State.DELIVERED in states:
            return None
        if State.FAILED in states:
            return State.FAILED
        return State.UNCONFIRMED if states == {State.UNCONFIRMED} else None

    @property
    def awaited(self) -> bool:
        """Whether it may yet reach the patient, who knows nothing of it as far as is known."""
        states = self._states
        return State.PENDING in states and states <= {State.PENDING, State.UNCONFIRMED}

    @property
    def _states(self) -> set[State]:
        return {
            told.state
            for told in self.channels.values()
            if told.category is not FailureCategory.CANCELLED
        }


def newest(notices: Iterable[Notice]) -> dict[NoticeKind, Fate]:
    """The newest notice of each kind."""
    by_id: dict[tuple[NoticeKind, UUID], list[Notice]] = defaultdict(list)
    for notice in notices:
        by_id[notice.kind, notice.notice_id].append(notice)
    found: dict[NoticeKind, Fate] = {}
    for (kind, notice_id), told in by_id.items():
        version, at = max(each.version for each in told), min(each.at for each in told)
        fate = Fate(kind, version, at, notice_id, winners(told))
        best = found.get(kind)
        if best is None or _age(fate) > _age(best):
            found[kind] = fate
    return dict(sorted(found.items()))


def _age(fate: Fate) -> tuple[int, datetime, UUID]:
    return fate.version, fate.at, fate.notice_id
