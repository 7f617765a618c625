"""A key opens what it is for while it is active, to whoever has its secret."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from contracts.rights import Right
from services.scheduling.keys import key as keys
from services.scheduling.keys.key import ClinicSystem, KeyState, Operator

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
UNTIL = NOW + timedelta(days=1)
CLINIC = ClinicSystem(UUID(int=1), frozenset({Right.READ_STATUS}))


@pytest.mark.parametrize(("owner", "prefixes"), [(CLINIC, "ek_ es_"), (Operator(), "eo_ eos_")])
def test_the_secret_of_an_active_key_and_no_other_opens(
    owner: ClinicSystem | Operator, prefixes: str
) -> None:
    key, secret = keys.create(owner, "Praxissystem", now=NOW, expires_at=UNTIL)
    id_prefix, secret_prefix = prefixes.split()
    assert key.id.startswith(id_prefix)
    assert secret.startswith(secret_prefix)
    assert secret not in repr(key)
    assert keys.authenticate(key, secret, NOW) is key
    other, other_secret = keys.create(owner, "Praxissystem", now=NOW, expires_at=UNTIL)
    assert other.id != key.id
    for wrong in (other_secret, secret[:-1], secret + "x", ""):
        assert keys.authenticate(key, wrong, NOW) is None
    assert keys.authenticate(None, secret, NOW) is None


def test_a_key_ends_by_its_term_or_for_good() -> None:
    key, secret = keys.create(CLINIC, "Praxissystem", now=NOW, expires_at=UNTIL)
    last = UNTIL - timedelta(microseconds=1)
    assert keys.authenticate(key, secret, last) is key
    assert key.state(UNTIL) is KeyState.EXPIRED
    assert keys.authenticate(key, secret, UNTIL) is None
    revoked = replace(key, revoked_at=NOW)
    assert {revoked.state(NOW), revoked.state(UNTIL)} == {KeyState.REVOKED}
    assert keys.authenticate(revoked, secret, NOW) is None


@pytest.mark.parametrize("text", ["", "  ", "x" * 201])
def test_a_name_that_says_nothing_or_too_much_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="1 to 200 characters"):
        keys.checked_name(text)
    assert keys.checked_name(" Praxissystem ") == "Praxissystem"
