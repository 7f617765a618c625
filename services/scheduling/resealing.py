"""What scheduling seals anew after a key was added: contacts. Events in the outbox pass by soon."""

from chassis import resealing, sealing
from chassis.database import Connection
from chassis.sealing import Sealer
from services.scheduling import contact_store


class Resealing:
    """Contacts in batches, and how much waits in the outbox under older keys."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._contacts = resealing.Resealing(sealer, contact_store.CONTACTS)

    async def batch(self, tx: Connection) -> bool:
        """Seal a batch that is under older keys; False at the end of a round."""
        more = await self._contacts.batch(tx)
        waiting = await tx.fetchval(
            "SELECT count(*) FROM outbox WHERE sealed AND get_byte(value, 0) <> $1",
            self._sealer.newest,
        )
        sealing.older.labels("outbox.value").set(waiting)
        return more
