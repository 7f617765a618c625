"""Patient data at rest: sealed under keys that rotate, recognised by keyed fingerprints.

What is sealed is bound to its associated data (table and column, practice, row): copied elsewhere
it does not open. The first byte says which key: the highest number that does not wait
(chassis/secret_keys.py) seals, the others open, so a key can be retired once nothing is sealed
under it any more (`sealed_under_older_keys`).

    key number, 1 byte | nonce, 12 | AES-256-GCM (NIST SP 800-38D) of the content with its tag, 16

Nonces are random: 2**32 seals under one key are safe, more than a clinic writes in its life.
"""

import hmac
import secrets
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from prometheus_client import Gauge

from chassis.secret_keys import newest, waiting

NONCE_BYTES = 12
AssociatedData = tuple[object, ...]

older = Gauge("sealed_under_older_keys", "Rows not yet sealed under the newest key", ["place"])


class NotOpened(Exception):
    """Sealed under a key that is missing, with other associated data, or damaged. Says no more."""


class Sealer:
    """Seals, opens and recognises under a set of secret keys by number (1 to 255)."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        self.newest = newest(keys)
        self.waiting = waiting(keys)
        self._ciphers = {
            number: AESGCM(_derive(key, b"einladung/seal/v1")) for number, key in keys.items()
        }
        self._fingerprint_keys = {
            number: _derive(key, b"einladung/fingerprint/v1") for number, key in keys.items()
        }

    @property
    def older(self) -> list[int]:
        """The numbers of the keys that only open still; others may as yet."""
        return [n for n in self._ciphers if n != self.newest and n not in self.waiting]

    def seal(self, content: bytes, associated_data: AssociatedData) -> bytes:
        """Seal under the newest key, bound to the associated data."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._ciphers[self.newest].encrypt(nonce, content, _encode(associated_data))
        return bytes([self.newest]) + nonce + sealed

    def open(self, sealed: bytes, associated_data: AssociatedData) -> bytes:
        """What was sealed with this associated data. Raises NotOpened."""
        cipher = self._ciphers.get(sealed[0]) if sealed else None
        if cipher is None:
            raise NotOpened
        try:
            nonce, rest = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
            return cipher.decrypt(nonce, rest, _encode(associated_data))
        except (InvalidTag, ValueError):
            raise NotOpened from None

    def fingerprint(self, content: bytes) -> bytes:
        """Recognises `content` without keeping it: key number and HMAC-SHA-256."""
        return self._fingerprint(self.newest, content)

    def fingerprints(self, content: bytes) -> list[bytes]:
        """Under every key: what it may have been noted as."""
        return [self._fingerprint(number, content) for number in self._fingerprint_keys]

    def _fingerprint(self, number: int, content: bytes) -> bytes:
        return bytes([number]) + hmac.digest(self._fingerprint_keys[number], content, "sha256")


def _derive(key: bytes, purpose: bytes) -> bytes:
    """A key for one purpose (HKDF, RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key)


def _encode(associated_data: AssociatedData) -> bytes:
    return "\0".join(map(str, associated_data)).encode()
