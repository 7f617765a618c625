"""Keys that events are signed with: `python -m chassis.event_keys` makes a pair."""

import base64
import json
import secrets

from contracts.signatures import KEY_BYTES, public_keys


def made(seed: bytes, number: int = 1) -> tuple[str, str]:
    """A producer's …_EVENT_KEYS, and what stands for it in its readers' …_EVENT_PUBLIC_KEYS."""
    private = json.dumps({str(number): base64.urlsafe_b64encode(seed).decode()})
    [public] = public_keys({number: seed}).values()
    return private, json.dumps({str(number): base64.urlsafe_b64encode(public).decode()})


def main() -> None:
    """Print a pair that is new."""
    private, public = made(secrets.token_bytes(KEY_BYTES))
    print(f"…_EVENT_KEYS of the producer, secret: {private}")
    print(f"its entry in …_EVENT_PUBLIC_KEYS of readers: {public}")


if __name__ == "__main__":
    main()
