"""The tokens that keys of clinics' systems are exchanged for: JWTs (RFC 9068), signed here."""

import time
from collections.abc import Mapping
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey
from uuid_utils.compat import uuid7

from chassis.secret_keys import newest
from contracts.rights import KEY_TOKEN_ISSUER, TOKEN_AUDIENCE, Right
from services.scheduling.keys.key import ClinicSystem, Key

TOKEN_SECONDS = 300
OURSELVES = "scheduling"  # no id of a key, all of which have a prefix
ALGORITHM = "Ed25519"  # RFC 9864


class Mint:
    """Signs tokens. The newest seed signs (chassis/secret_keys.py); tokens of the others hold."""

    def __init__(self, seeds: Mapping[int, bytes]) -> None:
        keys = {number: _signing_key(seeds[number]) for number in sorted(seeds, reverse=True)}
        self._signing = keys[newest(seeds)]
        self.keys = KeySet(list(keys.values()))

    def token(self, key: Key[ClinicSystem], scopes: frozenset[Right]) -> str:
        """A token for the key's practice with these scopes."""
        return self._signed(key.id, key.owner.practice_id, scopes)

    def own_token(self, practice_id: UUID, scopes: frozenset[Right]) -> str:
        """A token with which this service itself asks another one about a practice."""
        return self._signed(OURSELVES, practice_id, scopes)

    def _signed(self, subject: str, practice_id: UUID, scopes: frozenset[Right]) -> str:
        now = int(time.time())
        claims = {
            "iss": KEY_TOKEN_ISSUER,
            "aud": TOKEN_AUDIENCE,
            "sub": subject,
            "client_id": subject,
            "jti": str(uuid7()),
            "practice_id": str(practice_id),
            "scope": " ".join(sorted(scopes)),
            "iat": now,
            "exp": now + TOKEN_SECONDS,
        }
        header = {"alg": ALGORITHM, "kid": self._signing.kid, "typ": "at+jwt"}
        return jwt.encode(header, claims, self._signing, algorithms=[ALGORITHM])


def _signing_key(seed: bytes) -> OKPKey:
    pem = Ed25519PrivateKey.from_private_bytes(seed).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    return OKPKey.import_key(pem, {"use": "sig", "alg": ALGORITHM})
