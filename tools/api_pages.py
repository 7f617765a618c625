"""docs/api/: APIs and events as pages that open from a file, without internet."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

Json: TypeAlias = Mapping[str, Any]

TEMPLATES = Path(__file__).parent / "templates"
CODE = re.compile("`([^`]+)`")
METHODS = ("get", "post", "patch", "put", "delete")


@dataclass(frozen=True, slots=True)
class Field:
    """A line of a table: of a schema's properties, of parameters, or of headers."""

    name: str
    kind: Markup
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Model:
    """A schema with a name."""

    name: str
    description: str
    kind: Markup
    fields: tuple[Field, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation may answer."""

    status: str
    description: str
    kinds: tuple[tuple[str, Markup], ...]
    headers: tuple[Field, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of an API."""

    method: str
    path: str
    id: str
    description: str
    deprecated: bool
    rights: tuple[str, ...]
    parameters: tuple[Field, ...]
    bodies: tuple[tuple[str, Markup], ...]
    answers: tuple[Answer, ...]


def pages(apis: Mapping[str, Json], events: Json, schemas: Mapping[str, Json]) -> dict[str, str]:
    """Each page by its file's name; `schemas` are those of the events, by their names."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"text": text, "inline": inline}
    titles = {f"{name}.html": api["info"]["title"] for name, api in apis.items()}
    titles |= {"events.html": f"{events['info']['title']}: events"}
    api_page, event_page = environment.get_template("api.j2"), environment.get_template("events.j2")
    found = {
        f"{name}.html": api_page.render(
            titles=titles,
            page=f"{name}.html",
            api=api,
            groups=list(_groups(api)),
            models=[_model(*each) for each in api["components"]["schemas"].items()],
        )
        for name, api in apis.items()
    }
    found["events.html"] = event_page.render(
        titles=titles,
        page="events.html",
        events=events,
        models=[_model(*each) for each in schemas.items()],
        parts=[_model(*each) for each in sorted(_parts(schemas).items())],
        headers={name: _fields(schema) for name, schema in events["components"]["schemas"].items()},
    )
    return found


def text(plain: str) -> Markup:
    """A description: paragraphs, and `code`."""
    return Markup("").join(
        Markup("<p>{}</p>").format(inline(each)) for each in plain.split("\n\n") if each
    )


def inline(plain: str) -> Markup:
    """A sentence with `code` in it."""
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(plain))))  # noqa: S704 (is escaped)


def kind(schema: Json) -> Markup:
    """A schema in a few words, with links to those that have a name."""
    match schema:
        case {"$ref": ref}:
            said = Markup('<a href="#{0}">{0}</a>').format(ref.rpartition("/")[2])
        case {"anyOf": either} | {"oneOf": either}:
            said = Markup(" or ").join(kind(each) for each in either)
        case {"const": value}:
            said = _codes([json.dumps(value)])
        case {"enum": values}:
            said = _codes(values)
        case {"type": "array"}:
            said = Markup("list of {}").format(kind(schema.get("items", {})))
        case {"type": "object", "additionalProperties": dict(properties)}:
            said = Markup("object of {}").format(kind(properties))
        case {"type": name}:
            said = escape(", ".join([schema.get("format", name), *_limits(schema)]))
        case _:
            said = Markup("anything")
    return said


def _codes(values: Iterable[object]) -> Markup:
    return Markup(", ").join(Markup("<code>{}</code>").format(each) for each in values)


def _limits(schema: Json) -> Iterator[str]:
    for name, said in (
        ("minimum", "from {}"),
        ("maximum", "to {}"),
        ("minLength", "{} characters at least"),
        ("maxLength", "{} at most"),
        ("pattern", "{}"),
    ):
        if (limit := schema.get(name)) is not None:
            yield said.format(f"{limit:g}" if isinstance(limit, float) else limit)


def _fields(schema: Json) -> tuple[Field, ...]:
    required = schema.get("required", [])
    return tuple(
        Field(name, kind(each), name in required, each.get("description", ""))
        for name, each in schema.get("properties", {}).items()
    )


def _model(name: str, schema: Json) -> Model:
    examples = schema.get("examples") or [None]
    return Model(
        name=name,
        description=schema.get("description", ""),
        kind=kind(schema),
        fields=_fields(schema),
        example=_pretty(examples[0]),
    )


def _parts(schemas: Mapping[str, Json]) -> dict[str, Json]:
    return {name: part for each in schemas.values() for name, part in each.get("$defs", {}).items()}


def _pretty(example: object) -> str:
    if example is None or isinstance(example, str):
        return example or ""
    return json.dumps(example, indent=2, ensure_ascii=False)


def _groups(api: Json) -> Iterator[tuple[Json, list[Operation]]]:
    """Each tag with its operations."""
    found = [
        (operation, _operation(method.upper(), path, operation))
        for path, methods in api["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]
    for tag in api["tags"]:
        yield tag, [each for operation, each in found if tag["name"] in operation["tags"]]


def _operation(method: str, path: str, operation: Json) -> Operation:
    return Operation(
        method=method,
        path=path,
        id=operation["operationId"],
        description=operation.get("description", ""),
        deprecated=operation.get("deprecated", False),
        rights=tuple(
            right
            for each in operation.get("security", [])
            for rights in each.values()
            for right in rights
        ),
        parameters=tuple(
            Field(
                f"{each['name']} ({each['in']})",
                kind(each["schema"]),
                each.get("required", False),
                each.get("description", ""),
            )
            for each in operation.get("parameters", [])
        ),
        bodies=_kinds(operation.get("requestBody", {})),
        answers=tuple(_answer(*each) for each in operation["responses"].items()),
    )


def _kinds(body: Json) -> tuple[tuple[str, Markup], ...]:
    return tuple((media, kind(each["schema"])) for media, each in body.get("content", {}).items())


def _answer(status: str, answer: Json) -> Answer:
    examples = (each["example"] for each in answer.get("content", {}).values() if "example" in each)
    return Answer(
        status=status,
        description=answer["description"],
        kinds=_kinds(answer),
        headers=tuple(
            Field(name, kind(each["schema"]), each.get("required", False), each["description"])
            for name, each in answer.get("headers", {}).items()
        ),
        example=_pretty(next(examples, None)),
    )
