"""What `make demo ARGS=--observe` adds: Prometheus with the product's alert rules, and traces."""

import json
import shutil
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from local.modules import PROGRAMS, SERVICES
from local.ports import Ports
from local.processes import REPOSITORY, Child, http_ok
from local.servers import Place

ALERTS = REPOSITORY / "deploy" / "helm" / "einladung" / "files" / "alerts.yaml"
SCRAPED_EVERY = "5s"
KEPT = "2d"
MISSING = (
    "Prometheus is not installed here, so traces alone are observed: as root `make promtool` "
    "installs Debian's, elsewhere put a program `prometheus` into PATH."
)


def variables(name: str, ports: Ports) -> dict[str, str]:
    """What a program is told besides: its spans come here, whatever the user has set for others."""
    told = {
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{ports.traces}",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://127.0.0.1:{ports.traces}/v1/traces",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "none",
        "OTEL_TRACES_SAMPLER": "always_on",
        "OTEL_BSP_SCHEDULE_DELAY": "500",  # milliseconds; somebody looks
        "NO_PROXY": "127.0.0.1",
    }
    if name in SERVICES:  # the click's trace goes on in them
        told[f"{name.upper()}_TRACES_FROM"] = '["127.0.0.1/32"]'
    return told


def traces(place: Place) -> Child:
    """Takes spans in and shows them."""
    port = place.ports.traces
    return Child(
        "traces",
        lambda: (sys.executable, "-m", "local.traces", "--http-port", str(port)),
        log=place.logs / "traces.log",
        ready=partial(http_ok, port, "/health/ready"),
        on_death=place.on_death,
    )


def prometheus(place: Place) -> Child | None:
    """Scrapes every program and has the alert rules; None where it is not installed."""
    program = shutil.which("prometheus")
    if program is None:
        return None
    folder, port = place.folder / "prometheus", place.ports.prometheus

    def command() -> tuple[str | Path, ...]:
        folder.mkdir(exist_ok=True)
        file = folder / "prometheus.json"
        file.write_text(json.dumps(configuration(place.ports), indent=1))  # JSON is YAML
        return (
            program,
            f"--config.file={file}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--storage.tsdb.retention.time={KEPT}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--enable-feature=exemplar-storage",
        )

    return Child(
        "prometheus",
        command,
        log=place.logs / "prometheus.log",
        ready=partial(http_ok, port, "/-/ready"),
        on_death=place.on_death,
    )


def configuration(ports: Ports) -> Mapping[str, object]:
    """Prometheus' own; jobs are named as the alert rules and docs/runbook.md have them."""
    return {
        "global": {"scrape_interval": SCRAPED_EVERY, "evaluation_interval": SCRAPED_EVERY},
        "rule_files": [str(ALERTS)],
        "scrape_configs": [
            {
                "job_name": name,
                "static_configs": [{"targets": [f"127.0.0.1:{ports.operations(name)}"]}],
            }
            for name in PROGRAMS
        ],
    }
