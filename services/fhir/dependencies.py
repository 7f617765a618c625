"""What one process of the service has, made by its wiring, and how routes come by it."""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from chassis.auth import NotAuthenticated, practice_in
from chassis.tracing import PRACTICE
from chassis.upstreams import Upstreams
from services.fhir.problems import NotSpoken
from services.fhir.upstream import Apis

# RFC 6750, section 2.1. Whether it holds the services say, which check it anyway.
_BEARER = re.compile(r"bearer +([A-Za-z0-9\-._~+/]+=*)", re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z0-9*;=,. -]{1,200}")
FORMATS = {"json", "application/json", "application/fhir+json", "application/fhir json"}
RANGES = {"*/*", "application/*", "application/json", "application/fhir+json", "text/json"}


@dataclass(frozen=True, slots=True)
class Services:
    """Set once, as `app.state.services`, before the first request."""

    upstreams: Upstreams
    base: str  # of all resources, without a slash at its end


async def services(request: Request) -> Services:
    """FastAPI dependency: all of it."""
    found: Services = request.app.state.services
    return found


State = Annotated[Services, Depends(services)]


async def apis(request: Request, services: State) -> Apis:
    """FastAPI dependency: the APIs, with the caller's token. Raises NotAuthenticated."""
    token = _BEARER.fullmatch(request.headers.get("authorization", ""))
    if token is None:
        raise NotAuthenticated
    language = request.headers.get("accept-language", "")

    def accepted() -> None:
        request.scope[PRACTICE] = practice_in(token[1])

    said = language if _LANGUAGE.fullmatch(language) else None
    return Apis(services.upstreams, token[1], accepted, said)


Caller = Annotated[Apis, Depends(apis)]


async def json_is_spoken(request: Request) -> None:
    """FastAPI dependency: raises NotSpoken for who asks for XML or the like.

    `_format` wins over Accept (https://hl7.org/fhir/R4/http.html#parameters).
    """
    asked = request.query_params.get("_format")
    if asked is not None:
        if asked.partition(";")[0].strip() not in FORMATS:
            raise NotSpoken
        return
    accept = request.headers.get("accept") or "*/*"
    if not any(each.partition(";")[0].strip().lower() in RANGES for each in accept.split(",")):
        raise NotSpoken


def is_lenient(request: Request) -> bool:
    """Whether what is not known may be passed over (https://hl7.org/fhir/R4/search.html#errors)."""
    return "handling=lenient" in _preferences(request)


def wants_no_body(request: Request) -> bool:
    """Whether a written resource need not come back."""
    return "return=minimal" in _preferences(request)


def _preferences(request: Request) -> set[str]:
    lines = ",".join(request.headers.getlist("prefer"))
    return {each.strip().lower() for each in re.split("[,;]", lines)}
