"""What wordings that mean the same are held as."""

from dataclasses import dataclass
from enum import Enum, auto

from contracts.events import FailureReason
from services.notification.refusals.refusal import About
from services.notification.refusals.statuses import Meaning


class Kind(Enum):
    """Whom or what words name, which says how they weigh against a status."""

    NAMES_US = auto()
    NAMES_THE_RECIPIENT = auto()
    NAMES_THE_MESSAGE = auto()
    NAMES_A_SYSTEM = auto()
    NAMES_NOBODY = auto()


@dataclass(frozen=True, slots=True)
class Phrases:
    """Wordings that mean the same, as patterns."""

    kind: Kind
    about: About
    reason: FailureReason
    patterns: tuple[str, ...]

    @property
    def meaning(self) -> Meaning:
        """What they stand for."""
        return Meaning(self.about, self.reason)
