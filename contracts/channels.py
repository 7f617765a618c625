"""The ways on which a patient is reached."""

from enum import StrEnum


class Channel(StrEnum):
    """A way to reach the patient."""

    EMAIL = "email"
    SMS = "sms"
