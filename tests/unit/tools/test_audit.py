"""Where no vulnerability database can be asked, that is soon said."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from socket import create_server
from typing import Any

import pytest

from tools import audit

PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy")


@pytest.fixture
def silence() -> Iterator[str]:
    """The address of a proxy that takes connections and never answers."""
    with create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize(("arguments", "code"), [((), 0), (("--required",), 1)])
def test_within_a_minute_and_a_failure_only_where_it_is_required(
    silence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
) -> None:
    for name in PROXIES:
        monkeypatch.setenv(name, silence)
    assert len(audit.SERVICES) * audit.PROBE_WITHIN <= 40
    monkeypatch.setattr(audit, "PROBE_WITHIN", 1.5)
    monkeypatch.setattr(sys, "argv", ["audit", *arguments])
    began = time.monotonic()
    assert audit.main() == code
    assert time.monotonic() - began < 20
    assert "NOT audited" in capsys.readouterr().out


def test_all_packages_are_asked_about_where_one_service_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, bool]] = []

    def answer(command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        service = next(each for each in command if "vulnerability-service" in each)
        asked.append((service.partition("=")[2], "--require-hashes" in command))
        if service.endswith("pypi"):
            raise subprocess.TimeoutExpired(command, 1)
        told = '{"dependencies": [{"name": "x", "version": "1", "vulns": [{"id": "GHSA-1"}]}]}'
        return subprocess.CompletedProcess(command, 1, told, "")

    monkeypatch.setattr(subprocess, "run", answer)
    monkeypatch.setattr(sys, "argv", ["audit"])
    assert audit.main() == 1
    assert asked == [("pypi", False), ("osv", False), ("osv", True)]
    assert "x 1: GHSA-1" in capsys.readouterr().out


def test_a_package_that_was_skipped_is_not_said_to_be_good(monkeypatch: pytest.MonkeyPatch) -> None:
    told = '{"dependencies": [{"name": "x", "skip_reason": "unknown"}]}'
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda command, **_: subprocess.CompletedProcess(command, 0, told, ""),
    )
    assert audit._ask("pypi", [Path("x")], within=1) is None
