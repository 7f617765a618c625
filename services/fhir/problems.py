"""What this service itself refuses, as RFC 9457 problems; `outcomes` makes FHIR's of them."""

from collections.abc import Sequence

from fastapi_problem.error import StatusProblem

from chassis.problems import FieldError


class NoSuchResource(StatusProblem):
    """404: nothing with this id, in this practice."""

    status = 404
    type_ = "not-found"
    title = "There is no such resource."


class BadSearch(StatusProblem):
    """400: the search can't be carried out as it is."""

    status = 400
    type_ = "bad-search"
    title = "The search can't be carried out."

    def __init__(self, parameter: str, why: str) -> None:
        fault = {"field": parameter, "code": "invalid", "message": why}
        super().__init__(f"{parameter}: {why}", errors=[fault])


class BadResource(StatusProblem):
    """422: the resource can't be stored as it is, and each reason why."""

    status = 422
    type_ = "invalid-input"
    title = "The resource can't be stored as it is."

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__(
            errors=[
                {"field": each.field, "code": each.code, "message": each.message} for each in errors
            ]
        )


class OtherResource(StatusProblem):
    """400: the resource's id is not the address's."""

    status = 400
    type_ = "other-id"
    title = "The resource's id is not that of its address."


class BadETag(StatusProblem):
    """400: If-Match has no ETag of ours."""

    status = 400
    type_ = "bad-etag"
    title = 'If-Match has to be an ETag, as W/"3".'


class BadCondition(StatusProblem):
    """400: If-None-Exist is not what can be heeded."""

    status = 400
    type_ = "bad-condition"
    title = (
        "If-None-Exist has to be identifier=urn:einladung:external-reference|… with the identifier "
        "that the resource has."
    )


class NotSpoken(StatusProblem):
    """406: only JSON is."""

    status = 406
    type_ = "format-not-supported"
    title = "Only JSON is spoken: application/fhir+json."


class NotRead(StatusProblem):
    """415: only JSON is."""

    status = 415
    type_ = "format-not-supported"
    title = "Only JSON is read: application/fhir+json, or application/json-patch+json to PATCH."


class BadJson(StatusProblem):
    """400: the body is no JSON."""

    status = 400
    type_ = "invalid-json"
    title = "The body is no JSON."
