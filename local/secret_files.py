"""Secrets of this machine: made once, kept in the data folder, readable by their owner only."""

import base64
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path


def keep(path: Path, make: Callable[[], str]) -> str:
    """The text in `path`; made and written (mode 0600, whole or not at all) the first time."""
    if path.exists():
        return path.read_text()
    text = make()
    replace(path, text)
    return text


def replace(path: Path, text: str) -> None:
    """Write a secret, whole or not at all, readable by its owner only (mode 0600)."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def one_key() -> str:
    """A set of one key, as the settings hold sets that rotate (chassis.secret_keys)."""
    return json.dumps({"1": key()})


def key() -> str:
    """256 random bits as base64url."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
