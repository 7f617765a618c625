"""The audit log's file and view tell everything in German, whatever was done."""

import csv
import dataclasses
import io
import re
import unicodedata
from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from chassis.auth import CallerKind
from contracts.rights import Role
from services.scheduling.api.audit import LabelsView
from services.scheduling.audit import entry as audit
from services.scheduling.audit import export as audit_export
from services.scheduling.audit.entry import Action, AuditEntry
from services.scheduling.audit.proving import Standing
from services.scheduling.practice import PracticeChange

ENTRY = AuditEntry(
    id=uuid4(),
    practice_id=uuid4(),
    at=datetime.now(UTC),
    actor_kind=audit.OPERATOR,
    actor_id="operator:cli",
    actor_name=None,
    actor_roles=(),
    action="",
    appointment_ids=(),
    changed=(),
    trace_id=None,
)
FORMULA = set("=+-@")
SHOWN_AS_NOTHING = {"Cc", "Cf", "Zs", "Zl", "Zp"}


def test_every_action_and_field_has_german_words_in_the_file() -> None:
    fields = [each.name for each in dataclasses.fields(PracticeChange)]
    text = audit_export.lines(
        [
            (dataclasses.replace(ENTRY, action=action, changed=fields), Standing.PROVEN)
            for action in Action
        ],
        ZoneInfo("Europe/Berlin"),
    )
    assert [code for code in (*Action, *fields) if re.search(rf"\b{code}\b", text)] == []


def test_the_file_says_which_entries_are_proven() -> None:
    told = audit_export.lines([(ENTRY, each) for each in Standing], ZoneInfo("Europe/Berlin"))
    last = [row[-1] for row in csv.reader(io.StringIO(told), delimiter=";")]
    assert audit_export.HEADER[-1] == "Belegt"
    assert last == ["ja", "ja", "nicht mehr prüfbar", "nein", "nein", "nein", "nein"]


def test_every_code_has_its_label_in_the_view() -> None:
    labels = LabelsView.model_validate(audit_export.LABELS)
    assert set(labels.actions) == set(Action)
    assert set(labels.roles) == set(Role)
    assert set(labels.kinds) == {*CallerKind, audit.OPERATOR}
    assert set(labels.fields) >= {each.name for each in dataclasses.fields(PracticeChange)}


def is_formula(cell: str) -> bool:
    """What a spreadsheet that skips all it can may take a cell for."""
    shown = [each for each in cell if unicodedata.category(each) not in SHOWN_AS_NOTHING]
    return bool(shown) and unicodedata.normalize("NFKC", shown[0]) in FORMULA


@given(st.text(st.sampled_from("=+-@＝＋－＠;,|\"'\t\r\n\0\u200b\ufeff\u00a0 x1")))
def test_no_spreadsheet_finds_a_formula_whatever_separates_its_cells(name: str) -> None:
    entry = dataclasses.replace(ENTRY, actor_name=name, actor_id=name)
    text = audit_export.lines([(entry, Standing.PROVEN)], ZoneInfo("Europe/Berlin")).replace(
        "\0", " "
    )
    for separator in ";,\t|":
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            assert not any(is_formula(cell) for cell in line)
        # and of one that does not know quotes
        for cell in re.split(rf"[{re.escape(separator)}\r\n]", text):
            assert not is_formula(cell.strip('"'))
