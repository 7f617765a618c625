"""Who may do what: the rights that a token carries, and the roles that stand for them."""

from collections.abc import Iterable
from enum import StrEnum

TOKEN_AUDIENCE = "einladung"  # noqa: S105 - whom tokens are made for
KEY_TOKEN_ISSUER = "urn:einladung:scheduling"  # noqa: S105 - who exchanges API keys for tokens


class Right(StrEnum):
    """What a request needs; in a token made for an API key these are its scopes."""

    READ_APPOINTMENTS = "appointments:read"
    WRITE_APPOINTMENTS = "appointments:write"
    DELETE_APPOINTMENTS = "appointments:delete"
    CANCEL_APPOINTMENTS = "appointments:cancel"
    CORRECT_APPOINTMENTS = "appointments:correct"
    READ_LINKS = "links:read"
    READ_STATUS = "status:read"
    READ_AUDIT = "audit:read"
    HOST_VISITS = "visits:host"
    MANAGE_WEBHOOKS = "webhooks:manage"


MEANING = {
    Right.READ_APPOINTMENTS: "See appointments, with their patients.",
    Right.WRITE_APPOINTMENTS: "Create and change appointments, and send invitations.",
    Right.DELETE_APPOINTMENTS: "Delete appointments, and erase patients' data.",
    Right.CANCEL_APPOINTMENTS: "Delete appointments, their patients being told.",
    Right.CORRECT_APPOINTMENTS: "Correct name, addresses and language, sending nothing.",
    Right.READ_LINKS: "See patients' links.",
    Right.READ_STATUS: "See what became of invitations.",
    Right.READ_AUDIT: "See who did what.",
    Right.HOST_VISITS: "Lead visits.",
    Right.MANAGE_WEBHOOKS: "Say where events go, and have them sent again.",
}


class Role(StrEnum):
    """What the identity provider says of a person."""

    PRACTITIONER = "practitioner"
    ASSISTANT = "assistant"
    APPOINTMENT_ADMIN = "appointment_admin"


DAILY_WORK = frozenset({Right.READ_APPOINTMENTS, Right.WRITE_APPOINTMENTS, Right.READ_STATUS})
RIGHTS_OF = {
    Role.PRACTITIONER: DAILY_WORK | {Right.HOST_VISITS},
    Role.ASSISTANT: DAILY_WORK,
    Role.APPOINTMENT_ADMIN: DAILY_WORK | {Right.DELETE_APPOINTMENTS, Right.READ_AUDIT},
}
RIGHTS_OF_PEOPLE = frozenset[Right]().union(*RIGHTS_OF.values())
# What a key may be given, each by name: a clinic's system erases nothing and watches nobody;
# where its events go is its own affair.
RIGHTS_OF_KEYS = DAILY_WORK | {
    Right.CANCEL_APPOINTMENTS,
    Right.CORRECT_APPOINTMENTS,
    Right.READ_LINKS,
    Right.MANAGE_WEBHOOKS,
}


def of_roles(names: Iterable[str]) -> frozenset[Right]:
    """The rights of all these roles together; a name that is no role of ours gives none."""
    return frozenset[Right]().union(*(RIGHTS_OF[role] for role in known_roles(names)))


def known_roles(names: Iterable[str]) -> tuple[Role, ...]:
    """Those of the names that are roles of ours."""
    present = set(names)
    return tuple(role for role in Role if role in present)


def of_scopes(names: Iterable[str]) -> frozenset[Right]:
    """The rights that scopes of an API key give."""
    return RIGHTS_OF_KEYS & set(names)
