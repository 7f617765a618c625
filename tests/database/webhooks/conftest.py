"""`webhooks`: the service for one practice, over an empty database."""

import pytest

from chassis.database import Database
from chassis.sealing import Sealer
from tests.database.webhooks.support import Webhooks


@pytest.fixture
def webhooks(webhooks_db: Database, sealer: Sealer) -> Webhooks:
    return Webhooks(webhooks_db, sealer)
