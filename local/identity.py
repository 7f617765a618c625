"""Keys, persons and tokens of the local identity provider, on one machine only.

Its issuer is a plain http address, which production refuses (chassis.settings).
"""

import json
import secrets
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from local import secret_files
from local.errors import LocalFailure

AUDIENCE = "einladung"  # as chassis.settings wants it
CLIENT_ID = "einladung-dashboard"
EVERY_ROLE = ("practitioner", "appointment_admin")
HOUR = 3600
ALGORITHM = "Ed25519"  # RFC 9864


class Identity:
    """Mints tokens of `issuer` with a key that is made once in `folder`.

    So is the secret of its client, the dashboard, unless `client_secret` is given.

    Raises LocalFailure when the key kept there can't be read.
    """

    def __init__(self, folder: Path, issuer: str, client_secret: str | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.issuer = issuer
        kept = folder / "signing-key.json"
        private = secret_files.keep(
            kept,
            lambda: json.dumps(
                OKPKey.generate_key(
                    "Ed25519", {"use": "sig", "alg": ALGORITHM}, auto_kid=True
                ).as_dict(private=True)
            ),
        )
        self.client_secret = client_secret or secret_files.keep(
            folder / "client-secret", lambda: secrets.token_urlsafe(32)
        )
        try:
            self._key = OKPKey.import_key(json.loads(private))
        except (ValueError, JoseError):
            raise LocalFailure(f"{kept} is damaged: delete it, it is made anew.") from None

    @property
    def jwks(self) -> dict[str, Any]:
        """The public keys (RFC 7517)."""
        return {"keys": [self._key.as_dict(private=False)]}

    def token(
        self,
        practice_id: UUID | None,
        *,
        subject: str = "local-user",
        name: str | None = None,
        roles: Collection[str] = EVERY_ROLE,
        lifetime: int = HOUR,
    ) -> str:
        """An access token (RFC 9068) for this practice that holds for `lifetime` seconds."""
        claims: dict[str, Any] = {"aud": AUDIENCE, "sub": subject, "roles": list(roles)}
        if practice_id is not None:
            claims["practice_id"] = str(practice_id)
        if name is not None:
            claims["name"] = name
        return self.sign(claims, lifetime=lifetime, kind="at+jwt")

    def sign(self, claims: Mapping[str, Any], *, lifetime: int, kind: str = "JWT") -> str:
        """A token with these claims."""
        now = int(time.time())
        stamped = {"iss": self.issuer, "iat": now, "exp": now + lifetime, **claims}
        header = {"alg": ALGORITHM, "kid": self._key.kid, "typ": kind}
        return jwt.encode(header, stamped, self._key, algorithms=[ALGORITHM])
