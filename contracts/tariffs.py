"""What a practice has booked, and which channels that includes."""

from enum import StrEnum

from contracts.channels import Channel


class Tariff(StrEnum):
    """What a practice has booked."""

    BASIC = "basic"
    STANDARD = "standard"
    PREMIUM = "premium"

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that it includes."""
        return (Channel.EMAIL,) if self is Tariff.BASIC else (Channel.EMAIL, Channel.SMS)
