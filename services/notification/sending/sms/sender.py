"""The SMS channel: composes the invitation and hands it to the first gateway that takes it."""

import re
from uuid import UUID

from services.notification.deliveries.events import Reply
from services.notification.letters import sms as texts
from services.notification.sending.sender import Outgoing, Verdict
from services.notification.sending.sms.failover import Failover
from services.notification.sending.sms.gateway import INVALID_NUMBER, GatewayResult, TextMessage
from services.notification.sending.sms.receipts import GatewayReceipt

E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class SmsSender:
    """Sends invitations under one sender name."""

    def __init__(self, gateways: Failover, *, sender: str) -> None:
        self._gateways = gateways
        self._sender = sender

    @property
    def longest_send(self) -> float:
        """Seconds after which a try has ended, whatever the gateways do."""
        return self._gateways.longest_send

    async def send(self, outgoing: Outgoing) -> GatewayResult:
        """Try once, under the delivery's id. Raises UnusableLetter and LeaseLost."""
        letter = outgoing.letter
        if not E164.fullmatch(letter.recipient):
            return GatewayResult(Verdict.PERMANENT, Reply(status=INVALID_NUMBER))
        text = TextMessage(
            reference=outgoing.delivery.id,
            to=letter.recipient,
            body=texts.compose(letter),
            sender=self._sender,
        )
        outgoing.hand_over()
        return await self._gateways.send(text)

    async def query(
        self, delivery_id: UUID, gateway: str | None = None, gateway_id: str | None = None
    ) -> GatewayReceipt | None:
        """What a gateway knows of a delivery: after a lost reply, or for want of a receipt."""
        return await self._gateways.query(delivery_id, gateway, gateway_id)

    async def close(self) -> None:
        """Close idle connections."""
        await self._gateways.close()
