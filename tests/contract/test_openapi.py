"""What the descriptions of the APIs promise to whoever generates a client from them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from contracts.rights import MEANING, RIGHTS_OF, RIGHTS_OF_KEYS, Right
from tools.generate import CONTRACTS

Json = dict[str, Any]

FILES = sorted((CONTRACTS / "openapi").glob("*.json"))
each_api = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def described(path: Path) -> Json:
    found: Json = json.loads(path.read_text())
    return found


def operations(description: Json) -> Iterator[Json]:
    for methods in description["paths"].values():
        yield from methods.values()


def schema_of(description: Json, name: str) -> Json:
    """One schema of a description, with all that it refers to."""
    text = json.dumps(description["components"]["schemas"])
    schemas = json.loads(text.replace("#/components/schemas/", "#/$defs/"))
    return {**schemas[name], "$defs": schemas}


@each_api
def test_operations_are_named_as_methods_are_and_tagged(path: Path) -> None:
    description = described(path)
    names = [operation["operationId"] for operation in operations(description)]
    assert len({*names}) == len(names)
    assert all(name.isidentifier() and "_" not in name for name in names)
    tags = {tag["name"] for tag in description["tags"]}
    assert {tag for operation in operations(description) for tag in operation["tags"]} == tags
    assert description["servers"]


@each_api
def test_who_has_to_come_back_is_told_when(path: Path) -> None:
    for operation in operations(described(path)):
        for status in {"429", "503"} & operation["responses"].keys():
            headers = operation["responses"][status]["headers"]
            assert headers["Retry-After"]["required"], operation["operationId"]
        refused = operation["responses"].get("401", {})
        if "security" in operation:
            assert refused["headers"]["WWW-Authenticate"]["required"]
        else:
            assert "headers" not in refused


def test_keys_and_people_have_the_scopes_that_they_can_have_and_no_others() -> None:
    assert MEANING.keys() == {*Right}
    for path in FILES:
        if token := described(path)["components"]["securitySchemes"].get("token"):
            flows = token["flows"]
            if path.stem == "notification":  # which takes the identity provider's alone
                assert "clientCredentials" not in flows
            else:
                assert flows["clientCredentials"]["scopes"].keys() == RIGHTS_OF_KEYS
            some_role_has = {right for rights in RIGHTS_OF.values() for right in rights}
            assert flows["authorizationCode"]["scopes"].keys() == some_role_has


def test_what_can_be_left_out_has_no_default_that_a_client_would_have_to_name() -> None:
    schemas = described(CONTRACTS / "openapi" / "scheduling.json")["components"]["schemas"]
    for name in ("NewAppointment", "Change", "Resend"):
        assert not [field for field in schemas[name]["properties"].values() if "default" in field]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("patient_name", ""),
        ("channels", []),
        ("channels", ["fax"]),
        ("date", "01.12.2026"),
        ("time", "9:05"),
        ("duration_minutes", None),
        ("duration_minutes", "30"),
        ("duration_minutes", 4),
        ("duration_minutes", 481),
        ("consent", False),
    ],
)
def test_what_the_form_refuses_is_described_so(field: str, wrong: object) -> None:
    schema = schema_of(described(CONTRACTS / "openapi" / "scheduling.json"), "NewAppointment")
    [example] = schema["examples"]
    validator = Draft202012Validator(schema, format_checker=FormatChecker(["date"]))
    validator.validate(example)
    assert not validator.is_valid(example | {field: wrong})


@each_api
def test_examples_are_what_they_are_examples_of(path: Path) -> None:
    description = described(path)
    for name, schema in description["components"]["schemas"].items():
        for example in schema.get("examples", []):
            Draft202012Validator(schema_of(description, name)).validate(example)


def unions(part: Any) -> Iterator[list[str]]:
    """The names of the schemas, wherever one of several may come."""
    if isinstance(part, dict):
        names = [
            each["$ref"].rsplit("/", 1)[-1] for each in part.get("anyOf", ()) if "$ref" in each
        ]
        if len(names) > 1:
            yield sorted(names)
        for each in part.values():
            yield from unions(each)
    elif isinstance(part, list):
        for each in part:
            yield from unions(each)


@each_api
def test_of_several_that_may_come_a_generated_client_takes_the_right_one(path: Path) -> None:
    """openapi-generator in Java takes the first by name that can be read so, even if fields lack.

    So a constant tells them apart, or the first has whatever the others have.
    """
    description = described(path)
    schemas = description["components"]["schemas"]
    for names in unions(description):
        if any("enum" in schemas[name] for name in names):
            continue  # of texts, whose values tell them apart
        fields = [schemas[name]["properties"] for name in names]
        constants = [{each.get("const") for each in of.values()} - {None} for of in fields]
        apart = all(constants) and len({frozenset(each) for each in constants}) == len(names)
        assert apart or all(fields[0].items() >= of.items() for of in fields), names
