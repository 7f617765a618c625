"""What can stand against a request, as RFC 9457 problems. Whoever raises one knows no status code.

A docstring is what OpenAPI says of the problem.
"""

from fastapi_problem.error import StatusProblem


class NotFound(StatusProblem):
    """No such appointment in this practice, or deleted."""

    status = 404
    type_ = "not-found"
    title = "There is no such appointment."


class Changed(StatusProblem):
    """The appointment has changed in the meantime."""

    status = 412
    type_ = "changed"
    title = "The appointment has changed in the meantime."


class Begun(StatusProblem):
    """The appointment has already begun."""

    status = 409
    type_ = "appointment-begun"
    title = "The appointment has already begun."

    def __init__(self) -> None:
        super().__init__("Der Termin hat bereits begonnen.")


class UnknownPractice(StatusProblem):
    """The token is good, but its practice is not set up here."""

    status = 403
    type_ = "unknown-practice"
    title = "This practice is not set up."


class KeyReused(StatusProblem):
    """The idempotency key was used for another request."""

    status = 422
    type_ = "idempotency-key-reused"
    title = "This Idempotency-Key was used for a different request."


class BadETag(StatusProblem):
    """The If-Match header is no ETag of ours."""

    status = 400
    type_ = "bad-etag"
    title = "If-Match is not an ETag of an appointment."


class PracticeExists(StatusProblem):
    """There is a practice with this id."""

    status = 409
    type_ = "practice-exists"
    title = "There is a practice with this id."


class NoSuchPractice(StatusProblem):
    """There is no such practice."""

    status = 404
    type_ = "not-found"
    title = "There is no such practice."
