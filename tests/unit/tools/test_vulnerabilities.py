"""A vulnerability database given as a file is read as OSV's schema says."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from tools.pinned import Pin, pinned
from tools.vulnerabilities import affects, load

JINJA = next(pin for pin in pinned("runtime") if pin.name == "jinja2")


def record(record_id: str, name: str, *events: dict[str, str], **more: Any) -> dict[str, Any]:
    return {
        "id": record_id,
        "modified": "2026-11-20T10:00:00Z",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": name},
                "ranges": [{"type": "ECOSYSTEM", "events": list(events)}],
            }
        ],
        **more,
    }


@pytest.mark.parametrize(
    ("events", "affected"),
    [
        ([{"introduced": "0"}], ["0.1", "9"]),
        ([{"introduced": "0"}, {"fixed": "2.0"}], ["0.1", "1.9.9", "2.0rc1"]),
        ([{"introduced": "1.0"}, {"last_affected": "2.0"}], ["1.0", "2.0"]),
        (
            [{"introduced": "3.0"}, {"fixed": "3.1"}, {"introduced": "1"}, {"fixed": "1.10"}],
            ["1", "1.9", "3.0.5"],
        ),
        ([{"introduced": "0"}, {"fixed": "what"}], ["0.1", "9"]),
        ([], []),
    ],
)
def test_a_version_is_affected_between_events(
    events: list[dict[str, str]], affected: list[str]
) -> None:
    package = record("X", "x", *events)["affected"][0]
    versions = ["0.1", "1", "1.0", "1.9", "1.9.9", "1.10", "2.0rc1", "2.0", "3.0.5", "3.1", "9"]
    found = {each for each in versions if affects(package, each)}
    assert set(affected) <= found
    if events[1:] and events[1].get("fixed") != "what":
        assert "9" not in found


def test_versions_that_are_named_are_affected_and_foreign_ranges_are_not_read() -> None:
    package = {
        "versions": ["1.5"],
        "ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}],
    }
    assert affects(package, "1.5")
    assert not affects(package, "1.6")


def test_names_are_compared_as_registries_do_and_what_is_withdrawn_is_not_there(
    tmp_path: Path,
) -> None:
    everything = {"introduced": "0"}
    records = [
        record("GHSA-1", "Flufl_Bounce", everything),
        record("GHSA-2", "flufl.bounce", everything, withdrawn="2026-01-01T00:00:00Z"),
        record("PYSEC-3", "flufl-bounce", everything),
    ]
    records.append({"id": "NPM-1", "affected": [{"package": {"ecosystem": "npm", "name": "x"}}]})
    path = tmp_path / "all.json"
    path.write_text(json.dumps(records))
    database = load(path)
    assert database.of(Pin(canonicalize_name("flufl.bounce"), "6.0")) == ["GHSA-1", "PYSEC-3"]
    assert database.of(Pin(canonicalize_name("x"), "1")) == []
    assert database.modified.startswith("2026-11-20")


def audit(*arguments: object) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tools.audit", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_vulnerable_package_is_named_and_fails_the_audit(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for each in (
            record("GHSA-OURS", "Jinja2", {"introduced": "0"}),
            record("GHSA-OLD", "jinja2", {"introduced": "0"}, {"fixed": JINJA.version}),
        ):
            archive.writestr(f"{each['id']}.json", json.dumps(each))
    code, told = audit("--database", path)
    assert code == 1
    assert f"jinja2 {JINJA.version}: GHSA-OURS\n" in told
    assert "all.zip of 2026-11-20), 1 with known vulnerabilities." in told


def test_where_none_is_vulnerable_the_audit_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(record("GHSA-OLD", "jinja2", {"introduced": "0"}, {"fixed": "1"})))
    code, told = audit("--required", "--database", path)
    assert (code, ", 0 with known vulnerabilities." in told) == (0, True)


@pytest.mark.parametrize("text", ["", "[]", "{}", "[1]", '{"id": "x", "affected": []}'])
def test_what_is_no_database_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "none.json"
    path.write_text(text)
    assert audit("--required", "--database", path)[0] == 1
    code, told = audit("--database", path)
    assert (code, "NOT audited" in told) == (0, True)
