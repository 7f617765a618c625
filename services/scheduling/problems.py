"""What can stand against a request, as RFC 9457 problems. Whoever raises one knows no status code.

A docstring is what OpenAPI says of the problem.
"""

import math
from datetime import datetime
from uuid import UUID

from multidict import CIMultiDict

from chassis.problems import KnownProblem
from chassis.said import Said
from services.scheduling.bounds import Bound


class NotFound(KnownProblem):
    """No such appointment in this practice, or deleted."""

    status = 404
    type_ = "not-found"
    title = Said("Diesen Termin gibt es nicht.", "There is no such appointment.")
    advice = Said(
        "Er ist gelöscht, oder die Kennung ist von einer anderen Praxis.",
        "It is deleted, or the id is another practice's.",
    )


class Changed(KnownProblem):
    """The appointment has changed in the meantime."""

    status = 412
    type_ = "changed"
    title = Said(
        "Der Termin hat sich inzwischen geändert.", "The appointment has changed in the meantime."
    )
    advice = Said(
        "Ihn neu lesen und die Änderung mit dem neuen `ETag` in `If-Match` wiederholen, wenn sie "
        "noch passt.",
        "Read it anew and, if the change still fits, repeat it with the new `ETag` in `If-Match`.",
    )


class TooManyMessages(KnownProblem):
    """Too many requests, or letters to this patient; Retry-After says when to come back."""

    status = 429
    type_ = "too-many-messages"
    title = Said(
        "Innerhalb eines Tages wurde zu viel geschrieben.",
        "Too much has been written within a day.",
    )
    advice = Said(
        "`bound` sagt, welche Grenze erreicht ist (`appointment`, `address`, `country`, "
        "`practice`), `Retry-After`, wann wieder geschrieben werden kann. Bis dahin anrufen.",
        "`bound` says which bound is reached (`appointment`, `address`, `country`, `practice`), "
        "`Retry-After` when something can be written again. Call the patient until then.",
    )

    def __init__(self, bound: Bound, most: int, until: datetime, seconds: float) -> None:
        told = {
            Bound.APPOINTMENT: Said(
                f"Zu diesem Termin wurden in den letzten 24 Stunden schon {most} Nachrichten "
                "gesendet. Bitte rufen Sie an.",
                f"{most} messages were sent of this appointment within the last 24 hours. Please "
                "call the patient.",
            ),
            Bound.ADDRESS: Said(
                f"An diese Adresse oder Nummer wurden in den letzten 24 Stunden schon {most} "
                "Nachrichten gesendet. Bitte rufen Sie an.",
                f"{most} messages were sent to this address or number within the last 24 hours. "
                "Please call the patient.",
            ),
            Bound.COUNTRY: Said(
                f"In dieses Land wurden in den letzten 24 Stunden schon {most} SMS gesendet. Bitte "
                "wählen Sie E-Mail, oder wenden Sie sich an den Betreiber.",
                f"{most} text messages were sent to this country within the last 24 hours. Please "
                "choose e-mail, or turn to the operator.",
            ),
            Bound.PRACTICE: Said(
                f"Ihre Praxis hat in den letzten 24 Stunden schon {most} Nachrichten gesendet. "
                "Wenn "
                "Sie mehr brauchen, wenden Sie sich bitte an den Betreiber.",
                f"Your practice has sent {most} messages within the last 24 hours. If you need "
                "more, please turn to the operator.",
            ),
        }[bound]
        self.bound = bound
        super().__init__(
            Said(
                f"{told} Weitere sind ab {until:%d.%m.}, {until:%H:%M} Uhr möglich.",
                f"{told.english} More can be sent from {until:%-d %B}, {until:%H:%M}.",
            ),
            headers={"Retry-After": str(math.ceil(seconds))},
            bound=bound,
        )


class Damaged(KnownProblem):
    """What is stored of the patient can't be read; the appointment can only be deleted."""

    status = 409
    type_ = "contact-damaged"
    title = Said("Die Daten des Patienten sind nicht lesbar.", "The patient's data can't be read.")
    advice = Said(
        "Den Termin löschen und neu anlegen; der Betreiber findet den Grund im Protokoll.",
        "Delete the appointment and create it anew; the operator finds the reason in the log.",
    )

    def __init__(self) -> None:
        super().__init__(
            Said(
                "Name und Adressen zu diesem Termin sind nicht lesbar. Bitte löschen Sie ihn und "
                "legen Sie ihn neu an; Ihr Betreiber findet den Grund im Protokoll des Systems.",
                "Name and addresses of this appointment can't be read. Please delete it and create "
                "it anew; your operator finds the reason in the system's log.",
            )
        )


class ReferenceTaken(KnownProblem):
    """Another appointment has this external_reference; `appointment_id` says which."""

    status = 409
    type_ = "external-reference-taken"
    title = Said(
        "Ein anderer Termin hat diese Referenz.",
        "Another appointment has this external_reference.",
    )
    advice = Said(
        "`appointment_id` nennt den Termin, der sie hat: vielleicht wurde dieser schon angelegt. "
        "Sonst eine andere Referenz wählen.",
        "`appointment_id` names the appointment that has it: maybe this one was already created. "
        "Else choose another reference.",
    )

    def __init__(self, appointment_id: UUID) -> None:
        super().__init__(
            Said(
                "Ein anderer Termin hat diese Referenz. Vielleicht wurde dieser schon angelegt.",
                "Another appointment has this reference. Maybe this one was already created.",
            ),
            appointment_id=str(appointment_id),
        )


class Begun(KnownProblem):
    """The appointment has already begun."""

    status = 409
    type_ = "appointment-begun"
    title = Said("Der Termin hat bereits begonnen.", "The appointment has already begun.")
    advice = Said(
        "Dazu wird nichts mehr gesendet: anrufen.",
        "Nothing is sent of it any more: call the patient.",
    )

    def __init__(self) -> None:
        super().__init__(
            Said("Der Termin hat bereits begonnen.", "The appointment has already begun.")
        )


class UnknownPractice(KnownProblem):
    """The token is good, but its practice is not set up here."""

    status = 403
    type_ = "unknown-practice"
    title = Said("Diese Praxis ist nicht eingerichtet.", "This practice is not set up.")
    advice = Said("Der Betreiber richtet sie ein.", "The operator sets it up.")


class KeyReused(KnownProblem):
    """The idempotency key was used for another request."""

    status = 422
    type_ = "idempotency-key-reused"
    title = Said(
        "Dieser Idempotency-Key war für eine andere Anfrage.",
        "This Idempotency-Key was used for a different request.",
    )
    advice = Said(
        "Für etwas Neues einen neuen Schlüssel nehmen; eine Wiederholung muss gleich bleiben.",
        "Take a new key for something new; a repeat has to stay the same.",
    )


class BadETag(KnownProblem):
    """The If-Match header is no list of ETags."""

    status = 400
    type_ = "bad-etag"
    title = Said(
        "If-Match ist weder eine Liste von ETags noch *.",
        "If-Match is neither a list of ETags nor *.",
    )
    advice = Said(
        "Den `ETag` mit seinen Anführungszeichen senden, wie er kam.",
        "Send the `ETag` with its quotation marks, as it came.",
    )


class PracticeExists(KnownProblem):
    """There is a practice with this id."""

    status = 409
    type_ = "practice-exists"
    title = Said(
        "Eine Praxis mit dieser Kennung gibt es schon.", "There is a practice with this id."
    )
    advice = Said(
        "Die vorhandene ändern, oder eine andere Kennung nehmen.",
        "Change the one that is there, or take another id.",
    )


class NoSuchPractice(KnownProblem):
    """There is no such practice."""

    status = 404
    type_ = "not-found"
    title = Said("Diese Praxis gibt es nicht.", "There is no such practice.")
    advice = Said("Die Kennung prüfen.", "Look at the id.")


class NotAnOperator(KnownProblem):
    """No operator's key, or one that does not hold."""

    status = 401
    type_ = "not-authenticated"
    title = Said("Ein gültiger Betreiberschlüssel ist nötig.", "A valid operator's key is needed.")
    advice = Said(
        "Den Schlüssel prüfen; er wird auf der Kommandozeile angelegt und läuft ab.",
        "Look at the key; it is made on the command line and runs out.",
    )
    headers_ = CIMultiDict({"WWW-Authenticate": 'Basic realm="operator"'})


class NoVideoRooms(KnownProblem):
    """No video rooms are set up in this installation."""

    status = 409
    type_ = "no-video-rooms"
    title = Said("Videoräume sind nicht eingerichtet.", "No video rooms are set up.")
    advice = Said("Der Betreiber richtet sie ein.", "The operator sets them up.")

    def __init__(self) -> None:
        super().__init__(
            Said(
                "Der Videoraum ist in dieser Installation noch nicht eingerichtet.",
                "The video room is not set up in this installation yet.",
            )
        )


class AppointmentOver(KnownProblem):
    """The patient's link has run out, so nobody would come."""

    status = 409
    type_ = "appointment-over"
    title = Said("Der Termin ist lange vorbei.", "The appointment is long over.")
    advice = Said(
        "Der Link gilt drei Monate; einen neuen Termin anlegen.",
        "The link holds for three months; create a new appointment.",
    )

    def __init__(self) -> None:
        super().__init__(
            Said(
                "Der Termin ist länger als drei Monate vorbei.",
                "The appointment has been over for more than three months.",
            )
        )


class TokenRefused(KnownProblem):
    """An error of RFC 6749, section 5.2, with the members of a problem detail as well."""

    status = 400
    type_: str
    headers_ = CIMultiDict({"Cache-Control": "no-store"})

    def __init__(self) -> None:
        super().__init__(error=self.type_.replace("-", "_"))


class UnsupportedGrantType(TokenRefused):
    """Only client credentials are exchanged."""

    type_ = "unsupported-grant-type"
    title = Said(
        "grant_type muss client_credentials sein.", "grant_type has to be client_credentials."
    )
    advice = Said(
        "Als Formular senden: `grant_type=client_credentials`.",
        "Send as a form: `grant_type=client_credentials`.",
    )


class NoForm(TokenRefused):
    """The body is no form."""

    type_ = "invalid-request"
    title = Said("Der Inhalt ist kein Formular.", "The body is not a form.")
    advice = Said(
        "Mit `Content-Type: application/x-www-form-urlencoded` senden.",
        "Send with `Content-Type: application/x-www-form-urlencoded`.",
    )


class RepeatedField(TokenRefused):
    """The form has a field twice."""

    type_ = "invalid-request"
    title = Said("Ein Feld kommt zweimal vor.", "A field comes twice.")
    advice = Said("Jedes Feld einmal senden.", "Send each field once.")


class InvalidScope(TokenRefused):
    """More was asked for than the key has."""

    type_ = "invalid-scope"
    title = Said("Der Schlüssel hat dieses Recht nicht.", "The key does not have this scope.")
    advice = Said(
        "Weniger verlangen, oder vom Betreiber einen Schlüssel mit mehr Rechten bekommen.",
        "Ask for less, or have the operator make a key with more rights.",
    )


class InvalidClient(TokenRefused):
    """No API key, or one that does not hold."""

    status = 401
    type_ = "invalid-client"
    title = Said("Der API-Schlüssel gilt nicht.", "The API key does not hold.")
    advice = Said(
        "Schlüssel und Geheimnis prüfen; er läuft ab und kann widerrufen sein.",
        "Look at the key and its secret; it runs out, and may have been revoked.",
    )
    headers_ = CIMultiDict(
        {"Cache-Control": "no-store", "WWW-Authenticate": 'Basic realm="API key"'}
    )


# Codes of fields, beside those of every service (chassis/problems.py).
FIELD_CODES = {
    "too_short": Said("Zu kurz.", "Too short."),
    "too_long": Said("Zu lang, oder zu viel auf einmal.", "Too long, or too much at a time."),
    "not_with_date": Said(
        "Von mehreren Arten zu fragen geht eine.", "Of several ways to ask one can be taken."
    ),
    "before_from": Said("Das Ende liegt vor dem Beginn.", "The end is before the beginning."),
    "consent_required": Said(
        "Ohne Einwilligung wird nichts gesendet.", "Without consent nothing is sent."
    ),
    "no_channel": Said("Kein Kanal ist gewählt.", "No channel is chosen."),
    "channel_unavailable": Said(
        "Der Kanal ist in dieser Installation nicht eingerichtet.",
        "The channel is not set up in this installation.",
    ),
    "not_in_tariff": Said(
        "Der Tarif der Praxis hat diesen Kanal nicht.",
        "The practice's tariff does not have this channel.",
    ),
    "past": Said("Der Termin läge in der Vergangenheit.", "The appointment would be past."),
    "nonexistent_time": Said(
        "Diese Uhrzeit überspringt die Sommerzeit.", "Summer time skips this time."
    ),
    "ambiguous_time": Said(
        "Diese Uhrzeit kommt zweimal; `options` nennt die Werte für `utc_offset`.",
        "This time comes twice; `options` names the values for `utc_offset`.",
    ),
    "dead_address": Said(
        "Was zuletzt dorthin ging, kam endgültig zurück. Mit `send_anyway` wird doch gesendet.",
        "What last went there came back for good. With `send_anyway` it is sent all the same.",
    ),
    "name_with_address": Said(
        "Im Namen steht, was in einer E-Mail zum Link wird: eine Internet- oder E-Mail-Adresse.",
        "The name holds what becomes a link in a mail: an address of the web or of mail.",
    ),
    "typographic_apostrophe": Said(
        "Ein Apostroph, an den nichts gesendet werden kann; `options` nennt, was gemeint ist.",
        "An apostrophe that nothing can be sent to; `options` names what is meant.",
    ),
    "local_part_too_long": Said(
        "Vor dem @ stehen mehr Zeichen, als ein Mailserver nimmt.",
        "There is more before the @ than a mail server takes.",
    ),
    "not_a_number": Said("Das ist keine Telefonnummer.", "This is no phone number."),
    "unknown_country": Said("Diese Ländervorwahl gibt es nicht.", "There is no such country code."),
    "landline": Said("Eine Festnetznummer.", "A landline."),
    "not_mobile": Said("Keine Mobilnummer.", "No mobile number."),
    "country_not_allowed": Said(
        "In dieses Land gehen von hier keine SMS.", "No text messages go to this country from here."
    ),
}
