"""What patients are told, in each language."""

from chassis.wording import Wording, wordings
from contracts.languages import nearest


def wording(locale: str) -> Wording:
    """The language of that tag, or the default."""
    return wordings()[nearest(locale)]
