"""Search results as FHIR's Bundle, with links to the pages. Pure."""

from collections.abc import Sequence
from urllib.parse import urlencode

from services.fhir.search import CURSOR, Query
from services.fhir.systems import Resource


def bundle(
    base: str,
    kind: str,
    query: Query,
    found: Sequence[Resource],
    *,
    following: str | None = None,
    total: int | None = None,
    outcome: Resource | None = None,
) -> Resource:
    """A page; `following` is where the next one begins. The total is told only if it is known.

    `outcome` tells something of the search, beside what was found.
    """
    result: Resource = {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": "self", "url": _url(base, kind, query, query.cursor)}],
    }
    if total is not None:
        result["total"] = total
    if following is not None:
        result["link"].append({"relation": "next", "url": _url(base, kind, query, following)})
    entries: list[Resource] = [
        {
            "fullUrl": f"{base}/{kind}/{each['id']}",
            "resource": each,
            "search": {"mode": "match"},
        }
        for each in found
    ]
    if outcome is not None:
        entries.append({"resource": outcome, "search": {"mode": "outcome"}})
    return result | ({"entry": entries} if entries else {})


def _url(base: str, kind: str, query: Query, cursor: str | None) -> str:
    heeded = [*query.heeded, *([(CURSOR, cursor)] if cursor is not None else [])]
    return f"{base}/{kind}" + (f"?{urlencode(heeded)}" if heeded else "")
