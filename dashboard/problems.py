"""What the dashboard itself refuses or can't do, as RFC 9457 problem details."""

from fastapi_problem.error import StatusProblem


def _retry_after(seconds: int) -> dict[str, str]:
    return {"Retry-After": str(seconds)}


class NotLoggedIn(StatusProblem):
    """There is no session, or its time is over."""

    status = 401
    type_ = "not-logged-in"
    title = "You are not logged in, or no longer."


class LoginUnavailable(StatusProblem):
    """The tokens have to be refreshed, and the identity provider does not answer."""

    status = 503
    type_ = "identity-provider-unavailable"
    title = "The identity provider does not answer."
    headers_ = _retry_after(5)


class UpstreamUnavailable(StatusProblem):
    """The service was not reached, so nothing has happened."""

    status = 503
    type_ = "upstream-unavailable"
    title = "The service is not available."
    headers_ = _retry_after(2)


class UpstreamNoAnswer(StatusProblem):
    """The request went out and no response came; what became of it is not known."""

    status = 502
    type_ = "upstream-no-answer"
    title = "The service did not answer."
