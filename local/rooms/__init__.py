"""The video rooms of the local demo: pages without video that check Jitsi's token for real."""

import secrets

ISSUER = "einladung-demo"
AUDIENCE = "jitsi"
SUBJECT = "demo"
KEY_FILE = "jitsi.key"


def new_secret() -> str:
    """A secret long enough for HS256."""
    return secrets.token_urlsafe(32)
