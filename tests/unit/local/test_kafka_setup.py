"""Kafka's accounts on this machine: made once, kept secret, and never left out unnoticed."""

import json
from pathlib import Path

import pytest

from local import kafka_setup
from local.errors import LocalFailure
from local.jars import JarList
from local.kafka import Kafka
from local.kafka_setup import CONTROLLER, LOGINS, Listener
from local.ports import DEFAULT_BASE, Ports

LISTENERS = [Listener("INSIDE", ":9092", "kafka:9092"), Listener("OUTSIDE", ":1", "127.0.0.1:1")]


def make(folder: Path) -> Kafka:
    return Kafka(folder / "kafka", cache=folder, ports=Ports(DEFAULT_BASE), logs=folder)


def test_passwords_outlive_a_start_and_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    first = make(tmp_path).login("status")
    assert make(tmp_path).login("status") == first
    assert len({make(tmp_path).login(name).password for name in LOGINS}) == len(LOGINS)
    for file in (tmp_path / "kafka").iterdir():
        assert file.stat().st_mode & 0o077 == 0, file


async def test_a_storage_from_before_the_accounts_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JarList, "missing", lambda *_: [])
    monkeypatch.setattr(JarList, "class_path", lambda *_: "")
    (tmp_path / "kafka" / "log").mkdir(parents=True)
    (tmp_path / "kafka" / "log" / "meta.properties").touch()
    with pytest.raises(LocalFailure, match=r"Kafka was stored by another version.*rm -r \.data"):
        await make(tmp_path).prepare(lambda _: None)


def test_no_listener_lets_in_who_has_no_password() -> None:
    passwords = json.loads(kafka_setup.make_passwords())
    text = kafka_setup.properties(
        LISTENERS, controller_port=9093, data="/data", passwords=passwords
    )
    settings = dict(line.split("=", 1) for line in text.splitlines())
    protocols = settings["listener.security.protocol.map"].split(",")
    assert protocols == [f"{name}:SASL_PLAINTEXT" for name in ("INSIDE", "OUTSIDE", "CONTROLLER")]
    assert settings["super.users"] == f"User:admin;User:{CONTROLLER}"
    assert "allow.everyone.if.no.acl.found" not in settings
    assert settings["listeners"].endswith("CONTROLLER://127.0.0.1:9093")
