"""Topics and who may do what with them, as the contracts say."""

import asyncio
import ssl
from pathlib import Path

from chassis.kafka import Cluster
from local import topics
from local.kafka_setup import ADMIN

BOOTSTRAP = "kafka.einladung-outside:9093"
PASSWORD = Path("/secrets/jobs/kafka-admin.password")
AUTHORITY = "/etc/einladung/authorities/ca.crt"


def administrator() -> Cluster:
    """Kafka as who may set it up."""
    return Cluster(
        BOOTSTRAP,
        security="sasl_ssl",
        username=ADMIN,
        password=PASSWORD.read_text(),
        tls=ssl.create_default_context(cafile=AUTHORITY),
    )


if __name__ == "__main__":
    asyncio.run(topics.create(administrator()))
