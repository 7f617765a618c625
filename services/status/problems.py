"""Errors of the status service's API, as RFC 9457 problem details."""

from multidict import CIMultiDict

from chassis.problems import KnownProblem
from chassis.said import Said


class NoIndicator(KnownProblem):
    """404: no such appointment in this practice, or no invitation of it is known, or deleted."""

    status = 404
    type_ = "no-indicator"
    title = Said(
        "Zu diesem Termin gibt es keine Anzeige.", "There is no indicator for this appointment."
    )
    advice = Said(
        "Kurz nach dem Anlegen noch einmal fragen: sie kommt mit dem ersten Ereignis. Sonst ist "
        "der Termin gelöscht.",
        "Ask again shortly after it was created: it comes with the first event. Else the "
        "appointment is deleted.",
    )


class BadLastEventId(KnownProblem):
    """400: Last-Event-ID is not one of ours."""

    status = 400
    type_ = "bad-last-event-id"
    title = Said(
        "Last-Event-ID ist keine Kennung dieses Stroms.",
        "Last-Event-ID is not an id of this stream.",
    )
    advice = Said(
        "Die `id` der letzten Nachricht senden, oder keine und alles neu lesen.",
        "Send the `id` of the last message, or none and read everything anew.",
    )


class NoStream(KnownProblem):
    """503: as many streams are open as this process, or one practice, may have."""

    status = 503
    type_ = "too-many-streams"
    title = Said(
        "Gerade kann kein weiterer Strom geöffnet werden.", "No further stream can be opened now."
    )
    advice = Said(
        "Nach `Retry-After` Sekunden wiederholen; ein Strom je Praxis und Prozess genügt.",
        "Repeat it after `Retry-After` seconds; one stream for each practice and process will do.",
    )
    headers_ = CIMultiDict({"Retry-After": "5"})


# Codes of fields, beside those of every service (chassis/problems.py).
FIELD_CODES = {
    "either": Said(
        "Von zwei Arten zu fragen geht eine, und eine muss es sein.",
        "Of two ways to ask one can be taken, and one has to be.",
    )
}
