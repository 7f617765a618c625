"""What the dashboard itself refuses or can't do, as RFC 9457 problem details."""

from multidict import CIMultiDict

from chassis.problems import KnownProblem
from chassis.said import Said


class NotLoggedIn(KnownProblem):
    """401: there is no session, or its time is over."""

    status = 401
    type_ = "not-logged-in"
    title = Said(
        "Sie sind nicht oder nicht mehr angemeldet.", "You are not logged in, or no longer."
    )
    advice = Said("Neu anmelden.", "Log in anew.")


class LoginUnavailable(KnownProblem):
    """503: the tokens have to be refreshed, and the identity provider does not answer."""

    status = 503
    type_ = "identity-provider-unavailable"
    title = Said("Der Anmeldedienst antwortet nicht.", "The identity provider does not answer.")
    advice = Said(
        "Nach `Retry-After` Sekunden wiederholen.", "Repeat it after `Retry-After` seconds."
    )
    headers_ = CIMultiDict({"Retry-After": "5"})  # seconds


class UnknownHost(KnownProblem):
    """400: the dashboard is not served under this name."""

    status = 400
    type_ = "unknown-host"
    title = Said("Unter diesem Namen ist hier nichts.", "This host is not served here.")
    advice = Said(
        "`DASHBOARD_PUBLIC_URL` mit der Adresse vergleichen.",
        "Compare `DASHBOARD_PUBLIC_URL` with the address.",
    )


class CrossSite(KnownProblem):
    """403: another site made the browser ask."""

    status = 403
    type_ = "cross-site"
    title = Said(
        "Die Anfrage kommt von einer fremden Seite.", "The request comes from another site."
    )
    advice = Said("Die Seite selbst öffnen.", "Open the page itself.")
