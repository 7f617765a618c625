"""Receipts: what a gateway tells of a message after it took it."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

_CODE = re.compile(r"[A-Za-z0-9._-]{1,40}")


class ReceiptState(StrEnum):
    """What became of the message. The first two are no end yet."""

    ACCEPTED = "accepted"  # the gateway or the network has it
    BUFFERED = "buffered"  # the phone can't be reached for now
    DELIVERED = "delivered"
    FAILED = "failed"
    REJECTED = "rejected"  # by the network
    EXPIRED = "expired"  # the phone could not be reached in time


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayReceipt:
    """One statement of a gateway. It names `reference`, `gateway_id` or both; never a number.

    `status` is the RFC 3463 code that a failure comes to; `at` is the gateway's time where it
    gives one, else when it was received.
    """

    gateway: str
    reference: UUID | None
    gateway_id: str | None
    state: ReceiptState
    at: datetime
    error_code: str | None = None
    status: str | None = None

    @property
    def key(self) -> str:
        """The same for every repeat of this statement, whenever it comes: to deduplicate by."""
        message = self.gateway_id or self.reference
        said = f"{self.gateway}\0{message}\0{self.state}\0{self.error_code or ''}"
        return hashlib.sha256(said.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptRequest:
    """The webhook call as it came in. Header names in lower case; `query` without its „?"."""

    method: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime

    def __repr__(self) -> str:
        """Nothing: the body may hold a phone number."""
        return "ReceiptRequest(…)"


class Forged(Exception):
    """No signature, a wrong one, or one that is too old: answered 401, nothing stored."""


class Unreadable(ValueError):
    """Signed by the gateway, and yet not understood: answered 400. Names the field, no value."""


def error_code(value: object) -> str | None:
    """A gateway's code, if it looks like one; free text may hold a number and is dropped."""
    text = "" if value is None else str(value)
    return text if _CODE.fullmatch(text) else None


def reference(value: object) -> UUID | None:
    """Our reference, or None where it is not one of ours."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def gateway_id(value: object) -> str | None:
    """The gateway's id of the message, as text."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if 0 < len(text) <= 200 and text.isprintable() else None


def moment(value: object, otherwise: datetime) -> datetime:
    """An ISO 8601 time with its offset, or `otherwise` where it is none."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else otherwise
    except ValueError:
        return otherwise
    return otherwise if at.tzinfo is None else at
