"""Sets of secret keys that rotate: by number, as settings hold them.

A key rotates in three steps, each of which reaches one replica after the other: it is known to all
before any uses it, and used by all before the old one goes.

    {"1": "KEY"}    {"1": "KEY", "2": "next:NEW"}    {"1": "KEY", "2": "NEW"}    {"2": "NEW"}
"""

import base64
import binascii
from collections.abc import Iterable, Mapping

from pydantic import SecretStr

KEYS_HELP = (
    "By number (1 to 255), base64url of 32 bytes or more each. "
    "The highest number signs, unless its key begins with next:, as until every process knows it; "
    "the others hold, too."
)
SEALING_HELP = (
    "By number (1 to 255), base64url of 32 bytes or more each. The highest number seals, "
    "unless its key begins with next:, as until every process knows it; the others open, too, and "
    "what lower ones sealed is sealed anew within the hour."
)
LEAST_BYTES = 32
NEXT = "next:"


class NumberedKeys(dict[int, bytes]):
    """Keys by number; those that wait open and hold, and nothing is made with them yet."""

    def __init__(self, keys: Mapping[int, bytes], waiting: Iterable[int] = ()) -> None:
        super().__init__(keys)
        self.waiting = frozenset(waiting)


def newest(keys: Mapping[int, bytes]) -> int:
    """The number of the key that seals and signs."""
    return max(keys.keys() - waiting(keys))


def waiting(keys: Mapping[int, bytes]) -> frozenset[int]:
    """The numbers of those that do not yet."""
    return keys.waiting if isinstance(keys, NumberedKeys) else frozenset()


def check_keys(keys: dict[int, SecretStr]) -> dict[int, SecretStr]:
    """Raise ValueError unless every number and key can be used."""
    for number, key in keys.items():
        if not 1 <= number <= 255:
            raise ValueError("key numbers are 1 to 255")
        if len(decode_key(key)) < LEAST_BYTES:
            raise ValueError("a key needs 32 bytes or more")
    if keys and all(map(_waits, keys.values())):
        raise ValueError("one key at least has to be in use")
    return keys


def check_seeds(keys: dict[int, SecretStr]) -> dict[int, SecretStr]:
    """Raise ValueError unless each can be the seed of a key of Curve25519 (RFC 7748, 8032)."""
    if any(len(decode_key(key)) != LEAST_BYTES for key in check_keys(keys).values()):
        raise ValueError("the seed of a key is 32 bytes")
    return keys


def check_public_keys(keys: dict[int, str]) -> dict[int, str]:
    """Raise ValueError unless each can be a public key of Curve25519 by a number that signs."""
    seeds = {number: SecretStr(key) for number, key in keys.items()}
    if any(map(_waits, check_seeds(seeds).values())):
        raise ValueError("a public key does not wait")
    return keys


def decode_public_keys(keys: dict[int, str]) -> dict[int, bytes]:
    """The keys' bytes by number."""
    return {number: decode_key(SecretStr(key)) for number, key in keys.items()}


def decode_keys(keys: Mapping[int, SecretStr]) -> NumberedKeys:
    """The keys' bytes by number, and which of them wait."""
    return NumberedKeys(
        {number: decode_key(key) for number, key in keys.items()},
        [number for number, key in keys.items() if _waits(key)],
    )


def _waits(key: SecretStr) -> bool:
    return key.get_secret_value().startswith(NEXT)


def decode_key(key: SecretStr) -> bytes:
    """The bytes of a base64url key, which may be one that waits; raises ValueError."""
    text = key.get_secret_value().removeprefix(NEXT)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("a key is not base64url") from None
