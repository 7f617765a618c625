"""Keys of the events: each producer's and reader's own, and the public ones of the others."""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from chassis import event_keys
from chassis.secret_keys import decode_key
from contracts.topics import TOPICS
from local import secret_files

PRODUCERS = tuple(dict.fromkeys(topic.producer for topic in TOPICS))


def signing(folder: Path) -> dict[str, str]:
    """The …_EVENT_KEYS of each producer; made the first time."""
    return {
        name: secret_files.keep(folder / f"{name}-event-keys.json", secret_files.one_key)
        for name in PRODUCERS
    }


def sealing(folder: Path) -> str:
    """NOTIFICATION_REQUEST_KEYS; made the first time."""
    return secret_files.keep(folder / "notification-request-keys.json", secret_files.one_key)


def event_public_keys(keys: Mapping[str, str]) -> str:
    """…_EVENT_PUBLIC_KEYS of all readers, for what `signing` gives."""
    public = {name: json.loads(event_keys.signing(decode(text))) for name, text in keys.items()}
    return json.dumps(public)


def request_public_keys(keys: str) -> str:
    """SCHEDULING_REQUEST_PUBLIC_KEYS, for what `sealing` gives."""
    return event_keys.sealing(decode(keys))


def decode(text: str) -> dict[int, bytes]:
    """Keys by number, as a setting has them."""
    return {int(number): decode_key(SecretStr(key)) for number, key in json.loads(text).items()}
