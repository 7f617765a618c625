"""Each event is signed by its producer, so that nobody else's passes for it, whoever can write.

The header `ce_signature` is `<key number>.<base64url, without padding>`: an Ed25519 signature (RFC
8032) over what the event says and who says it. A producer has several keys while one follows
another: the highest number signs, and readers have the public keys of those that still hold.

libsodium checks one in half of the time that OpenSSL takes, and an invitation has six.
"""

import base64
import binascii
from collections.abc import Mapping

from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError

HEADER = "ce_signature"
SIGNED = ("ce_id", "ce_type", "ce_source", "ce_time", "ce_subject")
PURPOSE = b"einladung/event/v1"
KEY_BYTES = 32  # of a seed, and of a public key
SIGNATURE_BYTES = 64


class NotGenuine(Exception):
    """No signature of the producer. The reason quotes nothing that came."""


class NotSignable(Exception):
    """An event without what its signature is about."""


class EventSigner:
    """Signs as one producer, with seeds by number."""

    def __init__(self, seeds: Mapping[int, bytes]) -> None:
        self._number = max(seeds)
        _, self._key = crypto_sign_seed_keypair(seeds[self._number])

    def sign(self, attributes: Mapping[str, str], value: bytes) -> str:
        """The header for an event with these attributes. Raises NotSignable."""
        try:
            content = _content(attributes, value)
        except KeyError as missing:
            raise NotSignable(f"without {missing}") from None
        signature = crypto_sign(content, self._key)[:SIGNATURE_BYTES]
        return f"{self._number}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


class EventVerifier:
    """Knows each producer's public keys by number."""

    def __init__(self, keys: Mapping[str, Mapping[int, bytes]]) -> None:
        self._keys = {
            (producer, number): key
            for producer, of_producer in keys.items()
            for number, key in of_producer.items()
        }
        if any(len(key) != KEY_BYTES for key in self._keys.values()):
            raise ValueError(f"a public key has {KEY_BYTES} bytes")

    def check(self, producer: str, attributes: Mapping[str, str], value: bytes) -> None:
        """Raise NotGenuine unless `producer` signed just this."""
        header = attributes.get(HEADER)
        if header is None:
            raise NotGenuine("ce_signature is missing")
        number, _, text = header.partition(".")
        # isdecimal: int() would take „1_0", and digits without end
        known = len(number) <= 3 and number.isascii() and number.isdecimal()
        key = self._keys.get((producer, int(number))) if known else None
        if key is None:
            raise NotGenuine("ce_signature is by a key that its producer does not have")
        try:
            signature = base64.b64decode(
                text + "=" * (-len(text) % 4), altchars=b"-_", validate=True
            )
            if len(signature) != SIGNATURE_BYTES:
                raise ValueError
            crypto_sign_open(signature + _content(attributes, value), key)
        except (BadSignatureError, binascii.Error, ValueError, KeyError):
            raise NotGenuine("ce_signature is not of this event") from None


def public_keys(seeds: Mapping[int, bytes]) -> dict[int, bytes]:
    """What the readers of a producer with these seeds have to know."""
    return {number: crypto_sign_seed_keypair(seed)[0] for number, seed in seeds.items()}


def _content(attributes: Mapping[str, str], value: bytes) -> bytes:
    """What is signed: each part behind its length (4 bytes, big-endian), so that none can shift."""
    parts = [PURPOSE, *(attributes[name].encode() for name in SIGNED), value]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
