"""HTTP in: what gateways report of text messages. Stored before it is acknowledged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from fastapi_problem.error import Problem

from chassis import problems
from chassis.database import Database
from services.notification.receipts import store as receipt_store
from services.notification.sending.sms.gateway import Gateway
from services.notification.sending.sms.receipts import Forged, ReceiptRequest, Unreadable

router = APIRouter(prefix="/v1/receipts", tags=["receipts"])


class UnknownGateway(Problem):
    """404: no gateway of this name is set up here."""

    def __init__(self) -> None:
        super().__init__(title="There is no such gateway.", type_="not-found", status=404)


class NotGenuine(Problem):
    """401: the signature is missing, wrong or too old."""

    def __init__(self) -> None:
        super().__init__(title="The signature does not hold.", type_="not-genuine", status=401)


class NotUnderstood(Problem):
    """400: signed by the gateway, and yet not understood."""

    def __init__(self, what: str) -> None:
        super().__init__(
            title="The receipt is not understood.", type_="not-understood", status=400, detail=what
        )


@dataclass(frozen=True, slots=True)
class ReceiptDesk:
    """What the route needs; `wake_reader` is called after every stored call."""

    db: Database
    gateways: Mapping[str, Gateway]
    wake_reader: Callable[[], None]


@router.post(
    "/{gateway}",
    status_code=204,
    response_class=Response,
    responses={
        400: problems.response("Signed by the gateway, and yet not understood"),
        401: problems.response("The signature is missing, wrong or too old"),
        404: problems.response("No such gateway is set up"),
        413: problems.response("The body is too large"),
    },
)
async def take_receipts(gateway: str, request: Request) -> Response:
    """Receipts of one gateway, in its own format and with its own signature."""
    desk: ReceiptDesk = request.app.state.receipts
    known = desk.gateways.get(gateway)
    if known is None:
        raise UnknownGateway
    now = datetime.now(UTC)
    try:
        receipts = known.parse_receipts(
            ReceiptRequest(
                method=request.method,
                query=request.url.query,
                headers=request.headers,
                body=await request.body(),
                received_at=now,
            )
        )
    except Forged:
        raise NotGenuine from None
    except Unreadable as error:
        raise NotUnderstood(str(error)) from None
    if receipts:
        async with desk.db.system() as tx:
            await receipt_store.store_gateway_receipts(tx, receipts, now)
        desk.wake_reader()
    return Response(status_code=204)
