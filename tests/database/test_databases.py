"""A database that another version has left is named at once, and stays as it is."""

from pathlib import Path

import pytest

from local import databases
from local.errors import LocalFailure
from local.modules import MODULES, migrations
from local.servers import DatabaseServer


async def test_data_of_another_version_is_refused_in_one_sentence(
    postgres: DatabaseServer, tmp_path: Path
) -> None:
    owner = postgres.owner_dsn("scheduling")
    with pytest.raises(LocalFailure, match=r"The data of scheduling .* remove it"):
        await databases.refuse_other_schemas("scheduling", tmp_path, owner_dsn=owner)


@pytest.mark.parametrize("service", MODULES)
async def test_data_of_this_version_is_taken(postgres: DatabaseServer, service: str) -> None:
    owner = postgres.owner_dsn(service)
    await databases.refuse_other_schemas(service, migrations(service), owner_dsn=owner)
