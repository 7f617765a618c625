"""What can be refused, as RFC 9457 problems. `detail` is for the practice, in German."""

from fastapi_problem.error import StatusProblem
from multidict import CIMultiDict


class NotAnOperator(StatusProblem):
    """401: no operator's key, or one that does not hold."""

    status = 401
    type_ = "not-authenticated"
    title = "A valid operator's key is needed."
    headers_ = CIMultiDict({"WWW-Authenticate": 'Basic realm="operator"'})


class NoVideoRooms(StatusProblem):
    """409: this installation has no video rooms."""

    status = 409
    type_ = "no-video-rooms"
    title = "No video rooms are set up."

    def __init__(self) -> None:
        super().__init__("Der Videoraum ist in dieser Installation noch nicht eingerichtet.")


class AppointmentOver(StatusProblem):
    """409: the patient's link has run out, so nobody would come."""

    status = 409
    type_ = "appointment-over"
    title = "The appointment is long over."

    def __init__(self) -> None:
        super().__init__("Der Termin ist länger als drei Monate vorbei.")


class TokenRefused(StatusProblem):
    """An error of RFC 6749, section 5.2, that is a problem detail as well."""

    status = 400
    type_: str
    headers_ = CIMultiDict({"Cache-Control": "no-store"})

    def __init__(self) -> None:
        super().__init__(error=self.type_.replace("-", "_"))


class UnsupportedGrantType(TokenRefused):
    """400: only client credentials are exchanged."""

    type_ = "unsupported-grant-type"
    title = "grant_type has to be client_credentials."


class NoForm(TokenRefused):
    """400: the body is no form."""

    type_ = "invalid-request"
    title = "The body is not a form."


class RepeatedField(TokenRefused):
    """400: the form has a field twice."""

    type_ = "invalid-request"
    title = "A field comes twice."


class InvalidScope(TokenRefused):
    """400: more was asked for than the key has."""

    type_ = "invalid-scope"
    title = "The key does not have this scope."


class InvalidClient(TokenRefused):
    """401: no API key, or one that does not hold."""

    status = 401
    type_ = "invalid-client"
    title = "The API key does not hold."
    headers_ = CIMultiDict(
        {"Cache-Control": "no-store", "WWW-Authenticate": 'Basic realm="API key"'}
    )
