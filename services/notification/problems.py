"""Errors of the notification service's API, as RFC 9457 problem details."""

from chassis.problems import KnownProblem
from chassis.said import Said


class UnknownGateway(KnownProblem):
    """404: no gateway of this name is set up here."""

    status = 404
    type_ = "not-found"
    title = Said("Einen solchen Gateway gibt es nicht.", "There is no such gateway.")
    advice = Said(
        "Die Adresse des Rückrufs mit docs/settings.md vergleichen.",
        "Compare the callback's address with docs/settings.md.",
    )


class NotGenuine(KnownProblem):
    """401: the signature is missing, wrong or too old."""

    status = 401
    type_ = "not-genuine"
    title = Said("Die Signatur gilt nicht.", "The signature does not hold.")
    advice = Said(
        "Geheimnis und Uhr des Gateways prüfen.", "Look at the gateway's secret and clock."
    )


class NotUnderstood(KnownProblem):
    """400: signed by the gateway, and yet not understood; the detail says what."""

    status = 400
    type_ = "not-understood"
    title = Said("Die Quittung ist nicht verständlich.", "The receipt is not understood.")
    advice = Said(
        "`detail` nennt, was nicht verstanden wurde.", "`detail` names what was not understood."
    )
