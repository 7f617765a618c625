"""What patients are told, in each language."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from chassis.wording import Wording, load
from contracts.languages import nearest

CATALOGUES = Path(__file__).parents[1] / "locale"


@lru_cache(maxsize=1)
def wordings() -> Mapping[str, Wording]:
    """All languages by code, read when first asked for."""
    return load(CATALOGUES)


def wording(locale: str) -> Wording:
    """The language of that tag, or the default."""
    return wordings()[nearest(locale).code]
