"""Files that change under a running process: certificates are shown anew, for the rest it ends.

Who rotates a certificate or a secret replaces its file. A new certificate is shown to whoever
connects from then on. Whatever else is in files, secrets, keys and authorities, are settings, which
stay as they are while a process runs: it ends in order, and who runs it starts it anew. Replicas
see a change together, so each waits for a time of its own. What can't be used changes nothing.
"""

import hashlib
import random
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import structlog
from cryptography import x509
from prometheus_client import Gauge
from pydantic import ValidationError
from pydantic_settings import SettingsError

from chassis import settings as chassis_settings
from chassis.loop import Loop
from chassis.settings import ProcessSettings
from chassis.tls import show_anew, shown

log = structlog.get_logger(__name__)

LOOK_EVERY = 10.0  # seconds
APART = 120.0  # seconds within which the replicas that have seen a change end

unusable = Gauge(
    "changed_files_unusable", "1 while certificates or secrets have changed to what can't be used"
)
expires = Gauge(
    "certificate_expires_timestamp_seconds", "When a certificate that is shown ends", ["file"]
)

Contents = Mapping[Path, bytes]  # digests


def _end() -> None:
    signal.raise_signal(signal.SIGTERM)


class Renewal:
    """What the process has read from files, and whether that is still what is in them."""

    def __init__(
        self,
        settings: ProcessSettings,
        *,
        end: Callable[[], None] = _end,
        wait: Callable[[], float] = lambda: random.uniform(0, APART),  # noqa: S311 - jitter
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`wait` gives the seconds, on the clock `now`, from a change to the call of `end`."""
        self._settings = settings
        self._end = end
        self._wait = wait
        self._now = now
        self._ends_at: float | None = None
        self._used = self._seen = _contents(self._files())
        _note_ends()

    async def look(self) -> bool:
        """Take what has changed and has stood still since the last look, if it can be used."""
        before, self._seen = self._seen, _contents(self._files())
        if self._seen != before:  # it may be half written
            return False
        certificates = {Path(file) for pair in shown() for file in pair if file}
        changed = {
            file
            for file in self._seen.keys() | self._used.keys()
            if self._seen.get(file) != self._used.get(file)
        }
        unusable.set(0)
        self._show(changed & certificates)
        self._leave(changed - certificates)
        return False

    def _show(self, changed: set[Path]) -> None:
        for certificate in shown():
            files = {Path(file) for file in certificate if file} & changed
            if not files:
                continue
            try:
                show_anew(certificate)
            except OSError as error:
                _refuse(files, error)
                continue
            self._used = {**self._used, **{file: self._seen[file] for file in files}}
            _note_ends()
            log.info("certificate renewed", file=certificate[0])

    def _leave(self, changed: set[Path]) -> None:
        if not changed:
            self._ends_at = None
            return
        try:
            type(self._settings)()
        except (ValidationError, SettingsError) as error:
            self._ends_at = None
            _refuse(changed, error)
            return
        if self._ends_at is None:
            seconds = self._wait()
            self._ends_at = self._now() + seconds
            log.info("secrets changed", files=_named(changed), ends_in=round(seconds))
        if self._now() >= self._ends_at:
            self._end()

    def _files(self) -> Iterable[Path]:
        """What holds certificates and authorities, and the files that stand for variables."""
        fields = type(self._settings).model_fields
        prefix = self._settings.model_config.get("env_prefix", "")
        for name in fields:
            place = getattr(self._settings, name) if name.endswith("_file") else None
            if place is not None:
                yield Path(place)
        names = {f"{prefix}{name}".lower() for name in fields}
        if chassis_settings.SECRETS.is_dir():
            yield from (
                file for file in chassis_settings.SECRETS.iterdir() if file.name.lower() in names
            )


def renewal(settings: ProcessSettings) -> Loop:
    """Looks at the files of these settings every ten seconds."""
    return Loop("files", Renewal(settings).look, poll=LOOK_EVERY, transient=(OSError,))


def _contents(files: Iterable[Path]) -> Contents:
    """Digests of those that can be read."""
    found = {}
    for file in files:
        try:
            found[file] = hashlib.sha256(file.read_bytes()).digest()
        except OSError:
            continue
    return found


def _note_ends() -> None:
    for certificate, _ in shown():
        try:
            first = x509.load_pem_x509_certificates(Path(certificate).read_bytes())[0]
        except (OSError, ValueError):
            continue
        expires.labels(certificate).set(first.not_valid_after_utc.timestamp())


def _refuse(files: Iterable[Path], error: Exception) -> None:
    unusable.set(1)
    log.error("changed files can't be used", files=_named(files), error=type(error).__qualname__)


def _named(files: Iterable[Path]) -> list[str]:
    return sorted(map(str, files))
