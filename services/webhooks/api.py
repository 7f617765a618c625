"""HTTP in: a practice's system says where events go, tests, replays and reads the log."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Query, Response
from uuid_utils.compat import uuid7

from chassis import standard_webhooks, tracing
from chassis.auth import Caller
from chassis.clock import utc_now
from chassis.database import Connection
from chassis.openapi import LOCATION, NO_STORE, answer
from chassis.problems import FieldError, InvalidInput, responses
from chassis.said import Said
from services.webhooks import bodies, endpoint_store, store
from services.webhooks.addresses import Reach, RefusedUrl
from services.webhooks.dependencies import State, WebhookManager
from services.webhooks.endpoints import DisabledReason, Endpoint, associated_data
from services.webhooks.problems import (
    DisabledByOperator,
    NoWebhook,
    QueueFull,
    TooManyWebhooks,
    WebhookDisabled,
)
from services.webhooks.store import Kept, Range
from services.webhooks.views import (
    AttemptsView,
    AttemptView,
    NewWebhook,
    NewWebhookView,
    Replay,
    ReplayView,
    Rotation,
    SecretView,
    SentTestView,
    WebhookChange,
    WebhooksView,
    WebhookView,
)

log = structlog.get_logger(__name__)

REPLAYED_AT_ONCE = 1000
MOST_WAITING = 10_000  # beyond which nothing is replayed
MAX_PAGE = 100

URL_FAULTS = {
    each.code.removeprefix("url_"): each
    for each in (
        FieldError(
            "url",
            "url_syntax",
            Said(
                "Bitte geben Sie eine vollständige Adresse an, ohne „#“.",
                "Please give a whole URL, without “#”.",
            ),
        ),
        FieldError(
            "url",
            "url_scheme",
            Said("Die Adresse muss mit https:// beginnen.", "The URL has to begin with https://."),
        ),
        FieldError(
            "url",
            "url_port",
            Said("Dieser Port ist nicht erlaubt.", "This port is not allowed."),
        ),
        FieldError(
            "url",
            "url_credentials",
            Said(
                "Die Adresse darf keine Zugangsdaten enthalten.",
                "There must be no credentials in the URL.",
            ),
        ),
        FieldError(
            "url",
            "url_address",
            Said(
                "Diese Adresse ist nicht öffentlich erreichbar.",
                "This address can't be reached publicly.",
            ),
        ),
    )
}
UNKNOWN_TYPE = Said("Ereignisse dieser Art gibt es nicht.", "There are no events of this type.")
NO_RANGE = FieldError(
    "since",
    "either",
    Said(
        "Bitte geben Sie entweder einen Zeitraum mit since oder event_ids an.",
        "Please give either a range of time with since, or event_ids.",
    ),
)

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


@router.post(
    "",
    status_code=201,
    responses=responses(TooManyWebhooks) | answer(201, Location=LOCATION, Cache_Control=NO_STORE),
)
async def create_webhook(
    caller: WebhookManager, services: State, new: NewWebhook, response: Response
) -> NewWebhookView:
    """Have the practice's events sent there from now on, signed with the secret in the answer."""
    _check(services.reach, new.url, new.event_types)
    secret, endpoint_id = standard_webhooks.new_secret(), uuid7()
    endpoint = Endpoint(
        id=endpoint_id,
        practice_id=caller.practice_id,
        url=new.url,
        description=new.description,
        event_types=list(dict.fromkeys(new.event_types)),
        secret=services.sealer.seal(
            secret.encode(), associated_data(caller.practice_id, endpoint_id)
        ),
        old_secret=None,
        old_secret_until=None,
        created_at=utc_now(),
        enabled=True,
        disabled_at=None,
        disabled_reason=None,
        failing_since=None,
    )
    async with services.db.practice(caller.practice_id) as tx:
        if await endpoint_store.count(tx, caller.practice_id) >= services.most_endpoints:
            raise TooManyWebhooks
        await endpoint_store.add(tx, endpoint)
    _note("webhook created", caller, endpoint_id)
    response.headers["Location"] = f"{router.prefix}/{endpoint_id}"
    response.headers["Cache-Control"] = "no-store"
    return NewWebhookView(**WebhookView.of(endpoint, 0).model_dump(), secret=secret)


@router.get("")
async def list_webhooks(caller: WebhookManager, services: State) -> WebhooksView:
    """All of the practice's."""
    async with services.db.practice(caller.practice_id) as tx:
        found = await endpoint_store.every(tx, caller.practice_id)
        waiting = await store.waiting(tx, [each.id for each in found])
    return WebhooksView(webhooks=[WebhookView.of(each, waiting.get(each.id, 0)) for each in found])


@router.get("/{webhook_id}", responses=responses(NoWebhook))
async def get_webhook(caller: WebhookManager, services: State, webhook_id: UUID) -> WebhookView:
    """One of them."""
    async with services.db.practice(caller.practice_id) as tx:
        return await _view(tx, caller.practice_id, webhook_id)


@router.patch("/{webhook_id}", responses=responses(NoWebhook, DisabledByOperator))
async def change_webhook(
    caller: WebhookManager, services: State, webhook_id: UUID, change: WebhookChange
) -> WebhookView:
    """Change what is named. `enabled: true` also lets one be called that was given up."""
    _check(services.reach, change.url, change.event_types or ())
    async with services.db.practice(caller.practice_id) as tx:
        endpoint = await _locked(tx, caller.practice_id, webhook_id)
        types = endpoint.event_types if change.event_types is None else change.event_types
        await endpoint_store.change(
            tx,
            webhook_id,
            url=endpoint.url if change.url is None else change.url,
            description=(
                endpoint.description if change.description is None else change.description
            ),
            event_types=list(dict.fromkeys(types)),
        )
        if change.enabled is True:
            if endpoint.disabled_reason is DisabledReason.OPERATOR:
                raise DisabledByOperator
            await endpoint_store.enable(tx, webhook_id)
        elif change.enabled is False:
            await endpoint_store.disable(tx, webhook_id, DisabledReason.PRACTICE, utc_now())
        view = await _view(tx, caller.practice_id, webhook_id)
    _note("webhook changed", caller, webhook_id)
    return view


@router.delete("/{webhook_id}", status_code=204, responses=responses(NoWebhook))
async def delete_webhook(caller: WebhookManager, services: State, webhook_id: UUID) -> None:
    """Send nothing more, and forget its queue and its log."""
    async with services.db.practice(caller.practice_id) as tx:
        if not await endpoint_store.remove(tx, caller.practice_id, webhook_id):
            raise NoWebhook
    _note("webhook deleted", caller, webhook_id)


@router.post(
    "/{webhook_id}/secret",
    responses=responses(NoWebhook) | answer(200, Cache_Control=NO_STORE),
)
async def rotate_secret(
    caller: WebhookManager,
    services: State,
    webhook_id: UUID,
    rotation: Rotation,
    response: Response,
) -> SecretView:
    """A new secret. For the overlap what is sent carries two signatures, the new one's first."""
    secret = standard_webhooks.new_secret()
    old_until = utc_now() + timedelta(hours=rotation.overlap_hours)
    sealed = services.sealer.seal(secret.encode(), associated_data(caller.practice_id, webhook_id))
    async with services.db.practice(caller.practice_id) as tx:
        await _locked(tx, caller.practice_id, webhook_id)
        await endpoint_store.rotate(tx, webhook_id, sealed, old_until=old_until)
    _note("webhook secret rotated", caller, webhook_id)
    response.headers["Cache-Control"] = "no-store"
    return SecretView(secret=secret, old_secret_until=old_until)


@router.post("/{webhook_id}/test", status_code=202, responses=responses(NoWebhook, WebhookDisabled))
async def test_webhook(caller: WebhookManager, services: State, webhook_id: UUID) -> SentTestView:
    """Send an event that says nothing, of the type einladung.v1.WebhookTest."""
    event_id, now = uuid7(), utc_now()
    async with services.db.practice(caller.practice_id) as tx:
        endpoint = await _locked(tx, caller.practice_id, webhook_id)
        if not endpoint.enabled:
            raise WebhookDisabled
        await store.keep(
            tx,
            [
                Kept(
                    id=event_id,
                    practice_id=caller.practice_id,
                    subject=webhook_id,
                    type=bodies.TEST_TYPE,
                    time=now,
                    received_at=now,
                    body=bodies.of_test(event_id, caller.practice_id, webhook_id, now),
                    traceparent=tracing.traceparent(),
                )
            ],
        )
        await store.queue(tx, [(endpoint, event_id, webhook_id)], now)
    services.wake_worker()
    return SentTestView(event_id=event_id)


@router.post(
    "/{webhook_id}/replay",
    status_code=202,
    responses=responses(NoWebhook, WebhookDisabled, QueueFull),
)
async def replay_webhook(
    caller: WebhookManager, services: State, webhook_id: UUID, wanted: Replay
) -> ReplayView:
    """Send events again, under the ids that they had, in their order, behind what is queued.

    Up to 1000 at once: as long as `next` is not null there is more. What is queued already is not
    queued twice.
    """
    if (wanted.since is None) == (wanted.event_ids is None):
        raise InvalidInput([NO_RANGE])
    now = utc_now()
    async with services.db.practice(caller.practice_id) as tx:
        endpoint = await _locked(tx, caller.practice_id, webhook_id)
        if not endpoint.enabled:
            raise WebhookDisabled
        if (await store.waiting(tx, [webhook_id])).get(webhook_id, 0) >= MOST_WAITING:
            raise QueueFull
        queued, following = await store.replay(
            tx,
            endpoint,
            Range(wanted.since, wanted.until, wanted.event_ids, wanted.cursor or 0),
            kept_since=now - services.retention,
            limit=REPLAYED_AT_ONCE,
            now=now,
        )
    _note("webhook replayed", caller, webhook_id)
    services.wake_worker()
    return ReplayView(queued=queued, next=following)


@router.get("/{webhook_id}/attempts", responses=responses(NoWebhook))
async def list_attempts(
    caller: WebhookManager,
    services: State,
    webhook_id: UUID,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: Annotated[UUID | None, Query(description="`next` of the page before.")] = None,
) -> AttemptsView:
    """The log of calls, the newest first. It is kept as long as the events are."""
    async with services.db.practice(caller.practice_id) as tx:
        if await endpoint_store.get(tx, caller.practice_id, webhook_id) is None:
            raise NoWebhook
        found = await store.attempts(
            tx, caller.practice_id, webhook_id, before=cursor, limit=limit + 1
        )
    shown = found[:limit]
    return AttemptsView(
        attempts=[AttemptView.of(each) for each in shown],
        next=shown[-1].id if len(found) > limit else None,
    )


async def _view(tx: Connection, practice_id: UUID, webhook_id: UUID) -> WebhookView:
    endpoint = await endpoint_store.get(tx, practice_id, webhook_id)
    if endpoint is None:
        raise NoWebhook
    waiting = await store.waiting(tx, [webhook_id])
    return WebhookView.of(endpoint, waiting.get(webhook_id, 0))


async def _locked(tx: Connection, practice_id: UUID, webhook_id: UUID) -> Endpoint:
    endpoint = await endpoint_store.lock(tx, practice_id, webhook_id)
    if endpoint is None:
        raise NoWebhook
    return endpoint


def _check(reach: Reach, url: str | None, event_types: "list[str] | tuple[()]") -> None:
    """Raise InvalidInput with all that is wrong."""
    faults: list[FieldError] = []
    if url is not None:
        try:
            reach.check_url(url)
        except RefusedUrl as fault:
            faults.append(URL_FAULTS[str(fault)])
    faults += [
        FieldError(f"event_types.{at}", "unknown_type", UNKNOWN_TYPE, sorted(bodies.PUBLIC))
        for at, each in enumerate(event_types)
        if each not in bodies.PUBLIC
    ]
    if faults:
        raise InvalidInput(faults)


def _note(what: str, caller: Caller, webhook_id: UUID) -> None:
    log.info(
        what, practice=str(caller.practice_id), subject=caller.subject, endpoint=str(webhook_id)
    )
