"""`status`: the service for one practice, over an empty database."""

import pytest

from chassis.database import Database
from tests.database.status.support import Status


@pytest.fixture
def status(status_db: Database) -> Status:
    return Status(status_db)
