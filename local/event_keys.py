"""Keys that events are signed with: each producer's own, and everybody's public ones."""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from chassis.event_keys import made
from chassis.secret_keys import decode_key
from contracts.topics import TOPICS
from local import secret_files

PRODUCERS = tuple(dict.fromkeys(topic.producer for topic in TOPICS))


def kept(folder: Path) -> dict[str, str]:
    """The …_EVENT_KEYS of each producer; made the first time."""
    return {
        name: secret_files.keep(folder / f"{name}-event-keys.json", secret_files.one_key)
        for name in PRODUCERS
    }


def public(keys: Mapping[str, str]) -> str:
    """The …_EVENT_PUBLIC_KEYS of all readers, of what `kept` gives."""
    return json.dumps({name: _public(text) for name, text in keys.items()})


def seeds(text: str) -> dict[int, bytes]:
    """The seeds in …_EVENT_KEYS."""
    return {int(number): decode_key(SecretStr(key)) for number, key in json.loads(text).items()}


def _public(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, seed in seeds(text).items():
        found |= json.loads(made(seed, number)[1])
    return found
