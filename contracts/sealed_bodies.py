"""Bodies with patient data are sealed for the one service that reads them (HPKE, RFC 9180).

What is on the topic, in a broker's segments and in their backups is
`Encap(32) | AES-256-GCM ciphertext` in base mode (DHKEM X25519, HKDF-SHA256), under the reader's
public key. The header `ce_sealed` has the number of that key; the body in it is the event's JSON.
"""

from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

HEADER = "ce_sealed"
CONTENT_TYPE = "application/octet-stream"
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
INFO = b"einladung/body/v1"
KEY_BYTES = 32  # of a private and of a public key


class NotOpenable(Exception):
    """Sealed under a key that is missing, or damaged. The reason quotes nothing that came."""


class BodySealer:
    """Seals for a reader, whose public keys are known by number; the highest one is taken."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        self._number = max(keys)
        self._key = X25519PublicKey.from_public_bytes(keys[self._number])

    def seal(self, attributes: Mapping[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
        """Headers and value as they are published."""
        headers = {HEADER: str(self._number), "content-type": CONTENT_TYPE}
        return {**attributes, **headers}, SUITE.encrypt(body, self._key, info=INFO)


class BodyOpener:
    """Opens what was sealed for us, with private keys by number."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        self._keys = {
            str(number): X25519PrivateKey.from_private_bytes(key) for number, key in keys.items()
        }

    def open(self, attributes: Mapping[str, str], value: bytes) -> bytes:
        """The body. Raises NotOpenable."""
        key = self._keys.get(attributes[HEADER])
        if key is None:
            raise NotOpenable("ce_sealed names a key that is not there")
        try:
            return SUITE.decrypt(value, key, info=INFO)
        except InvalidTag:
            raise NotOpenable("the body is not sealed under the key that ce_sealed names") from None


def public_keys(private: Mapping[int, bytes]) -> dict[int, bytes]:
    """What whoever seals for a reader with these keys has to know."""
    return {
        number: X25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()
        for number, key in private.items()
    }
