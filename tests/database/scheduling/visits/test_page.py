"""The patient's page stays open for patients, whatever strangers guess."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

import pytest
from fastapi import Request

from chassis.database import Database
from chassis.sealing import Sealer
from chassis.throttle import AddressThrottle, Throttle
from services.scheduling.links import Link
from services.scheduling.visits.joining import Joining
from services.scheduling.visits.opening import OpeningHours
from services.scheduling.visits.page import PatientPage
from services.scheduling.visits.page_lookup import PageLookup
from services.scheduling.visits.page_rendering import Pages
from services.scheduling.visits.page_throttle import PageThrottle
from tests.database.conftest import NewPractice
from tests.database.scheduling.support import LINKS, Desk


def page(db: Database, sealer: Sealer) -> PatientPage:
    return PatientPage(
        links=LINKS,
        lookup=PageLookup(db, sealer),
        throttle=PageThrottle(
            links=Throttle(6), guesses=AddressThrottle(6), guesses_in_all=Throttle(60)
        ),
        pages=Pages(()),
        rooms=None,
        hours=OpeningHours(timedelta(minutes=15), None),
        joining=Joining(db, lambda: None),
    )


async def opened(page: PatientPage, token: str, addresses: Iterable[str]) -> Counter[int]:
    """How often each status answers one request from each of these addresses, all at once."""

    async def open_from(address: str) -> int:
        scope = {"type": "http", "client": (address, 1), "headers": [], "query_string": b""}
        return (await page.open(Request(scope), token)).status_code

    return Counter(await asyncio.gather(*map(open_from, addresses)))


@pytest.fixture
async def token(scheduling_db: Database, sealer: Sealer, new_practice: NewPractice) -> str:
    desk = Desk(scheduling_db, sealer, await new_practice())
    return LINKS.token(Link(await desk.create(), 1))


async def test_made_up_links_from_many_addresses_shut_out_nobody_with_a_link(
    scheduling_db: Database, sealer: Sealer, token: str
) -> None:
    shown = page(scheduling_db, sealer)
    strangers = [f"198.51.100.{number}" for number in range(80)]
    assert await opened(shown, "made-up", strangers) == {404: 60, 429: 20}
    assert await opened(shown, token, ["203.0.113.7"]) == {200: 1}
    # nor at the address that they come from, which may be a mobile network's
    await opened(shown, "made-up", ["198.51.100.1"] * 10)
    assert await opened(shown, token, ["198.51.100.1"] * 7) == {200: 6, 429: 1}


async def test_one_site_is_not_as_many_strangers_as_it_has_networks(
    scheduling_db: Database, sealer: Sealer, token: str
) -> None:
    shown = page(scheduling_db, sealer)
    household = [f"2001:db8:1:{number:x}::1" for number in range(40)]
    assert await opened(shown, "made-up", household) == {404: 4 * 6, 429: 40 - 4 * 6}
    assert await opened(shown, "made-up", ["192.0.2.1"]) == {404: 1}
    assert await opened(shown, token, household[-1:]) == {200: 1}


async def test_what_strangers_make_up_takes_no_connection_to_the_database(
    scheduling_db: Database, sealer: Sealer, token: str
) -> None:
    shown = page(scheduling_db, sealer)
    await scheduling_db.close()
    assert await opened(shown, "made-up", ["192.0.2.1"]) == {404: 1}
    forged = token[:-1] + ("A" if token[-1] != "A" else "Q")
    assert await opened(shown, forged, ["192.0.2.1"]) == {404: 1}
    with pytest.raises(Exception, match="closed"):
        await opened(shown, token, ["192.0.2.1"])
