"""Stacks side by side on one machine."""

import pytest

from local import ports
from local.errors import LocalFailure
from local.ports import Ports, free_base, free_port


def test_a_base_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    base = free_base()
    monkeypatch.setattr(ports, "BASES", range(base, base + 1))
    with pytest.raises(LocalFailure):
        free_base()


def test_a_free_port_is_none_of_a_stack() -> None:
    taken = {port % 100 for port in (*Ports(0).all(), Ports(0).claim)}
    assert not {free_port() % 100 for _ in range(200)} & taken


def test_a_free_port_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "BASES", [free_base()])
    given = [free_port() for _ in range(len(ports.SPARE) // 2)]
    assert len(set(given)) == len(given)
