"""Settings of the video rooms: SCHEDULING_ROOMS, SCHEDULING_ROOM_* and SCHEDULING_JITSI_*."""

from collections.abc import Callable
from datetime import timedelta
from typing import Literal, Self, TypeVar

from pydantic import Field, SecretStr, model_validator

from chassis.secret_keys import LEAST_BYTES, decode_key
from chassis.settings import ServiceSettings
from services.scheduling.visits.opening import OpeningHours
from services.scheduling.visits.rooms import (
    Jitsi,
    Provider,
    Rooms,
    Template,
    check_template,
    origin_of,
    signing_key,
)

T = TypeVar("T")


class RoomSettings(ServiceSettings):
    """Where „Beitreten" leads, and when."""

    rooms: Literal["none", "jitsi", "template"] = Field(
        default="none", description="Who runs the video rooms. With none nobody can join."
    )
    room_key: SecretStr = Field(
        default=SecretStr(""),
        description="base64url of 32 bytes or more, from which the rooms' names are derived. "
        "A new key moves every room: whoever is in one meets nobody who joins later.",
    )
    room_url: str = Field(
        default="",
        description="For jitsi: where Jitsi is, with the tenant if there is one; the room's name "
        "follows. For template: the patient's address with {room}, and {language} if wanted.",
    )
    room_host_url: str = Field(
        default="",
        description="For template: the practice's address, with {host_key} besides if wanted, a "
        "secret that patients do not see. Left out: the same as the patient's. Servers log what "
        "stands before a #, so put it behind one if your rooms read it there.",
    )
    room_redirects_to: list[str] = Field(
        default=[],
        description="Origins that room_url itself redirects to; browsers stop at any other.",
    )
    room_opens_before_minutes: int = Field(
        default=15, ge=0, le=7 * 24 * 60, description="Before the start; patients only."
    )
    room_closes_after_minutes: int | None = Field(
        default=None,
        ge=0,
        description="After the end; patients only. Left out: open for as long as the link holds, "
        "since date and duration are guide values.",
    )
    jitsi_algorithm: Literal["HS256", "RS256"] = Field(
        default="HS256", description="How Jitsi's tokens are signed."
    )
    jitsi_key: SecretStr = Field(
        default=SecretStr(""),
        description="HS256: Jitsi's app_secret, 32 bytes or more. RS256: a private key, PEM.",
    )
    jitsi_key_id: str = Field(default="", description="The header kid; RS256 needs it.")
    jitsi_issuer: str = Field(default="", description="The claim iss: Jitsi's app_id; JaaS: chat.")
    jitsi_audience: str = Field(default="jitsi", min_length=1, description="The claim aud.")
    jitsi_subject: str = Field(
        default="*", min_length=1, description="The claim sub: domain or tenant, in lower case."
    )

    @model_validator(mode="after")
    def _rooms_can_be_entered(self) -> Self:
        if self.rooms == "none":
            return self
        _named("room_key", _check_key, self.room_key)
        addresses = {"room_url": self.room_url}
        if self.rooms == "template":
            addresses["room_host_url"] = self.room_host_url or self.room_url
        redirects = [("room_redirects_to", each) for each in self.room_redirects_to]
        for name, url in [*addresses.items(), *redirects]:
            _named(name, origin_of, url)
            if self.environment == "production" and not url.startswith("https://"):
                raise ValueError(f"production needs a {name} that begins with https://")
        if self.rooms == "jitsi":
            self._check_jitsi()
        else:
            _named("room_url", lambda url: check_template(url, host=False), self.room_url)
            host = addresses["room_host_url"]
            _named("room_host_url", lambda url: check_template(url, host=True), host)
        return self

    def _check_jitsi(self) -> None:
        if any(character in self.room_url for character in "?#{}"):
            raise ValueError("room_url: for jitsi it may have no query, fragment or placeholder")
        if not self.jitsi_issuer:
            raise ValueError("jitsi_issuer is missing")
        if self.jitsi_algorithm == "RS256" and not self.jitsi_key_id:
            raise ValueError("jitsi_key_id is missing: RS256 needs it")
        try:
            signing_key(self.jitsi_algorithm, self.jitsi_key.get_secret_value())
        except ValueError as error:
            raise ValueError(f"jitsi_key: {error}") from None

    @property
    def opening_hours(self) -> OpeningHours:
        """When patients can join."""
        after = self.room_closes_after_minutes
        return OpeningHours(
            before=timedelta(minutes=self.room_opens_before_minutes),
            after=None if after is None else timedelta(minutes=after),
        )


def _check_key(key: SecretStr) -> None:
    if len(decode_key(key)) < LEAST_BYTES:
        raise ValueError("it needs 32 bytes or more")


def _named(name: str, check: Callable[[T], object], value: T) -> None:
    try:
        check(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def make_rooms(settings: RoomSettings) -> Rooms | None:
    """The rooms as they are set, or None."""
    if settings.rooms == "none":
        return None
    provider: Provider
    if settings.rooms == "jitsi":
        provider = Jitsi(
            base_url=settings.room_url.rstrip("/"),
            key=signing_key(settings.jitsi_algorithm, settings.jitsi_key.get_secret_value()),
            algorithm=settings.jitsi_algorithm,
            key_id=settings.jitsi_key_id,
            issuer=settings.jitsi_issuer,
            audience=settings.jitsi_audience,
            subject=settings.jitsi_subject,
        )
    else:
        provider = Template(settings.room_url, settings.room_host_url or settings.room_url)
    origins = [origin_of(url) for url in (settings.room_url, *settings.room_redirects_to)]
    return Rooms(decode_key(settings.room_key), provider, tuple(dict.fromkeys(origins)))
