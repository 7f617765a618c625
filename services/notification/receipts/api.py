"""HTTP in: what gateways report of text messages. Stored before it is acknowledged."""

from fastapi import APIRouter, Request, Response

from chassis import problems
from services.notification.dependencies import State
from services.notification.problems import NotGenuine, NotUnderstood, UnknownGateway
from services.notification.receipts import store as receipt_store
from services.notification.sending.sms.receipts import Forged, ReceiptRequest, Unreadable

router = APIRouter(prefix="/v1/receipts", tags=["receipts"])


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
async def take_receipts(gateway: str, request: Request, services: State) -> Response:
    """Receipts of one gateway, in its own format and with its own signature."""
    known = services.gateways.get(gateway)
    if known is None:
        raise UnknownGateway
    now = services.clock()
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
        async with services.db.system() as tx:
            await receipt_store.store_gateway_receipts(tx, receipts, now)
        services.wake_reader()
    return Response(status_code=204)
