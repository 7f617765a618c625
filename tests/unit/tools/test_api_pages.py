"""docs/api/: what the pages show, and that they open alone."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from tools import api_pages
from tools.generate import CONTRACTS, ROOT

PAGES = sorted((ROOT / "docs" / "api").glob("*.html"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_needs_no_internet_and_leads_nowhere_that_is_not_there(page: Path) -> None:
    text = page.read_text()
    assert not re.search(r"<(script|link|img|iframe)|src=|url\(|@import", text)
    names = re.findall(r' id="([^"]+)"', text)
    assert len(names) == len({*names})
    for target in re.findall(r'href="([^"]+)"', text):
        file, _, name = target.partition("#")
        assert not name or name in names, target
        assert (page.parent / file).exists(), target


@pytest.mark.parametrize("service", ["scheduling", "notification", "status", "webhooks"])
def test_every_operation_and_schema_is_on_its_page(service: str) -> None:
    api = json.loads((CONTRACTS / "openapi" / f"{service}.json").read_text())
    page = (ROOT / "docs" / "api" / f"{service}.html").read_text()
    operations = [each for path in api["paths"].values() for each in path.values()]
    for name in (*(each["operationId"] for each in operations), *api["components"]["schemas"]):
        assert f'id="{name}"' in page


def test_every_event_is_on_its_page() -> None:
    page = (ROOT / "docs" / "api" / "events.html").read_text()
    for schema in (CONTRACTS / "schemas").glob("*.json"):
        assert f'id="{schema.stem}"' in page


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"$ref": "#/components/schemas/A"}, '<a href="#A">A</a>'),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"const": "a"}, "<code>&#34;a&#34;</code>"),
        ({"enum": ["a", "b"]}, "<code>a</code>, <code>b</code>"),
        ({"type": "array", "items": {"type": "string", "format": "uuid"}}, "list of uuid"),
        ({"type": "object", "additionalProperties": {"type": "boolean"}}, "object of boolean"),
        ({"type": "object", "additionalProperties": False}, "object"),
        ({"type": "integer", "minimum": 5, "maximum": 480.0}, "integer, from 5, to 480"),
        ({"type": "string", "pattern": "^<$"}, "string, ^&lt;$"),
        ({}, "anything"),
    ],
)
def test_a_schema_in_a_few_words(schema: dict[str, Any], said: str) -> None:
    assert api_pages.kind(schema) == Markup(said)


def test_a_description_is_no_markup() -> None:
    assert api_pages.text("a `<b>`\n\nc <d>") == Markup(
        "<p>a <code>&lt;b&gt;</code></p><p>c &lt;d&gt;</p>"
    )
