"""Errors of the status service's API, as RFC 9457 problem details."""

from fastapi_problem.error import StatusProblem
from multidict import CIMultiDict


class NoIndicator(StatusProblem):
    """404: no such appointment in this practice, or no invitation of it is known, or deleted."""

    status = 404
    type_ = "no-indicator"
    title = "There is no indicator for this appointment."


class BadLastEventId(StatusProblem):
    """400: Last-Event-ID is not one of ours."""

    status = 400
    type_ = "bad-last-event-id"
    title = "Last-Event-ID is not an id of this stream."


class NoStream(StatusProblem):
    """503: as many streams are open as this process, or one practice, may have."""

    status = 503
    type_ = "too-many-streams"
    title = "No further stream can be opened now."
    headers_ = CIMultiDict({"Retry-After": "5"})
