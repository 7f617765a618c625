"""Alert rules: real metrics, an entry in the runbook for each, and what they say of figures."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.processes import REPOSITORY
from tests.support import helm
from tests.support.metrics import known, named_in
from tools import grafana

ALERTS = helm.CHART / "files" / "alerts.yaml"
FIGURES = Path(__file__).parent / "alerts_test.yaml"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
]


def test_each_alert_has_an_entry_in_the_runbook_and_no_entry_is_of_none() -> None:
    entries = re.split(r"^## ", (REPOSITORY / "docs" / "runbook.md").read_text(), flags=re.M)[1:]
    for entry in entries:
        for part in ("**Means:**", "**Look:**", "**Do:**"):
            assert part in entry, entry.splitlines()[0]
    assert [entry.splitlines()[0] for entry in entries] == [rule["alert"] for rule in RULES]


def test_alerts_ask_for_metrics_that_there_are() -> None:
    asked = {name for rule in RULES for name in named_in(rule["expr"])}
    assert asked - known() == {"up"}


def test_the_board_asks_for_metrics_that_there_are() -> None:
    asked = {name for each in grafana.expressions() for name in named_in(each)}
    assert asked - known() == set()


def test_each_alert_is_tried_with_figures() -> None:
    tried = {
        case["alertname"]
        for test in yaml.safe_load(FIGURES.read_text())["tests"]
        for case in test["alert_rule_test"]
        if case.get("exp_alerts")
    }
    assert tried == {rule["alert"] for rule in RULES}


def test_what_the_board_asks_is_promql(tmp_path: Path) -> None:
    rules = [
        {"record": f"a{number}", "expr": each.replace("$__rate_interval", "5m")}
        for number, each in enumerate(grafana.expressions())
    ]
    file = tmp_path / "board.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": rules}]}))
    _promtool("check", file)


@pytest.mark.parametrize("task", [("check", ALERTS), ("test", FIGURES)])
def test_promtool_agrees(task: tuple[str, Path]) -> None:
    _promtool(*task)


def _promtool(what: str, file: Path) -> None:
    promtool = helm.program("promtool", "make promtool")
    command = [promtool, what, "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
