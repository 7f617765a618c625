"""Keys of the events: `python -m chassis.event_keys` makes pairs to sign and to seal with."""

import base64
import json
import secrets
from collections.abc import Mapping

from chassis.secret_keys import LEAST_BYTES
from contracts import sealed_bodies, signatures


def signing(seeds: Mapping[int, bytes]) -> str:
    """For seeds in a producer's …_EVENT_KEYS: its entry in readers' …_EVENT_PUBLIC_KEYS."""
    return _encode(signatures.public_keys(seeds))


def sealing(private: Mapping[int, bytes]) -> str:
    """For keys in NOTIFICATION_REQUEST_KEYS: SCHEDULING_REQUEST_PUBLIC_KEYS."""
    return _encode(sealed_bodies.public_keys(private))


def _encode(keys: Mapping[int, bytes]) -> str:
    return json.dumps(
        {str(number): base64.urlsafe_b64encode(key).decode() for number, key in keys.items()}
    )


def main() -> None:
    """Print pairs that are new."""
    event, request = ({1: secrets.token_bytes(LEAST_BYTES)} for _ in range(2))
    print(f"…_EVENT_KEYS of a producer, secret: {_encode(event)}")
    print(f"its entry in …_EVENT_PUBLIC_KEYS of its readers: {signing(event)}")
    print(f"NOTIFICATION_REQUEST_KEYS, secret: {_encode(request)}")
    print(f"SCHEDULING_REQUEST_PUBLIC_KEYS: {sealing(request)}")


if __name__ == "__main__":
    main()
