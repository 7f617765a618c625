"""Settings of the scheduling service, from environment variables SCHEDULING_*."""

import base64
import binascii

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings
from contracts.events import Channel


class Settings(ServiceSettings):
    """What ops can set."""

    model_config = SettingsConfigDict(env_prefix="SCHEDULING_")

    port: int = Field(default=8401, ge=1, le=65535)
    channels: list[Channel] = Field(
        default=[Channel.EMAIL], description="Channels this installation can send over."
    )
    link_base_url: str = Field(
        pattern=r"^https?://", description="Where the patients' links begin; the token follows."
    )
    link_keys: dict[int, SecretStr] = Field(
        min_length=1,
        description="Link keys by number (1 to 255), base64url of 32 bytes or more each. "
        "The highest number signs; the others still hold.",
    )

    @field_validator("link_keys")
    @classmethod
    def _usable(cls, keys: dict[int, SecretStr]) -> dict[int, SecretStr]:
        for number, key in keys.items():
            if not 1 <= number <= 255:
                raise ValueError("link key numbers are 1 to 255")
            if len(decode_key(key)) < 32:
                raise ValueError("a link key needs 32 bytes or more")
        return keys


def decode_key(key: SecretStr) -> bytes:
    """The bytes of a base64url key; raises ValueError."""
    text = key.get_secret_value()
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("a link key is not base64url") from None
