"""What this service itself refuses, as RFC 9457 problems; `outcomes` makes FHIR's of them."""

from chassis.problems import KnownProblem
from chassis.said import Said


class NoSuchResource(KnownProblem):
    """404: nothing with this id, in this practice."""

    status = 404
    type_ = "not-found"
    title = Said("Diese Ressource gibt es nicht.", "There is no such resource.")
    advice = Said(
        "Die Kennung prüfen: die Ressource ist vergessen, oder in einer anderen Praxis.",
        "Check the id: the resource is forgotten, or in another practice.",
    )


class BadSearch(KnownProblem):
    """400: the search can't be carried out as it is."""

    status = 400
    type_ = "bad-search"
    title = Said("Diese Suche geht so nicht.", "The search can't be carried out.")
    advice = Said(
        "Das OperationOutcome nennt den Parameter und den Grund; `/fhir/metadata`, wonach gesucht "
        "werden kann. Mit `Prefer: handling=lenient` wird übergangen, was nicht bekannt ist.",
        "The OperationOutcome names the parameter and the reason; `/fhir/metadata` what can be "
        "searched for. With `Prefer: handling=lenient` what is not known is passed over.",
    )

    def __init__(self, parameter: str, why: Said) -> None:
        super().__init__(errors=[{"field": parameter, "code": "invalid", "message": why}])


class OtherResource(KnownProblem):
    """400: the resource's id is not the address's."""

    status = 400
    type_ = "other-id"
    title = Said(
        "Die `id` der Ressource ist nicht die der Adresse.",
        "The resource's id is not that of its address.",
    )
    advice = Said(
        "Die Ressource an die Adresse ihrer eigenen `id` senden.",
        "Put the resource to the address of its own `id`.",
    )


class BadETag(KnownProblem):
    """400: If-Match has no ETag of ours."""

    status = 400
    type_ = "bad-etag"
    title = Said('If-Match muss ein ETag sein, wie W/"3".', 'If-Match has to be an ETag, as W/"3".')
    advice = Said(
        "Den ETag der gelesenen Ressource senden, wie er kam.",
        "Send the ETag of the resource that was read, as it came.",
    )


class BadCondition(KnownProblem):
    """400: If-None-Exist is not what can be heeded."""

    status = 400
    type_ = "bad-condition"
    title = Said(
        "If-None-Exist muss identifier=urn:einladung:external-reference|… sein, mit dem "
        "Identifier der Ressource.",
        "If-None-Exist has to be identifier=urn:einladung:external-reference|… with the identifier "
        "that the resource has.",
    )
    advice = Said(
        "So senden, oder statt dessen einen Idempotency-Key.",
        "Send it so, or an Idempotency-Key instead.",
    )


class NotSpoken(KnownProblem):
    """406: only JSON is."""

    status = 406
    type_ = "format-not-supported"
    title = Said(
        "Geantwortet wird nur in JSON: application/fhir+json.",
        "Only JSON is spoken: application/fhir+json.",
    )
    advice = Said(
        "`Accept: application/fhir+json` senden, und kein anderes `_format`.",
        "Send `Accept: application/fhir+json`, and no other `_format`.",
    )


class NotRead(KnownProblem):
    """415: only JSON is."""

    status = 415
    type_ = "format-not-supported"
    title = Said(
        "Gelesen wird nur JSON: application/fhir+json, für PATCH application/json-patch+json.",
        "Only JSON is read: application/fhir+json, or application/json-patch+json to PATCH.",
    )
    advice = Said(
        "Den `Content-Type` dessen nennen, was gesendet wird.",
        "Name the `Content-Type` of what is sent.",
    )
