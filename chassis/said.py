"""Sentences of the APIs for people: in German, and in English for who asks for it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Self

from pydantic_core import CoreSchema, core_schema

# A language of Accept-Language and its weight, with the comma or the end behind it (RFC 9110,
# section 12.5.4).
_RANGE = re.compile(
    r"\s*+(?P<tag>[A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]{1,60}+)?\s*+"
    r"(?:;\s*+[qQ]=(?P<weight>[01](?:\.\d{0,3})?)\s*+)?(?:,|\Z)"
)


class Said(str):
    """A sentence. It is the German one itself; `english` says the same."""

    english: str

    def __new__(cls, german: str, english: str) -> Self:
        """Of a sentence in both languages."""
        said = super().__new__(cls, german)
        said.english = english
        return said

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> CoreSchema:
        return core_schema.str_schema()  # in descriptions of an answer it is a string

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]
        return str(self), self.english


def for_operators(sentence: str) -> Said:
    """A sentence that only operators read, who read English."""
    return Said(sentence, sentence)


def prefers_english(accept_language: str) -> bool:
    """Whether English is wanted more than German, which whoever says nothing of the two gets."""
    weights: dict[str, float] = {}
    at = 0
    while at < len(accept_language):
        found = _RANGE.match(accept_language, at)
        if found is None:
            return False
        weights.setdefault(found["tag"].lower(), float(found["weight"] or 1))
        at = found.end()
    anything = weights.get("*", 0.0)
    return weights.get("en", anything) > weights.get("de", anything)


def in_english(content: Any) -> Any:
    """The same content, with each sentence in English."""
    if isinstance(content, Said):
        return content.english
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        return {name: in_english(value) for name, value in content.items()}
    if isinstance(content, Sequence):
        return [in_english(each) for each in content]
    return content
