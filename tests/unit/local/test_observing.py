"""What observes the demo: Prometheus takes what it is given, and jobs are those of the rules."""

import json
import re
import subprocess
from pathlib import Path

from local import observing
from local.modules import PROGRAMS
from local.ports import Ports
from tests.support import helm


def test_prometheus_takes_its_file(tmp_path: Path) -> None:
    file = tmp_path / "prometheus.json"
    file.write_text(json.dumps(observing.configuration(Ports(8400))))
    command = [helm.program("promtool", "make promtool"), "check", "config", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rules found" in done.stdout


def test_alerts_know_every_program_by_its_job() -> None:
    named = re.findall(r'up\{job=~"([^"]+)"\}', observing.ALERTS.read_text())
    assert named
    assert {frozenset(each.split("|")) for each in named} == {frozenset(PROGRAMS)}
