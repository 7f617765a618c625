"""Errors as RFC 9457 problem details, naming the field and never repeating its value."""

from collections.abc import MutableMapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi_problem.error import Problem, StatusProblem
from fastapi_problem.handler import ExceptionHandler, add_exception_handler, new_exception_handler
from multidict import CIMultiDict
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount
from starlette_problem.handler import http_exception_handler_

from chassis.database import DatabaseBusy, DatabaseUnavailable

log = structlog.get_logger(__name__)

Responses: TypeAlias = dict[int | str, dict[str, Any]]  # of a route, as FastAPI takes them


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field: a code for programs, a German sentence for the form."""

    field: str
    code: str
    message: str
    options: Sequence[str] = ()


class InvalidInput(StatusProblem):
    """422: the request was understood and can't be done as it is."""

    status = 422
    type_ = "invalid-input"
    title = "The input is not valid."

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(
            errors=[
                {key: value for key, value in asdict(error).items() if key != "options" or value}
                for error in errors
            ]
        )


class Unexpected(StatusProblem):
    """500: no detail leaves the service; the log knows type and place."""

    status = 500
    type_ = "internal-error"
    title = "Something went wrong on our side."

    def __init__(
        self, _detail: str | None = None, headers: MutableMapping[str, str] | None = None
    ) -> None:
        super().__init__(headers=headers)


class DatabaseIsAway(StatusProblem):
    """503: our database does not answer; nothing was done, or all of it."""

    status = 503
    type_ = "database-unavailable"
    title = "The database is not available now."
    headers_ = CIMultiDict({"Retry-After": "2"})  # seconds


class TooBusy(StatusProblem):
    """503: too much is under way, of all practices or of this one; nothing was done, or all."""

    status = 503
    type_ = "too-busy"
    title = "Too many requests are under way."
    headers_ = CIMultiDict({"Retry-After": "1"})  # seconds


def _unavailable(
    _handler: ExceptionHandler, _request: Request, error: DatabaseUnavailable
) -> Problem:
    cause = type(error.__cause__ or error).__qualname__
    log.warning("request not answered", error=type(error).__qualname__, cause=cause)
    return TooBusy() if isinstance(error, DatabaseBusy) else DatabaseIsAway()


_MESSAGES = {
    "missing": "Bitte füllen Sie dieses Feld aus.",
    "string_too_short": "Bitte füllen Sie dieses Feld aus.",
    "string_too_long": "Diese Eingabe ist zu lang.",
    "json_invalid": "Die Anfrage ist kein gültiges JSON.",
    "greater_than_equal": "Dieser Wert ist zu klein.",
    "less_than_equal": "Dieser Wert ist zu groß.",
    "extra_forbidden": "Dieses Feld ist unbekannt.",
}
_CODES = {
    "missing": "missing",
    "string_too_short": "missing",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "extra_forbidden": "unknown",
}


def _invalid_request(
    _handler: ExceptionHandler, _request: Request, error: RequestValidationError
) -> Problem:
    return InvalidInput(
        [
            FieldError(
                field=".".join(str(part) for part in fault["loc"][1:]) or str(fault["loc"][0]),
                code=_CODES.get(fault["type"], "invalid"),
                message=_MESSAGES.get(fault["type"], "Diese Eingabe ist nicht gültig."),
            )
            for fault in error.errors()
        ]
    )


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
    if error.status_code == 405:
        allow = {"Allow": ", ".join(_allowed(request))}
        error = HTTPException(405, error.detail, headers=allow)
    return http_exception_handler_(handler, request, error)


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
        described.setdefault(problem.status, []).append(line.rstrip("."))
    return {status: response("; or: ".join(lines)) for status, lines in described.items()}


_NOT_AUTHENTICATED = response("No valid bearer token")
_NOT_ALLOWED = response("The token does not allow this, or its practice is not set up")
_UNAVAILABLE = response("Not available now, or too busy; Retry-After says when to come back")
_UNREADABLE = response("The body is no JSON")
_TOO_LARGE = response("The body is too large")
_HEAD_TOO_LARGE = response("Address and headers are too large")
_TOO_MANY = response("Too many requests; Retry-After says when to come back")


def _describe_common(operation: dict[str, Any], method: str) -> None:
    """Add the problems that come from around a route and not from itself."""
    common: dict[str, Any] = {}
    if "security" in operation:
        common |= {"401": _NOT_AUTHENTICATED, "403": _NOT_ALLOWED, "503": _UNAVAILABLE}
        if method != "get":
            common["429"] = _TOO_MANY
    if operation.get("parameters"):
        common["431"] = _HEAD_TOO_LARGE
    if "requestBody" in operation:
        common |= {"400": _UNREADABLE, "413": _TOO_LARGE}
    present = operation["responses"]
    operation["responses"] = dict(sorted((common | present).items()))


def install(app: FastAPI) -> None:
    """Answer every error of `app` with application/problem+json."""
    wrappers: dict[str, Any] = {"default": Unexpected}
    handler = new_exception_handler(
        unhandled_wrappers=wrappers,
        handlers={DatabaseUnavailable: _unavailable},
        pre_hooks=[_log_unexpected],
        request_validation_handler=_invalid_request,
        http_exception_handler=_http_problem,
    )
    add_exception_handler(app, handler, generic_swagger_defaults=False)
    app.add_exception_handler(DatabaseUnavailable, handler)
    describe = app.openapi

    def with_field_errors() -> dict[str, Any]:
        description = describe()
        schemas = description.get("components", {}).get("schemas", {})
        if "HTTPValidationError" in schemas:
            schemas["ValidationError"] = TypeAdapter(FieldError).json_schema()
        for methods in description["paths"].values():
            for method, operation in methods.items():
                _describe_common(operation, method)
        return description

    app.openapi = with_field_errors  # type: ignore[method-assign]
