"""What can stand against a request, as RFC 9457 problems. Whoever raises one knows no status code.

A docstring is what OpenAPI says of the problem.
"""

import math
from datetime import datetime
from uuid import UUID

from fastapi_problem.error import StatusProblem
from multidict import CIMultiDict

from services.scheduling.bounds import Bound


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


class TooManyMessages(StatusProblem):
    """Too many requests, or letters to this patient; Retry-After says when to come back."""

    status = 429
    type_ = "too-many-messages"
    title = "Too much has been written within a day."

    def __init__(self, bound: Bound, most: int, until: datetime, seconds: float) -> None:
        told = {
            Bound.APPOINTMENT: f"Zu diesem Termin wurden in den letzten 24 Stunden schon {most} "
            "Nachrichten gesendet. Bitte rufen Sie an.",
            Bound.ADDRESS: f"An diese Adresse oder Nummer wurden in den letzten 24 Stunden schon "
            f"{most} Nachrichten gesendet. Bitte rufen Sie an.",
            Bound.COUNTRY: f"In dieses Land wurden in den letzten 24 Stunden schon {most} SMS "
            "gesendet. Bitte wählen Sie E-Mail, oder wenden Sie sich an den Betreiber.",
            Bound.PRACTICE: f"Ihre Praxis hat in den letzten 24 Stunden schon {most} Nachrichten "
            "gesendet. Wenn Sie mehr brauchen, wenden Sie sich bitte an den Betreiber.",
        }
        self.bound = bound
        again = f"Weitere sind ab {until:%d.%m.}, {until:%H:%M} Uhr möglich."
        super().__init__(
            f"{told[bound]} {again}",
            headers={"Retry-After": str(math.ceil(seconds))},
            bound=bound,
        )


class Damaged(StatusProblem):
    """What is stored of the patient can't be read; the appointment can only be deleted."""

    status = 409
    type_ = "contact-damaged"
    title = "The patient's data can't be read."

    def __init__(self) -> None:
        super().__init__(
            "Name und Adressen zu diesem Termin sind nicht lesbar. Bitte löschen Sie ihn und legen "
            "Sie ihn neu an; Ihr Betreiber findet den Grund im Protokoll des Systems."
        )


class ReferenceTaken(StatusProblem):
    """Another appointment has this external_reference; `appointment_id` says which."""

    status = 409
    type_ = "external-reference-taken"
    title = "Another appointment has this external_reference."

    def __init__(self, appointment_id: UUID) -> None:
        super().__init__(
            "Ein anderer Termin hat diese Referenz. Vielleicht wurde dieser schon angelegt.",
            appointment_id=str(appointment_id),
        )


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
    """The If-Match header is no list of ETags."""

    status = 400
    type_ = "bad-etag"
    title = "If-Match is neither a list of ETags nor *."


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


class NotAnOperator(StatusProblem):
    """No operator's key, or one that does not hold."""

    status = 401
    type_ = "not-authenticated"
    title = "A valid operator's key is needed."
    headers_ = CIMultiDict({"WWW-Authenticate": 'Basic realm="operator"'})


class NoVideoRooms(StatusProblem):
    """No video rooms are set up in this installation."""

    status = 409
    type_ = "no-video-rooms"
    title = "No video rooms are set up."

    def __init__(self) -> None:
        super().__init__("Der Videoraum ist in dieser Installation noch nicht eingerichtet.")


class AppointmentOver(StatusProblem):
    """The patient's link has run out, so nobody would come."""

    status = 409
    type_ = "appointment-over"
    title = "The appointment is long over."

    def __init__(self) -> None:
        super().__init__("Der Termin ist länger als drei Monate vorbei.")


class TokenRefused(StatusProblem):
    """An error of RFC 6749, section 5.2, with the members of a problem detail as well."""

    status = 400
    type_: str
    headers_ = CIMultiDict({"Cache-Control": "no-store"})

    def __init__(self) -> None:
        super().__init__(error=self.type_.replace("-", "_"))


class UnsupportedGrantType(TokenRefused):
    """Only client credentials are exchanged."""

    type_ = "unsupported-grant-type"
    title = "grant_type has to be client_credentials."


class NoForm(TokenRefused):
    """The body is no form."""

    type_ = "invalid-request"
    title = "The body is not a form."


class RepeatedField(TokenRefused):
    """The form has a field twice."""

    type_ = "invalid-request"
    title = "A field comes twice."


class InvalidScope(TokenRefused):
    """More was asked for than the key has."""

    type_ = "invalid-scope"
    title = "The key does not have this scope."


class InvalidClient(TokenRefused):
    """No API key, or one that does not hold."""

    status = 401
    type_ = "invalid-client"
    title = "The API key does not hold."
    headers_ = CIMultiDict(
        {"Cache-Control": "no-store", "WWW-Authenticate": 'Basic realm="API key"'}
    )
