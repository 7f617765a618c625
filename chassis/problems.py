"""Errors as RFC 9457 problem details, naming the field and never repeating its value.

Each problem is a class, with a code for programs, words for people in German and English, and a
page that its `type` leads to (`chassis.problem_pages`).
"""

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, TypeAlias

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_problem.error import Problem, StatusProblem
from fastapi_problem.handler import ExceptionHandler, add_exception_handler, new_exception_handler
from multidict import CIMultiDict
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match, Mount
from starlette_problem.handler import http_exception_handler_

from chassis.database import DatabaseBusy, DatabaseRefuses, DatabaseUnavailable
from chassis.said import Said, in_english, prefers_english

log = structlog.get_logger(__name__)

Responses: TypeAlias = dict[int | str, dict[str, Any]]  # of a route, as FastAPI takes them
PAGES = "/v1/problems"  # where each service tells of them
MOST_ERRORS = 100  # told of one request: more than any form has fields
INVALID = "Not valid: `errors` says what, field by field"


class KnownProblem(StatusProblem):
    """A problem of ours. `type_` is its code; `advice` what whoever meets it can do."""

    title: Said
    advice: Said


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field: a code for programs, a sentence for the form."""

    field: str
    code: str
    message: Said
    options: Sequence[str] = ()


class InvalidInput(KnownProblem):
    """422: the request was understood and can't be done as it is."""

    status = 422
    type_ = "invalid-input"
    title = Said("Die Eingabe ist nicht gültig.", "The input is not valid.")
    advice = Said(
        "`errors` nennt alles, was nicht stimmt, je mit Feld, Code und einem Satz; von sehr vielem "
        "nur einen Teil. Es ist nichts geschehen: berichtigen und noch einmal senden.",
        "`errors` names everything that is wrong, each with its field, a code and a sentence; of "
        "very much only a part. Nothing was done: correct it and send it again.",
    )

    def __init__(self, errors: Iterable[FieldError]) -> None:
        super().__init__(
            errors=[
                {key: value for key, value in asdict(error).items() if key != "options" or value}
                for error in islice(errors, MOST_ERRORS)
            ]
        )


class NotJson(KnownProblem):
    """400: the body is no JSON, so nothing in it was looked at."""

    status = 400
    type_ = "not-json"
    title = Said("Der Inhalt ist kein JSON.", "The body is no JSON.")
    advice = Said(
        "Gültiges JSON in UTF-8 senden, mit `Content-Type: application/json`.",
        "Send valid JSON in UTF-8, with `Content-Type: application/json`.",
    )


class Unexpected(KnownProblem):
    """500: no detail leaves the service; the log knows type and place."""

    status = 500
    type_ = "internal-error"
    title = Said("Bei uns ist etwas schiefgegangen.", "Something went wrong on our side.")
    advice = Said(
        "Später noch einmal versuchen, mit demselben Idempotency-Key. Bleibt es so, hilft dem "
        "Betreiber die Zeit und der `traceparent` der Anfrage.",
        "Try again later, under the same Idempotency-Key. If it stays, the operator can use the "
        "time and the `traceparent` of the request.",
    )

    def __init__(
        self, _detail: str | None = None, headers: MutableMapping[str, str] | None = None
    ) -> None:
        super().__init__(headers=headers)


class DatabaseIsAway(KnownProblem):
    """503: our database does not answer; nothing was done, or all of it."""

    status = 503
    type_ = "database-unavailable"
    title = Said("Die Datenbank ist gerade nicht da.", "The database is not available now.")
    advice = Said(
        "Nach `Retry-After` Sekunden mit demselben Idempotency-Key wiederholen: es ist nichts "
        "geschehen, oder alles.",
        "Repeat it after `Retry-After` seconds under the same Idempotency-Key: nothing was done, "
        "or all of it.",
    )
    headers_ = CIMultiDict({"Retry-After": "2"})  # seconds


class TooBusy(KnownProblem):
    """503: too much is under way, of all practices or of this one; nothing was done, or all."""

    status = 503
    type_ = "too-busy"
    title = Said("Gerade sind zu viele Anfragen unterwegs.", "Too many requests are under way.")
    advice = Said(
        "Nach `Retry-After` Sekunden mit demselben Idempotency-Key wiederholen, und weniger "
        "zugleich senden.",
        "Repeat it after `Retry-After` seconds under the same Idempotency-Key, and send less at a "
        "time.",
    )
    headers_ = CIMultiDict({"Retry-After": "1"})  # seconds


class NoSuchPath(KnownProblem):
    """404: there is nothing at this path."""

    status = 404
    type_ = "http-not-found"
    title = Said("Unter diesem Pfad gibt es nichts.", "There is nothing at this path.")
    advice = Said(
        "Den Pfad mit `/openapi.json` vergleichen; am Ende steht kein Schrägstrich.",
        "Compare the path with `/openapi.json`; there is no slash at its end.",
    )


class WrongMethod(KnownProblem):
    """405: the path is there, and this method is none of its; Allow names those."""

    status = 405
    type_ = "http-method-not-allowed"
    title = Said("Diese Methode geht hier nicht.", "This method does not go here.")
    advice = Said("`Allow` nennt, was hier geht.", "`Allow` names what goes here.")


# What the framework refuses; with 400 a body that is no UTF-8, or nested too deep to be read.
HTTP_PROBLEMS: dict[int, type[KnownProblem]] = {
    each.status: each for each in (NotJson, NoSuchPath, WrongMethod)
}


def _unavailable(
    _handler: ExceptionHandler, _request: Request, error: DatabaseUnavailable
) -> Problem:
    cause = type(error.__cause__ or error).__qualname__
    said = error.__cause__ if isinstance(error, DatabaseRefuses) else None
    log.warning("request not answered", error=type(error).__qualname__, cause=cause, exc_info=said)
    return TooBusy() if isinstance(error, DatabaseBusy) else DatabaseIsAway()


# Codes of fields that any service may give; a service's own are in its problems.py.
FIELD_CODES = {
    "missing": Said("Das Feld fehlt oder ist leer.", "The field is missing or empty."),
    "invalid": Said(
        "Der Wert passt nicht zum Feld. Auch, was keinen genaueren Code hat.",
        "The value does not fit the field. Also of what has no closer code.",
    ),
    "unknown": Said(
        "Dieses Feld, oder diesen Parameter, gibt es hier nicht.",
        "There is no such field, or parameter, here.",
    ),
    "out_of_range": Said("Der Wert ist zu klein oder zu groß.", "The value is too small or large."),
}

NOT_VALID = Said("Diese Eingabe ist nicht gültig.", "This input is not valid.")
FILL_IN = Said("Bitte füllen Sie dieses Feld aus.", "Please fill in this field.")
_MESSAGES = {
    "missing": FILL_IN,
    "string_too_short": FILL_IN,
    "string_too_long": Said("Diese Eingabe ist zu lang.", "This input is too long."),
    "greater_than_equal": Said("Dieser Wert ist zu klein.", "This value is too small."),
    "less_than_equal": Said("Dieser Wert ist zu groß.", "This value is too large."),
    "extra_forbidden": Said("Dieses Feld ist unbekannt.", "This field is not known."),
}
_CODES = {
    "missing": "missing",
    "string_too_short": "missing",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "extra_forbidden": "unknown",
}


def field_error(fault: Mapping[str, Any], *, within: int = 0) -> FieldError:
    """What pydantic says of one value, whose place has so many parts before the field's name."""
    place = fault["loc"]
    return FieldError(
        field=".".join(str(part) for part in place[within:]) or str(place[0]),
        code=_CODES.get(fault["type"], "invalid"),
        message=_MESSAGES.get(fault["type"], NOT_VALID),
    )


def _invalid_request(
    _handler: ExceptionHandler, _request: Request, error: RequestValidationError
) -> Problem:
    faults = error.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        return NotJson()
    return InvalidInput(field_error(fault, within=1) for fault in faults)


METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


def _allowed(request: Request) -> list[str]:
    """The methods that some route takes at this path."""
    taken: set[str] = set()
    for method in METHODS:
        scope = {**request.scope, "method": method, "root_path": ""}
        for route in request.app.routes:
            if route.matches(scope)[0] is Match.FULL:
                taken |= {"GET"} if isinstance(route, Mount) else {method}
    return sorted(taken | {"HEAD"} if "GET" in taken else taken)


def _http_problem(handler: ExceptionHandler, request: Request, error: HTTPException) -> Problem:
    """What the framework refuses. Its own Allow names the methods of one route alone."""
    known = HTTP_PROBLEMS.get(error.status_code)
    if known is None:
        return http_exception_handler_(handler, request, error)
    allow = {"Allow": ", ".join(_allowed(request))} if known is WrongMethod else None
    return known(headers=allow)


def named(content: dict[str, Any]) -> dict[str, Any]:
    """A problem's content with the address of its page as its type, and its code beside it."""
    code = content["type"]
    return {**content, "type": f"{PAGES}/{code}", "code": code}


def said(content: dict[str, Any], request: Request, response: JSONResponse) -> None:
    """Make this problem's content the response's, in the language that the caller reads."""
    english = prefers_english(request.headers.get("accept-language", ""))
    content = named(content)
    response.body = response.render(in_english(content) if english else content)
    response.headers["Content-Length"] = str(len(response.body))
    response.headers["Content-Language"] = "en" if english else "de"
    response.headers.add_vary_header("Accept-Language")


def _say(
    content: dict[str, Any], request: Request, response: JSONResponse
) -> tuple[dict[str, Any], JSONResponse]:
    said(content, request, response)
    return content, response


async def _nobody_listens(_request: Request, _error: Exception) -> Response:
    """Of a caller who went away while sending: no failure of ours, and nothing to tell."""
    return Response(status_code=400)


def _log_unexpected(_request: Request, error: Exception) -> None:
    known = (RequestValidationError, DatabaseUnavailable)
    if not hasattr(error, "status_code") and not isinstance(error, known):
        log.error("request failed", exc_info=error)


def response(description: str) -> dict[str, Any]:
    """A problem as OpenAPI describes it, for the `responses` of a route."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": schema}},
    }


def responses(*raised: type[StatusProblem]) -> Responses:
    """The `responses` of a route that raises these, each described by its docstring's first line.

    Of several with one status code all are named.
    """
    described: dict[int, list[str]] = {}
    for problem in raised:
        line = (problem.__doc__ or problem.title).partition("\n")[0]
        line = line.removeprefix(f"{problem.status}: ").rstrip(".")
        described.setdefault(problem.status, []).append(line[0].upper() + line[1:])
    return {status: response("; or: ".join(lines)) for status, lines in described.items()}


def install(app: FastAPI) -> None:
    """Answer every error of `app` with application/problem+json."""
    wrappers: dict[str, Any] = {"default": Unexpected}
    handler = new_exception_handler(
        unhandled_wrappers=wrappers,
        handlers={DatabaseUnavailable: _unavailable},
        pre_hooks=[_log_unexpected],
        post_hooks=[_say],
        request_validation_handler=_invalid_request,
        http_exception_handler=_http_problem,
    )
    add_exception_handler(app, handler, generic_swagger_defaults=False)
    app.add_exception_handler(DatabaseUnavailable, handler)
    app.add_exception_handler(ClientDisconnect, _nobody_listens)
