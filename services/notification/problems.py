"""Errors of the notification service's API, as RFC 9457 problem details."""

from fastapi_problem.error import StatusProblem


class UnknownGateway(StatusProblem):
    """404: no gateway of this name is set up here."""

    status = 404
    type_ = "not-found"
    title = "There is no such gateway."


class NotGenuine(StatusProblem):
    """401: the signature is missing, wrong or too old."""

    status = 401
    type_ = "not-genuine"
    title = "The signature does not hold."


class NotUnderstood(StatusProblem):
    """400: signed by the gateway, and yet not understood; the detail says what."""

    status = 400
    type_ = "not-understood"
    title = "The receipt is not understood."
