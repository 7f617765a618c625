"""What is heard is sent: signed, in order for each appointment, tried again, given up."""

import asyncio
import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.events import AppointmentScheduled
from services.webhooks import bodies, endpoint_store, store
from services.webhooks.endpoints import DisabledReason, associated_data
from services.webhooks.schedule import MOST_TRIES, WAITS, Answer, CallResult
from tests.database.webhooks.support import BROKEN, GONE, LIMIT, OK, Post, Webhooks
from tests.support import eventually

A, B = "https://a.example", "https://b.example"


async def test_an_event_comes_signed_to_its_practice_alone(webhooks: Webhooks) -> None:
    endpoint = await webhooks.endpoint(A)
    await webhooks.endpoint(B, practice_id=uuid4())
    event = webhooks.scheduled()
    [event_id] = await webhooks.hear(event)
    await webhooks.send_due()
    [post] = webhooks.receivers.posts
    assert (post.url, post.event_id) == (A, event_id)
    assert post.headers["content-type"] == bodies.CONTENT_TYPE
    told = Webhook(webhooks.secret(endpoint)).verify(post.body, dict(post.headers))
    assert told == json.loads(post.body)
    assert AppointmentScheduled.model_validate(told["data"]) == event
    assert (told["id"], told["type"]) == (str(event_id), event.type)
    assert (told["source"], told["subject"]) == (
        "/einladung/scheduling",
        str(event.appointment_id),
    )
    with pytest.raises(WebhookVerificationError):
        Webhook(webhooks.secret(endpoint)).verify(post.body + b" ", dict(post.headers))
    [attempt] = await webhooks.attempts(endpoint)
    assert (attempt.event_id, attempt.number, attempt.status) == (event_id, 1, 200)
    assert (attempt.result, attempt.milliseconds, attempt.next_try_at) == ("delivered", 7, None)


async def test_nothing_is_kept_of_who_has_no_endpoint(webhooks: Webhooks) -> None:
    await webhooks.hear(webhooks.scheduled())
    async with webhooks.db.system() as tx:
        assert await tx.fetchval("SELECT count(*) FROM events") == 0


async def test_only_the_types_that_are_asked_for_come(webhooks: Webhooks) -> None:
    await webhooks.endpoint(A, "einladung.v1.AppointmentErased")
    event = webhooks.scheduled()
    await webhooks.hear(event)
    [erased] = await webhooks.hear(webhooks.erased(event.appointment_id))
    await webhooks.send_due()
    assert [each.event_id for each in webhooks.receivers.posts] == [erased]


async def test_a_failure_holds_back_its_appointment_alone(webhooks: Webhooks) -> None:
    first, second = await webhooks.endpoint(A), await webhooks.endpoint(B)
    stuck, other = uuid4(), uuid4()
    webhooks.receivers.answers[A] = lambda post: BROKEN if _of(post) == stuck else OK
    await webhooks.hear(
        *(webhooks.scheduled(at, of=each) for at in (1, 2) for each in (stuck, other))
    )
    await webhooks.send_due()
    told = [(_of(each), each.version) for each in webhooks.receivers.to(A)]
    assert sorted(told) == sorted([(stuck, 1), (other, 1), (other, 2)])
    assert len(webhooks.receivers.to(B)) == 4
    assert await webhooks.states(second) == ["delivered"] * 4
    # The second of the one that is stuck waits, whatever the time, until the first is through.
    webhooks.now += WAITS[0]
    await webhooks.send_due()
    assert [each.version for each in webhooks.receivers.to(A) if _of(each) == stuck] == [1, 1]
    webhooks.receivers.answers.clear()
    webhooks.now += WAITS[1]
    await webhooks.send_due()
    assert [each.version for each in webhooks.receivers.to(A) if _of(each) == stuck] == [1, 1, 1, 2]
    assert await webhooks.states(first) == ["delivered"] * 4


async def test_tries_end_and_the_next_of_the_appointment_has_its_turn(webhooks: Webhooks) -> None:
    endpoint = await webhooks.endpoint(A)
    appointment, others = uuid4(), uuid4()
    webhooks.receivers.answers[A] = lambda post: (
        BROKEN if _of(post) == appointment and post.version == 1 else OK
    )
    await webhooks.hear(*(webhooks.scheduled(at, of=appointment) for at in (1, 2)))
    began = webhooks.now
    times = []
    for wait in (timedelta(), *WAITS):
        webhooks.now += wait
        times.append(webhooks.now - began)
        # so that the endpoint as such is alive
        await webhooks.hear(webhooks.scheduled(of=others))
        await webhooks.send_due()
    assert len(times) == MOST_TRIES
    assert timedelta(days=3) < times[-1] < timedelta(days=3.5)
    assert await webhooks.states(endpoint) == ["failed", *["delivered"] * (1 + MOST_TRIES)]
    of_this = [each.version for each in webhooks.receivers.posts if _of(each) == appointment]
    assert of_this == [*[1] * MOST_TRIES, 2]
    assert (await webhooks.get(endpoint)).failing_since is None
    tried = [each for each in webhooks.receivers.posts if each.headers and _of(each) == appointment]
    assert len({each.event_id for each in tried[:-1]}) == 1  # the same id at each try
    assert len({each.body for each in tried[:-1]}) == 1


async def test_an_endpoint_that_only_fails_is_given_up(webhooks: Webhooks) -> None:
    endpoint = await webhooks.endpoint(A)
    webhooks.receivers.answers[A] = lambda _: Answer(CallResult.CONNECTION)
    await webhooks.hear(webhooks.scheduled())
    for wait in (timedelta(), *WAITS):
        webhooks.now += wait
        await webhooks.send_due()
    given_up = await webhooks.get(endpoint)
    assert (given_up.enabled, given_up.disabled_reason) == (False, DisabledReason.FAILING)
    assert given_up.disabled_at == webhooks.now
    called = len(webhooks.receivers.posts)
    await webhooks.hear(webhooks.scheduled())
    await webhooks.send_due()
    assert len(webhooks.receivers.posts) == called


async def test_410_ends_it_at_once_with_all_that_waits(webhooks: Webhooks) -> None:
    endpoint = await webhooks.endpoint(A)
    webhooks.receivers.answers[A] = lambda _: GONE
    appointment = uuid4()
    await webhooks.hear(*(webhooks.scheduled(at, of=appointment) for at in (1, 2, 3)))
    await webhooks.send_due()
    assert (await webhooks.get(endpoint)).disabled_reason is DisabledReason.GONE
    assert await webhooks.states(endpoint) == ["failed", "cancelled", "cancelled"]
    assert len(webhooks.receivers.posts) == 1


async def test_a_slow_endpoint_leaves_the_others_their_places(webhooks: Webhooks) -> None:
    await webhooks.endpoint(A)
    await webhooks.endpoint(B)
    webhooks.receivers.held[A] = asyncio.Event()
    await webhooks.hear(*(webhooks.scheduled() for _ in range(12)))
    worker = asyncio.create_task(webhooks.worker(concurrency=6, share=4, drain=5.0).run())
    try:
        await webhooks.until(lambda: len(webhooks.receivers.to(B)) == 12)
        assert webhooks.receivers.at_once[A] <= 4
        webhooks.receivers.held[A].set()
        await webhooks.until(lambda: len(webhooks.receivers.to(A)) == 12)
    finally:
        worker.cancel()
        await asyncio.wait([worker])
    assert webhooks.receivers.most_at_once[A] <= 4


async def test_one_whose_last_call_failed_gets_one_at_a_time(webhooks: Webhooks) -> None:
    endpoint = await webhooks.endpoint(A)
    webhooks.receivers.answers[A] = lambda _: BROKEN
    await webhooks.hear(webhooks.scheduled())
    await webhooks.send_due()
    assert (await webhooks.get(endpoint)).failing_since == webhooks.now
    webhooks.receivers.most_at_once.clear()
    await webhooks.hear(*(webhooks.scheduled() for _ in range(5)))
    await webhooks.send_due()
    assert len(webhooks.receivers.posts) == 6
    assert webhooks.receivers.most_at_once[A] == 1


async def test_two_replicas_send_each_event_once_and_in_order(webhooks: Webhooks) -> None:
    await webhooks.endpoint(A)
    appointments = [uuid4() for _ in range(5)]
    for version in range(1, 5):
        await webhooks.hear(*(webhooks.scheduled(version, of=each) for each in appointments))
    both = [asyncio.create_task(webhooks.worker(drain=5.0).run()) for _ in range(2)]
    try:
        await webhooks.until(lambda: len(webhooks.receivers.posts) == 20)
    finally:
        for each in both:
            each.cancel()
        await asyncio.wait(both)
    assert len({each.event_id for each in webhooks.receivers.posts}) == 20
    assert len(webhooks.receivers.posts) == 20
    for appointment in appointments:
        versions = [each.version for each in webhooks.receivers.posts if _of(each) == appointment]
        assert versions == [1, 2, 3, 4]


async def test_what_a_dead_process_held_is_sent_when_its_lease_has_run_out(
    webhooks: Webhooks,
) -> None:
    endpoint = await webhooks.endpoint(A)
    await webhooks.hear(webhooks.scheduled())
    async with webhooks.db.system() as tx:
        until = webhooks.now + timedelta(seconds=45)
        [claim] = await store.claim(
            tx,
            now=webhooks.now,
            until=until,
            lease=uuid4(),
            most=10,
            share=4,
            under_way={},
        )
    webhooks.now = until
    await webhooks.send_due()
    assert len(webhooks.receivers.posts) == 1
    # And the late end of the first process' call changes nothing.
    async with webhooks.db.system() as tx:
        await store.record(tx, claim, GONE, 1, now=webhooks.now, jitter=0, limit=LIMIT)
    assert (await webhooks.get(endpoint)).enabled
    assert await webhooks.states(endpoint) == ["delivered"]


async def test_told_to_stop_a_worker_gives_back_what_it_has_not_ended(webhooks: Webhooks) -> None:
    await webhooks.endpoint(A)
    webhooks.receivers.held[A] = asyncio.Event()
    await webhooks.hear(webhooks.scheduled())
    worker = asyncio.create_task(webhooks.worker().run())
    await webhooks.until(lambda: bool(webhooks.receivers.posts))
    worker.cancel()
    await asyncio.wait([worker])
    webhooks.receivers.held.clear()
    await webhooks.send_due()  # at the same time: no lease is waited for
    assert len(webhooks.receivers.posts) == 2


async def test_an_erased_appointment_is_forgotten_and_said_to_be(webhooks: Webhooks) -> None:
    endpoint = await webhooks.endpoint(A)
    webhooks.receivers.answers[A] = lambda _: BROKEN
    appointment = uuid4()
    await webhooks.hear(*(webhooks.scheduled(at, of=appointment) for at in (1, 2)))
    await webhooks.send_due()
    webhooks.receivers.answers.clear()
    [erased] = await webhooks.hear(webhooks.erased(appointment))
    await webhooks.hear(webhooks.scheduled(3, of=appointment))  # late
    await webhooks.send_due()
    assert [each.event_id for each in webhooks.receivers.posts[1:]] == [erased]
    async with webhooks.db.system() as tx:
        assert [row["id"] for row in await tx.fetch("SELECT id FROM events")] == [erased]
    assert [each.event_id for each in await webhooks.attempts(endpoint)] == [erased]


async def test_both_secrets_sign_until_the_old_ones_term_ends(webhooks: Webhooks) -> None:
    endpoint = await webhooks.endpoint(A)
    old = webhooks.secret(endpoint)
    until = webhooks.now + timedelta(hours=24)
    bound_to = associated_data(endpoint.practice_id, endpoint.id)
    new = "whsec_" + "A" * 43 + "="
    async with webhooks.db.practice(endpoint.practice_id) as tx:
        sealed = webhooks.sealer.seal(new.encode(), bound_to)
        await endpoint_store.rotate(tx, endpoint.id, sealed, old_until=until)
    await webhooks.hear(webhooks.scheduled())
    await webhooks.send_due()
    [post] = webhooks.receivers.posts
    assert len(post.headers["webhook-signature"].split()) == 2
    for secret in (old, new):
        Webhook(secret).verify(post.body, dict(post.headers))
    webhooks.now = until
    await webhooks.hear(webhooks.scheduled())
    await webhooks.send_due()
    assert len(webhooks.receivers.posts[-1].headers["webhook-signature"].split()) == 1
    async with webhooks.db.system() as tx:
        await endpoint_store.forget_old_secrets(tx, until + timedelta(seconds=1))
    assert (await webhooks.get(endpoint)).old_secret is None


async def test_what_can_not_be_opened_here_is_left_to_who_can(
    webhooks: Webhooks, webhooks_db: Database
) -> None:
    await webhooks.endpoint(A)
    await webhooks.hear(webhooks.scheduled())
    keyless = Webhooks(webhooks_db, Sealer({2: b"\1" * 32}), now=webhooks.now)
    worker = asyncio.create_task(keyless.worker().run())

    async def claimed() -> bool:
        async with webhooks.db.system() as tx:
            found = await tx.fetchval("SELECT count(*) FROM deliveries WHERE lease IS NOT NULL")
        return bool(found)

    await eventually(claimed, "a lease")
    worker.cancel()
    await asyncio.wait([worker])
    assert not keyless.receivers.posts
    webhooks.now += timedelta(minutes=1)
    await webhooks.send_due()
    assert len(webhooks.receivers.posts) == 1


async def test_old_events_are_forgotten_and_hold_nothing_back(webhooks: Webhooks) -> None:
    endpoint = await webhooks.endpoint(A)
    webhooks.receivers.answers[A] = lambda post: BROKEN if post.version == 1 else OK
    appointment = uuid4()
    await webhooks.hear(webhooks.scheduled(1, of=appointment))
    await webhooks.send_due()
    webhooks.now += timedelta(seconds=1)
    await webhooks.hear(webhooks.scheduled(2, of=appointment))
    async with webhooks.db.system() as tx:
        await store.purge(tx, webhooks.now, webhooks.now)  # what came before the second
    await webhooks.send_due()
    assert [each.version for each in webhooks.receivers.posts] == [1, 2]
    assert await webhooks.states(endpoint) == ["delivered"]
    assert [each.number for each in await webhooks.attempts(endpoint)] == [1]


def _of(post: Post) -> UUID:
    return UUID(json.loads(post.body)["subject"])
