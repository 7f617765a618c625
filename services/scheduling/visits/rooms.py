"""The way into a video room: Jitsi with a signed token, or any address by a template.

Rooms are derived, not stored: HMAC-SHA-256 over appointment and link version, so nobody guesses
one, its name says nothing of the patient, and a renewed link leads to another room.
"""

import hmac
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from string import Formatter
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from services.scheduling.appointments import Appointment

PURPOSE = b"einladung/room/v1"
NAME_CHARACTERS = 32  # of hexadecimal: 128 bit. Jitsi knows rooms in lower case only
STAY = timedelta(hours=1)  # after the end, or after joining later than that: to come back after
LONGEST = timedelta(hours=12)  # before that hour begins
EARLY = timedelta(days=1)  # before the start: whoever comes that early looks around
LOOK = timedelta(minutes=15)
CLOCK_SKEW = timedelta(seconds=30)
HOST_KEY = "host_key"
# An origin as a Content-Security-Policy can name it: no user, no IPv6.
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?", re.IGNORECASE)


class Role(StrEnum):
    """Who joins."""

    PATIENT = "patient"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Entrance:
    """One person's way into one room."""

    room: str
    host_key: str  # known to the host alone
    role: Role
    display_name: str
    language: str  # ISO 639: rooms know no further subtags
    not_before: datetime
    expires_at: datetime


class Provider(Protocol):
    """Whoever runs the rooms."""

    def url(self, entrance: Entrance) -> str:
        """Where the browser goes."""
        ...


@dataclass(frozen=True, slots=True)
class Jitsi:
    """Jitsi Meet with token authentication, one's own or as a service (JaaS).

    Claims after lib-jitsi-meet's doc/tokens.md. `moderator` is what JaaS reads, `affiliation` what
    Prosody's mod_token_affiliation does; every value of a user has to be a string there.

    Token and patient go in the fragment, which no browser sends to a server. jitsi-meet does send
    the token on, in the address of its XMPP connection (lib-jitsi-meet, xmpp.ts), so the patient's
    name is not in it; it goes beside it, for the page alone.
    """

    base_url: str
    key: OctKey | RSAKey
    algorithm: str
    key_id: str
    issuer: str
    audience: str
    subject: str

    def url(self, entrance: Entrance) -> str:
        """The room's address with the token that opens it."""
        known = {"jwt": self.token(entrance)}
        if entrance.role is Role.PATIENT:
            # jitsi-meet shows it escaped for HTML once too often: O&#39;Neill
            known["userInfo.displayName"] = entrance.display_name.replace("'", "\u2019")
        fragment = "&".join(f"{name}={_for_jitsi(value)}" for name, value in known.items())
        return f"{self.base_url}/{entrance.room}#{fragment}"

    def token(self, entrance: Entrance) -> str:
        """A token for this person and this room alone. Names the host, and no patient."""
        host = entrance.role is Role.HOST
        user = {
            "id": entrance.role.value,
            "moderator": "true" if host else "false",
            "affiliation": "owner" if host else "member",
        }
        if host:
            user["name"] = entrance.display_name
        claims: dict[str, Any] = {
            "aud": self.audience,
            "iss": self.issuer,
            "sub": self.subject,
            "room": entrance.room,
            "nbf": int(entrance.not_before.timestamp()),
            "exp": int(entrance.expires_at.timestamp()),
            "context": {"user": user},
        }
        header = {"alg": self.algorithm, "typ": "JWT"}
        if self.key_id:
            header["kid"] = self.key_id
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])


def _for_jitsi(value: str) -> str:
    """A value as JSON in ASCII, in which jitsi-meet (parseURLParams.ts) mends nothing.

    Else it takes typographic quotes for others, and a backslash from before an ampersand.
    """
    return quote(json.dumps(value).replace("&", r"\u0026"))


@dataclass(frozen=True, slots=True)
class Template:
    """Addresses with named placeholders. None stands for the patient: addresses are logged."""

    patient: str
    host: str

    def url(self, entrance: Entrance) -> str:
        """The template of this role, filled in."""
        values = {"room": entrance.room, "language": entrance.language}
        if entrance.role is Role.PATIENT:
            return self.patient.format_map(values)
        return self.host.format_map(values | {HOST_KEY: entrance.host_key})


@dataclass(frozen=True, slots=True)
class Rooms:
    """Derives rooms and leads into them."""

    key: bytes
    provider: Provider
    origins: tuple[str, ...]  # all that a browser passes on its way in

    def way_in(
        self, appointment: Appointment, role: Role, *, name: str, language: str, now: datetime
    ) -> str:
        """The address for this person, good from now until `way_in_ends`."""
        return self.provider.url(
            Entrance(
                room=self._derive(appointment, b"room"),
                host_key=self._derive(appointment, b"host"),
                role=role,
                display_name=name,
                language=quote(language.partition("-")[0], safe=""),
                not_before=now - CLOCK_SKEW,
                expires_at=way_in_ends(appointment, now),
            )
        )

    def _derive(self, appointment: Appointment, what: bytes) -> str:
        of = appointment.id.bytes + appointment.link_version.to_bytes(4, "big")
        digest = hmac.digest(self.key, b"\0".join((PURPOSE, what, of)), "sha256")
        return digest.hex()[:NAME_CHARACTERS]


def way_in_ends(appointment: Appointment, now: datetime) -> datetime:
    """Until when somebody who joins now may, and may come back after a lost connection.

    An hour after the visit, within half a day or so, whatever is planned. Long before it, as to see
    whether the camera works, for minutes: date and time are guide values, so nobody is refused.
    """
    if appointment.starts_at - now > EARLY:
        return now + LOOK
    return min(max(appointment.ends_at, now), now + LONGEST) + STAY


def check_template(template: str, *, host: bool) -> None:
    """Raise ValueError, saying what is wrong, unless the template can be filled in."""
    allowed = {"room", "language"} | ({HOST_KEY} if host else set())
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        raise ValueError("its braces do not match") from None
    names = [name for _, name, _, _ in parts if name is not None]
    if any(conversion or form for _, _, form, conversion in parts) or not allowed.issuperset(names):
        raise ValueError(
            f"its placeholders may be {', '.join(f'{{{n}}}' for n in sorted(allowed))}"
        )
    if "room" not in names:
        raise ValueError("the placeholder {room} is missing")
    origin_of(template)


def origin_of(url: str) -> str:
    """Scheme, host and port; raises ValueError for what a browser could not be sent to."""
    if re.search(r"[^!-~]", url):
        raise ValueError("it may hold printable ASCII only")
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    if not ORIGIN.fullmatch(origin):
        raise ValueError("it has to begin with https:// and a plain host name")
    return origin


def signing_key(algorithm: str, key: str) -> OctKey | RSAKey:
    """The key that signs; raises ValueError for one of the wrong kind."""
    if algorithm == "HS256":
        if len(key.encode()) < 32:
            raise ValueError("HS256 needs a key of 32 bytes or more (RFC 7518, section 3.2)")
        return OctKey.import_key(key)
    try:
        rsa = RSAKey.import_key(key)
    except ValueError:
        raise ValueError("RS256 needs an RSA key as PEM") from None
    if not rsa.is_private:
        raise ValueError("RS256 needs the private key")
    return rsa
