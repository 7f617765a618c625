"""What a worker holds of its channel: claimed in turns between practices, leases renewed."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from chassis.clock import Clock
from chassis.database import Connection, Database
from contracts import events as contract
from contracts.channels import Channel
from services.notification.deliveries import metrics, store
from services.notification.deliveries.delivery import Delivery, State, Transition
from services.notification.deliveries.events import Claimed, LeaseExpired, Withheld
from services.notification.deliveries.told import Send, fate
from services.notification.deliveries.transitions import transition
from services.notification.letters.letter import LetterKind
from services.notification.sending.due import NOBODY, DueDelivery, Turns, lock_due, renew
from services.notification.sending.sender import Contact, LeaseLost

SHARE = 0.75  # of the tries under way over a channel, that one practice may have
OVERDUE_BATCH = 100  # deliveries ended in a transaction while the others are held


@dataclass(slots=True)
class Claim:
    """A delivery that is being tried under this worker's lease."""

    due: DueDelivery
    delivery: Delivery
    lease: UUID
    expires: float  # on the monotonic clock
    probe: bool  # of a server that is left alone otherwise
    handed_over: bool = False
    contact: Contact = Contact.NONE

    def hand_over(self) -> None:
        """From here on the message may arrive. Raises LeaseLost where it must not."""
        if time.monotonic() >= self.expires:
            raise LeaseLost
        self.handed_over = True


class Claims:
    """Takes deliveries under a lease of `lease` seconds and keeps it until their end is recorded.

    No practice has more than `share` of them being tried at the same time.
    """

    def __init__(
        self,
        db: Database,
        channel: Channel,
        *,
        lease: float,
        share: int,
        now: Clock,
        wake_relay: Callable[[], None],
    ) -> None:
        self._db = db
        self._channel = channel
        self._lease = lease
        self._share = share
        self._now = now
        self._wake_relay = wake_relay
        self._held: dict[UUID, Claim] = {}  # by delivery, until the end of the try is recorded
        self._under_way: Counter[UUID] = Counter()  # tries, by practice
        self._served_last = NOBODY

    @property
    def under_way(self) -> int:
        """How many are being tried, or just about to be."""
        return self._under_way.total()

    @property
    def limited(self) -> bool:
        """Whether a practice has its share: what else is due of it has to wait for an end."""
        return any(tries >= self._share for tries in self._under_way.values())

    async def take(self, most: int, *, probe: bool = False) -> tuple[list[Claim], bool]:
        """At most `most` that are due, and whether there may be more."""
        turns = Turns(after=self._served_last, share=self._share, under_way=self._under_way)
        claims, more = await self._take(most, turns, probe=probe)
        for claim in claims:
            self._held[claim.delivery.id] = claim
            self._served_last = claim.delivery.practice_id
            self._under_way[self._served_last] += 1
        return claims, more

    async def end_overdue(self) -> bool:
        """End what is past its deadline, of which nothing is sent; True if there may be more."""
        _, more = await self._take(OVERDUE_BATCH, None)
        return more

    async def renew(self) -> None:
        """Renew the leases; what is no longer ours is not handed over any more."""
        held = dict(self._held)
        if not held:
            return
        expires = time.monotonic() + self._lease
        until = self._now() + timedelta(seconds=self._lease)
        async with self._db.system() as tx:
            ours = await renew(tx, {key: claim.lease for key, claim in held.items()}, until)
        for key, claim in held.items():
            claim.expires = expires if key in ours else 0.0

    def tried(self, claim: Claim) -> None:
        """The try has ended: its place is free. The lease is kept."""
        self._under_way -= Counter([claim.delivery.practice_id])

    def settled(self, delivery_ids: Iterable[UUID]) -> None:
        """The ends of these are recorded."""
        for each in delivery_ids:
            self._held.pop(each, None)

    async def _take(
        self, most: int, turns: Turns | None, *, probe: bool = False
    ) -> tuple[list[Claim], bool]:
        """The claims, and whether there may be more: not where nothing could be done to any."""
        now = self._now()
        lease, expires = uuid4(), time.monotonic() + self._lease
        until = now + timedelta(seconds=self._lease)
        claims: list[Claim] = []
        steps: list[Transition] = []
        async with self._db.system() as tx:
            locked, more = await lock_due(tx, self._channel, now, most, turns)
            fates = await _fates(tx, [each.delivery for each in locked])
            for due in locked:
                delivery = due.delivery
                fate_of_notice = fates.get(delivery.id, Send.NOW)
                if fate_of_notice is Send.LATER:
                    continue
                if not isinstance(fate_of_notice, Send):
                    steps.append(transition(delivery, Withheld(fate_of_notice), now))
                    continue
                if delivery.state is State.SENDING:
                    held = self._held.get(delivery.id)
                    if held is not None and held.lease == delivery.lease:
                        continue  # our own, whose renewal is late
                    metrics.leases_expired.inc()
                    steps.append(transition(delivery, LeaseExpired(), now))
                    delivery = steps[-1].delivery
                claimed = Claimed(lease, until, due.start)
                steps.append(transition(delivery, claimed, now))
                delivery = steps[-1].delivery
                if delivery.lease == lease:
                    claims.append(Claim(due, delivery, lease, expires, probe))
            outcomes = await store.save(tx, steps)
        if outcomes:
            metrics.count(outcomes)
            self._wake_relay()
        return claims, more and bool(steps)


async def _fates(tx: Connection, due: Sequence[Delivery]) -> dict[UUID, Send | contract.Withheld]:
    """By id, what becomes of notices that were not tried yet, as what else was sent is by now."""
    notices = [
        each
        for each in due
        if each.kind is not LetterKind.INVITATION and each.state is State.QUEUED
    ]
    if not notices:
        return {}
    others = await store.deliveries_of(tx, [each.appointment_id for each in notices])
    return {
        notice.id: fate(
            notice,
            [each for each in others if each.appointment_id == notice.appointment_id],
        )
        for notice in notices
    }
