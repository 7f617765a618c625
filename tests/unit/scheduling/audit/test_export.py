"""The audit log's file and view tell everything in German, whatever was done."""

import dataclasses
import re
from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

from chassis.auth import CallerKind
from contracts.rights import Role
from services.scheduling.api.audit import LabelsView
from services.scheduling.audit import entry as audit
from services.scheduling.audit import export as audit_export
from services.scheduling.audit.entry import Action
from services.scheduling.practice import PracticeChange


def test_every_action_and_field_has_german_words_in_the_file() -> None:
    fields = [each.name for each in dataclasses.fields(PracticeChange)]
    entries = [
        audit.operator_entry(uuid4(), action, datetime.now(UTC), changed=fields)
        for action in Action
    ]
    text = audit_export.lines(entries, ZoneInfo("Europe/Berlin"))
    assert [code for code in (*Action, *fields) if re.search(rf"\b{code}\b", text)] == []


def test_every_code_has_its_label_in_the_view() -> None:
    labels = LabelsView.model_validate(audit_export.LABELS)
    assert set(labels.actions) == set(Action)
    assert set(labels.roles) == set(Role)
    assert set(labels.kinds) == {*CallerKind, audit.OPERATOR}
    assert set(labels.fields) >= {each.name for each in dataclasses.fields(PracticeChange)}
