"""What the dashboard itself refuses or can't do, as RFC 9457 problem details."""

from fastapi_problem.error import StatusProblem
from multidict import CIMultiDict


class NotLoggedIn(StatusProblem):
    """401: there is no session, or its time is over."""

    status = 401
    type_ = "not-logged-in"
    title = "You are not logged in, or no longer."


class LoginUnavailable(StatusProblem):
    """503: the tokens have to be refreshed, and the identity provider does not answer."""

    status = 503
    type_ = "identity-provider-unavailable"
    title = "The identity provider does not answer."
    headers_ = CIMultiDict({"Retry-After": "5"})  # seconds
