"""Certificates and secrets that change under a running process, as files on a real disk."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic_settings import SettingsConfigDict

from chassis import renewal
from chassis import settings as chassis_settings
from chassis.renewal import Renewal
from chassis.settings import ProcessSettings
from tests.support.certificates import self_signed
from tests.support.handshakes import certificate_at, listening


class Settings(ProcessSettings):
    """Of a process with a secret."""

    model_config = SettingsConfigDict(env_prefix="PROBE_")

    port: int = 1
    operations_port: int = 2
    password: str = ""


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Process:
    """A process with its files and its end."""

    def __init__(self, secrets: Path, certificate: Path) -> None:
        self.secret = secrets / "PROBE_PASSWORD"
        self.secret.write_text("first")
        self.certificate = certificate
        self.authorities = self_signed(certificate.parent / "authorities.pem")
        self.settings = Settings(
            tls_certificate_file=str(self_signed(certificate)), tls_ca_file=str(self.authorities)
        )
        self.context = self.settings.tls.for_callers(known_only=True)
        self.clock = Clock()
        self.ends = 0
        self.files = Renewal(self.settings, end=self._end, wait=lambda: 60, now=self.clock)

    def _end(self) -> None:
        self.ends += 1

    async def looks(self, seconds: float = 0) -> None:
        """At the change, at what stands still, and once the seconds have passed."""
        await self.files.look()
        await self.files.look()
        self.clock.now += seconds
        await self.files.look()


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Process:
    monkeypatch.setattr(chassis_settings, "SECRETS", tmp_path)
    monkeypatch.setenv("PROBE_ENVIRONMENT", "local")
    return Process(tmp_path, tmp_path / "shown.pem")


async def test_a_new_certificate_is_shown_to_new_callers_and_old_ones_go_on(
    process: Process,
) -> None:
    assert process.context is not None
    async with listening(process.context) as server:
        before = await certificate_at(server.port)
        async with server.open() as old:
            await process.looks()
            assert await certificate_at(server.port) == before
            self_signed(process.certificate)
            await process.looks()
            assert await certificate_at(server.port) != before
            assert await old.answers()
    assert process.ends == 0


@pytest.mark.parametrize("content", ["", "no certificate"])
async def test_a_certificate_that_cannot_be_used_is_told_and_the_old_one_shown_on(
    process: Process, content: str
) -> None:
    assert process.context is not None
    good = process.certificate.read_text()
    async with listening(process.context) as server:
        before = await certificate_at(server.port)
        process.certificate.write_text(content)
        await process.looks()
        assert await certificate_at(server.port) == before
        assert renewal.unusable._value.get() == 1
        process.certificate.write_text(good)
        await process.looks()
        assert await certificate_at(server.port) == before
        assert renewal.unusable._value.get() == 0


async def test_a_certificate_whose_key_has_not_come_yet_is_shown_once_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chassis_settings, "SECRETS", tmp_path / "none")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"

    def make() -> tuple[str, str]:
        whole = self_signed(tmp_path / "whole.pem").read_text()
        head, mark, rest = whole.partition("-----BEGIN PRIVATE KEY-----")
        return head, mark + rest

    for file, text in zip((certificate, key), make(), strict=True):
        file.write_text(text)
    settings = Settings(
        environment="local", tls_certificate_file=str(certificate), tls_key_file=str(key)
    )
    context = settings.tls.for_callers(known_only=True)
    assert context is not None
    files = Renewal(settings)
    async with listening(context) as server:
        before = await certificate_at(server.port)
        first, second = make()
        certificate.write_text(first)
        for _ in range(3):
            await files.look()
        assert await certificate_at(server.port) == before
        key.write_text(second)
        for _ in range(3):
            await files.look()
        assert await certificate_at(server.port) == ssl.PEM_cert_to_DER_cert(first)


def new_password(process: Process) -> None:
    process.secret.write_text("second")


def new_authorities(process: Process) -> None:
    self_signed(process.authorities)


@pytest.mark.parametrize("change", [new_password, new_authorities])
async def test_for_other_changes_a_process_ends_after_a_wait_of_its_own(
    process: Process, change: Callable[[Process], None]
) -> None:
    await process.looks(seconds=3600)
    assert process.ends == 0
    change(process)
    await process.looks(seconds=59)
    assert process.ends == 0
    await process.looks(seconds=1)
    assert process.ends == 1


async def test_what_is_taken_back_or_half_written_or_not_its_own_ends_nothing(
    process: Process,
) -> None:
    new_password(process)
    await process.files.look()  # and here it is being written on
    process.secret.write_text("second, and more")
    await process.files.look()
    process.secret.write_text("first")
    await process.looks(seconds=3600)
    process.secret.with_name("OTHERS_PASSWORD").write_text("another process's")
    await process.looks(seconds=3600)
    assert process.ends == 0


async def test_secrets_that_cannot_be_used_end_nothing_and_are_told(process: Process) -> None:
    process.secret.with_name("PROBE_PORT").write_text("none")
    await process.looks(seconds=3600)
    await process.looks(seconds=3600)
    assert process.ends == 0
    assert renewal.unusable._value.get() == 1
    process.secret.with_name("PROBE_PORT").write_text("3")
    await process.looks(seconds=3600)
    assert process.ends == 1
    assert renewal.unusable._value.get() == 0


async def test_the_end_of_what_is_shown_is_a_metric(process: Process) -> None:
    told = renewal.expires.labels(str(process.certificate))._value.get()
    assert told > 0
