"""Settings of the dashboard, from environment variables DASHBOARD_*."""

from datetime import timedelta
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.settings import (
    LOOPBACK,
    AuthSettings,
    require_password,
    unverified_database,
    unverified_places,
)

ORIGIN = r"^https?://[^/?#]+/?$"


class Settings(AuthSettings):
    """What ops can set. The identity provider is found by its discovery document."""

    model_config = SettingsConfigDict(env_prefix="DASHBOARD_")

    port: int = Field(default=8400, ge=1, le=65535, description="Of the dashboard.")
    operations_port: int = Field(default=8410, ge=1, le=65535, description="Of health and metrics.")
    public_url: str = Field(pattern=ORIGIN, description="Where browsers reach the dashboard.")
    scheduling_url: str = Field(
        default="http://127.0.0.1:8401",
        pattern=ORIGIN,
        description="Where this process reaches the scheduling service.",
    )
    notification_url: str = Field(
        default="http://127.0.0.1:8402",
        pattern=ORIGIN,
        description="Where this process reaches the notification service.",
    )
    status_url: str = Field(
        default="http://127.0.0.1:8403",
        pattern=ORIGIN,
        description="Where this process reaches the status service.",
    )
    streams: int = Field(
        default=200, ge=1, description="Live streams open at once, at most; ten of one person."
    )
    database_url: SecretStr = Field(
        description="postgresql:// URL of the database with the sessions."
    )
    database_connections: int = Field(
        default=10, ge=2, le=200, description="Of this process, at most."
    )
    oidc_internal_url: str = Field(
        default="",
        pattern=r"^(https?://[^?#]+)?$",
        description="Where this process reaches the issuer, if not at the address that browsers "
        "know; stands for auth_issuer at the beginning of the provider's addresses.",
    )
    oidc_client_id: str = Field(min_length=1, description="As registered with the provider.")
    oidc_client_secret: SecretStr = Field(
        default=SecretStr(""), description="Empty for a public client, which has PKCE alone."
    )
    oidc_scope: str = Field(
        default="openid profile",
        pattern=r"^openid( |$)",
        description="Some providers give refresh tokens for offline_access only.",
    )
    oidc_parameters: dict[str, str] = Field(
        default={}, description='More for the authorization request, as {"audience": "…"}.'
    )
    logins_per_minute: int = Field(
        default=60, ge=1, description="From one address, in this process; twice that many steps."
    )
    demo_links: dict[str, str] = Field(
        default={},
        description="Of a demonstration: where to see what arrived, by what it is called; shown "
        'above the page, as {"Postfach": "http://…"}. Refused as production.',
    )
    session_idle_minutes: int = Field(
        default=60,
        ge=5,
        le=24 * 60,
        description="After which somebody who does nothing is logged out.",
    )
    session_hours: int = Field(
        default=12, ge=1, le=7 * 24, description="After which everybody is logged out."
    )

    @field_validator("scheduling_url", "notification_url", "status_url", "public_url")
    @classmethod
    def _without_slash(cls, url: str) -> str:
        return url.rstrip("/")

    def unverified(self) -> list[str]:
        """Settings by which something is reached that could be a stranger."""
        return [
            *super().unverified(),
            *unverified_places(
                self, "scheduling_url", "notification_url", "status_url", "oidc_internal_url"
            ),
            *unverified_database(self.database_url),
        ]

    @model_validator(mode="after")
    def _is_set_up(self) -> Self:
        if self.oidc_client_id == self.auth_audience:
            raise ValueError(
                "oidc_client_id and auth_audience have to differ, or an ID token would pass "
                "for an access token"
            )
        if self.environment == "production":
            if not self.secure:
                raise ValueError("production needs a public_url that begins with https://")
            require_password(self.database_url)
            if self.demo_links:
                raise ValueError("production shows no demo_links: its page is no demonstration")
        return self

    @property
    def secure(self) -> bool:
        """Whether browsers come by https."""
        return self.public_url.startswith("https://")

    @property
    def hosts(self) -> frozenset[str]:
        """Host names that are served."""
        local = LOOPBACK if self.environment != "production" else ()
        return frozenset({urlsplit(self.public_url).hostname or "", *local})

    @property
    def idle(self) -> timedelta:
        """How long a session lasts without anybody doing anything."""
        return timedelta(minutes=self.session_idle_minutes)

    @property
    def longest(self) -> timedelta:
        """How long a session lasts at most."""
        return timedelta(hours=self.session_hours)
