"""Sets of secret keys that rotate: by number, as settings hold them."""

import base64
import binascii

from pydantic import SecretStr

KEYS_HELP = (
    "By number (1 to 255), base64url of 32 bytes or more each. "
    "The highest number signs; the others still hold."
)
SEALING_HELP = (
    "By number (1 to 255), base64url of 32 bytes or more each. The highest number seals; the "
    "others still open, and what they sealed is sealed anew within the hour."
)
LEAST_BYTES = 32


def check_keys(keys: dict[int, SecretStr]) -> dict[int, SecretStr]:
    """Raise ValueError unless every number and key can be used."""
    for number, key in keys.items():
        if not 1 <= number <= 255:
            raise ValueError("key numbers are 1 to 255")
        if len(decode_key(key)) < LEAST_BYTES:
            raise ValueError("a key needs 32 bytes or more")
    return keys


def check_seeds(keys: dict[int, SecretStr]) -> dict[int, SecretStr]:
    """Raise ValueError unless each can be the seed of a key of Curve25519 (RFC 7748, 8032)."""
    if any(len(decode_key(key)) != LEAST_BYTES for key in check_keys(keys).values()):
        raise ValueError("the seed of a key is 32 bytes")
    return keys


def check_public_keys(keys: dict[int, str]) -> dict[int, str]:
    """Raise ValueError unless each can be a public key of Curve25519 by a number that signs."""
    check_seeds({number: SecretStr(key) for number, key in keys.items()})
    return keys


def decode_public_keys(keys: dict[int, str]) -> dict[int, bytes]:
    """The keys' bytes by number."""
    return {number: decode_key(SecretStr(key)) for number, key in keys.items()}


def decode_keys(keys: dict[int, SecretStr]) -> dict[int, bytes]:
    """The keys' bytes by number."""
    return {number: decode_key(key) for number, key in keys.items()}


def decode_key(key: SecretStr) -> bytes:
    """The bytes of a base64url key; raises ValueError."""
    text = key.get_secret_value()
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("a key is not base64url") from None
