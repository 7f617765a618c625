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


class NotJson(StatusProblem):
    """400: the body is no JSON, so nothing in it was looked at."""

    status = 400
    type_ = "not-json"
    title = "The body is no JSON."


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
    "greater_than_equal": "Dieser Wert ist zu klein.",
    "less_than_equal": "Dieser Wert ist zu groß.",
    "extra_forbidden": "Dieses Feld ist unbekannt.",
}
_CODES = {
    "missing": "missing",
    "string_too_short": "missing",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
}


def _invalid_request(
    _handler: ExceptionHandler, _request: Request, error: RequestValidationError
) -> Problem:
    faults = error.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        return NotJson()
    return InvalidInput(
        [
            FieldError(
                field=".".join(str(part) for part in fault["loc"][1:]) or str(fault["loc"][0]),
                code=_CODES.get(fault["type"], "invalid"),
                message=_MESSAGES.get(fault["type"], "Diese Eingabe ist nicht gültig."),
            )
            for fault in faults
        ]
    )


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


def install(app: FastAPI) -> None:
    """Answer every error of `app` with application/problem+json."""
    wrappers: dict[str, Any] = {"default": Unexpected}
    handler = new_exception_handler(
        unhandled_wrappers=wrappers,
        handlers={DatabaseUnavailable: _unavailable},
        pre_hooks=[_log_unexpected],
        request_validation_handler=_invalid_request,
    )
    add_exception_handler(app, handler, generic_swagger_defaults=False)
    app.add_exception_handler(DatabaseUnavailable, handler)
