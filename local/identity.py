"""The local issuer of tokens: stands for an identity provider, on one machine only.

Its issuer's name is refused in production (chassis.settings).
"""

import json
import time
from pathlib import Path
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from local import secret_files
from local.errors import LocalFailure

ISSUER, AUDIENCE = "einladung-local", "einladung"  # as chassis.settings and chassis.auth want them
HOUR = 3600
ALGORITHM = "Ed25519"  # RFC 9864


class Identity:
    """Mints tokens with a key made once in `folder`; `jwks` is the file of its public half.

    Raises LocalFailure when the key kept there can't be read.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.jwks = folder / "jwks.json"
        kept = folder / "signing-key.json"
        private = secret_files.keep(
            kept,
            lambda: json.dumps(
                OKPKey.generate_key(
                    "Ed25519", {"use": "sig", "alg": ALGORITHM}, auto_kid=True
                ).as_dict(private=True)
            ),
        )
        try:
            self._key = OKPKey.import_key(json.loads(private))
        except (ValueError, JoseError):
            raise LocalFailure(f"{kept} is damaged: delete it, it is made anew.") from None
        self.jwks.write_text(json.dumps({"keys": [self._key.as_dict(private=False)]}))

    def token(self, practice_id: UUID, *, subject: str = "local-user", lifetime: int = HOUR) -> str:
        """A bearer token for this practice that holds for `lifetime` seconds."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "practice_id": str(practice_id),
            "iat": now,
            "exp": now + lifetime,
        }
        header = {"alg": ALGORITHM, "kid": self._key.kid, "typ": "JWT"}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])
