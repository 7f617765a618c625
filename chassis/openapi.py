"""What OpenAPI says of an application beyond what its routes say themselves.

Callers generate clients from it. Whatever follows from a status code, or from what stands around
every route, is added here, so that no route has to repeat it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from chassis.problems import INVALID, FieldError, response

Header: TypeAlias = dict[str, Any]
Json: TypeAlias = dict[str, Any]

LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
CONTACT = {
    "name": "Whoever runs the installation",
    "url": "https://einladung.example.org",
    "email": "it@einladung.example.org",
}
IN_ALL = (
    "Every error is a problem (RFC 9457), also what is not described at an operation: 404 for an "
    "unknown path, 405 with `Allow` for a method that a path does not have, 500 for a fault of "
    "ours. What can't be read as HTTP at all is answered by 400 (not-http). The trace of a request "
    "is linked to that of its `traceparent` (W3C Trace Context); only that of the operator's own "
    "callers goes on in it."
)

ETAG: Header = {
    "description": "The appointment's version, for If-Match.",
    "required": True,
    "schema": {"type": "string", "pattern": '^"[1-9][0-9]*"$'},
    "example": '"1"',
}
REPLAYED: Header = {
    "description": "The request was carried out before, under the same Idempotency-Key.",
    "schema": {"type": "string", "const": "true"},
}
LOCATION: Header = {
    "description": "Path of what was made.",
    "required": True,
    "schema": {"type": "string", "format": "uri-reference"},
}
RETRY_AFTER: Header = {
    "description": "Seconds until it is worth coming back.",
    "required": True,
    "schema": {"type": "integer", "minimum": 0},
    "example": 2,
}
AUTHENTICATE: Header = {
    "description": "RFC 6750; with `error` and `scope` where a right is missing.",
    "schema": {"type": "string"},
    "example": "Bearer",
}
AUTHENTICATE_BASIC: Header = {
    "description": "RFC 7617.",
    "required": True,
    "schema": {"type": "string"},
    "example": 'Basic realm="operator"',
}
DISPOSITION: Header = {
    "description": "A name for the file.",
    "required": True,
    "schema": {"type": "string"},
}
NO_STORE: Header = {
    "description": "Not to be kept by anybody between.",
    "required": True,
    "schema": {"type": "string", "const": "no-store"},
}
# draft-ietf-httpapi-ratelimit-headers-10; of what writes, and not of files.
RATE_LIMITS: Mapping[str, Header] = {
    "RateLimit-Policy": {
        "description": "How many requests (q) are allowed within seconds (w).",
        "schema": {"type": "string"},
        "example": '"writes";q=300;w=60',
    },
    "RateLimit": {
        "description": "How many of them are left (r); in so many seconds all of them are (t).",
        "schema": {"type": "string"},
        "example": '"writes";r=299;t=1',
    },
}
# Of every answer with this status code.
_HEADERS: Mapping[str, Mapping[str, Header]] = {
    "429": {"Retry-After": RETRY_AFTER},
    "503": {"Retry-After": RETRY_AFTER},
}

_NO_TOKEN = response("No valid bearer token") | {
    "headers": {"WWW-Authenticate": AUTHENTICATE | {"required": True}}
}
_NO_KEY = response("No key that holds") | {"headers": {"WWW-Authenticate": AUTHENTICATE_BASIC}}
_NOT_ALLOWED = response("The token does not allow this, or its practice is not set up") | {
    "headers": {"WWW-Authenticate": AUTHENTICATE}
}
_UNAVAILABLE = response("Not available now, or too busy; Retry-After says when to come back")
_NO_JSON = "The body is no JSON"
_NO_ETAGS = "If-Match is no list of ETags"
_TOO_LARGE = response("The body is too large")
_HEAD_TOO_LARGE = response("Address and headers are too large")
_TOO_MANY = response("Too many requests; Retry-After says when to come back")


class ProblemView(BaseModel):
    """What is wrong (RFC 9457). Members may be added; each problem has those that it needs."""

    model_config = ConfigDict(title="Problem")

    # Members that a problem does not have are left out, and not null: none is required.
    type: str = Field(
        description="Leads to a page about this problem, at this service.",
        json_schema_extra={"format": "uri-reference"},
    )
    code: str = Field(description="Which problem it is, for programs: docs/problems.")
    title: str = Field(description="The same for people; in English for `Accept-Language: en`.")
    status: int = Field(description="The answer's status code.")
    detail: str | None = Field(default=None, description="A sentence for whoever asked.")
    errors: list[FieldError] | None = Field(
        default=None,
        description="Of invalid input: everything that is wrong with it, or of very much a part.",
    )
    needed: list[str] | None = Field(
        default=None, description="Of a missing right: what the token would need."
    )
    bound: str | None = Field(
        default=None, description="Of too many messages: what is written to too often."
    )
    appointment_id: UUID | None = Field(
        default=None, description="Of an external_reference that is taken: by which appointment."
    )


@dataclass(frozen=True, slots=True)
class Described:
    """Describes a field more narrowly than it is read, where a form's rules are what refuses.

    They tell all that is wrong at once, and to people, which reading by types could not.
    """

    kind: Any

    def __get_pydantic_json_schema__(
        self, _read: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The schema of `kind` in place of that of the type."""
        return handler(TypeAdapter(self.kind).core_schema)


def without_defaults(schema: Json) -> None:
    """Of an input: what a caller may leave out, no generated client has to name."""
    for field in schema.get("properties", {}).values():
        if "default" in field:
            default = field.pop("default")
            if default is not None:
                left_out = f"Left out: {str(default).lower()}."
                field["description"] = f"{field.get('description', '')} {left_out}".strip()


def answer(status: int, **headers: Header) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route whose good answer has these headers (`_` stands for `-`)."""
    return {status: {"headers": {name.replace("_", "-"): each for name, each in headers.items()}}}


# Of a route whose good answer has an ETag (`chassis.reading`).
UNCHANGED: dict[int | str, dict[str, Any]] = {
    304: {"description": "As the reader has it: If-None-Match names this ETag."}
}


def operation_id(route: APIRoute) -> str:
    """`create_appointment` as `createAppointment`: what methods of generated clients are called."""
    first, *others = route.name.split("_")
    return first + "".join(word.capitalize() for word in others)


def about(description: str, port: int) -> dict[str, Any]:
    """What stands at the head of a description, for FastAPI's constructor."""
    return {
        "description": f"{description} {IN_ALL}",
        "contact": CONTACT,
        "license_info": LICENSE,
        "servers": [
            {"url": f"http://127.0.0.1:{port}", "description": "As `make demo` has it."},
            {"url": "https://api.example.org", "description": "As an installation names it."},
        ],
        "generate_unique_id_function": operation_id,
    }


def install(app: FastAPI, models: Collection[type[BaseModel]] = (), *, keys: bool = True) -> None:
    """Let `app.openapi()` say all of it, with the schemas of `models`; after `problems.install`.

    `keys`: whether tokens of API keys are taken.
    """
    describe = app.openapi

    def described() -> Json:
        description = describe()
        if description["paths"]:
            _describe_problems(description, models)
        if not keys:
            _describe_people_alone(description["components"]["securitySchemes"]["token"])
        return description

    app.openapi = described  # type: ignore[method-assign]


def _describe_problems(description: Json, models: Collection[type[BaseModel]]) -> None:
    schemas = description["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    described: tuple[type[BaseModel], ...] = (ProblemView, *models)
    for model in described:
        schema = model.model_json_schema(
            ref_template="#/components/schemas/{model}", mode="serialization"
        )
        schemas |= schema.pop("$defs", {}) | {schema["title"]: schema}
    description["components"]["schemas"] = dict(sorted(schemas.items()))
    for methods in description["paths"].values():
        for method, operation in methods.items():
            _describe_common(operation, method)


def _describe_people_alone(token: Json) -> None:
    token["flows"].pop("clientCredentials", None)  # described once, and asked for often
    token["description"] = (
        "A person's access token, of the identity provider; one for an API key is refused. The "
        "names at each operation are the rights that it needs, part of a person's role. Addresses "
        "are those of `make demo`."
    )


def _own_description(invalid: Json) -> str:
    """What a route says of its own 422, and neither FastAPI nor every router of ours."""
    schema = invalid["content"].get("application/problem+json", {}).get("schema", {})
    is_ours = str(schema.get("$ref", "")).endswith("/Problem")
    return invalid["description"] if is_ours and invalid["description"] != INVALID else ""


def _describe_common(operation: Json, method: str) -> None:
    """Add what comes from around a route and not from itself."""
    common: Json = {}
    schemes = {scheme for each in operation.get("security", []) for scheme in each}
    if "token" in schemes:
        common |= {"401": _NO_TOKEN, "403": _NOT_ALLOWED}
    elif schemes:
        common["401"] = _NO_KEY
    if schemes:
        common["503"] = _UNAVAILABLE
        if method != "get":
            common["429"] = _TOO_MANY
    parameters = operation.get("parameters", [])
    if parameters:
        common["431"] = _HEAD_TOO_LARGE
    unreadable = [_NO_JSON] if "requestBody" in operation else []
    if unreadable:
        common["413"] = _TOO_LARGE
    if any(each["name"].lower() == "if-match" for each in parameters):
        unreadable.append(_NO_ETAGS)
    if unreadable:
        common["400"] = response("; or: ".join(unreadable))
    present = operation["responses"]
    if invalid := present.get("422"):
        own = _own_description(invalid)
        present["422"] = response("; or: ".join(filter(None, [INVALID, own])))
    writes = method != "get" and "token" in schemes
    described: Json = {}
    for status, each in sorted((common | present).items()):
        headers = dict(_HEADERS.get(status, {}))
        if writes and (status == "429" or status.startswith("2")):
            headers |= RATE_LIMITS
        headers |= each.get("headers", {})
        described[status] = each | ({"headers": headers} if headers else {})
    operation["responses"] = described
