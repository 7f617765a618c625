"""Processor time of processes: what holds on a machine that does other things, too."""

from collections.abc import Collection, Mapping

import psutil

from local.kafka import Kafka
from local.postgres import Postgres
from local.stack import Stack


class ProcessorTime:
    """Seconds that each part has used so far, user and system, with all that it started."""

    def __init__(self, process_ids: Mapping[str, int]) -> None:
        """`process_ids` by the part's name."""
        self._process_ids = process_ids

    def read(self) -> dict[str, float]:
        """By part. Ticks of the kernel are 10 ms: ask over some hundred invitations."""
        return {name: _seconds(psutil.Process(pid)) for name, pid in self._process_ids.items()}


def process_ids(stack: Stack, services: Collection[str]) -> dict[str, int]:
    """Of services, or replicas of them, and of what they stand on."""
    assert isinstance(stack.postgres, Postgres)
    assert isinstance(stack.kafka, Kafka)
    return {
        **{name: stack.service(name).pid for name in services},
        "PostgreSQL": stack.postgres.process.pid,
        "Kafka": stack.kafka.process.pid,
    }


def _seconds(process: psutil.Process) -> float:
    used = process.cpu_times()
    seconds = used.user + used.system + used.children_user + used.children_system
    for child in process.children():
        try:
            seconds += _seconds(child)
        except psutil.NoSuchProcess:  # counted with its parent by the next look
            continue
    return seconds
