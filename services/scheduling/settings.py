"""Settings of the scheduling service, from environment variables SCHEDULING_*."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from chassis.keys import KEYS_HELP, check_keys
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
    link_keys: Annotated[dict[int, SecretStr], AfterValidator(check_keys)] = Field(
        min_length=1, description=f"Keys of the patients' links. {KEYS_HELP}"
    )
