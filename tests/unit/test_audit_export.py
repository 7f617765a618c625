"""The audit log's file and view tell everything in German, whatever was done."""

import dataclasses
import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

from services.scheduling.audit import entry as audit
from services.scheduling.audit import export as audit_export
from services.scheduling.audit.entry import Action
from services.scheduling.practice import PracticeChange

VIEW = Path("dashboard/static/audit.js")


def test_every_action_and_field_has_german_words_in_the_file() -> None:
    fields = [each.name for each in dataclasses.fields(PracticeChange)]
    entries = [
        audit.operator_entry(uuid4(), action, datetime.now(UTC), changed=fields)
        for action in Action
    ]
    text = audit_export.lines(entries, ZoneInfo("Europe/Berlin"))
    assert [code for code in (*Action, *fields) if re.search(rf"\b{code}\b", text)] == []


def test_file_and_view_use_the_same_words() -> None:
    shown = dict(re.findall(r'^  (\w+): "(.*)",$', VIEW.read_text(), flags=re.MULTILINE))
    told = {**audit_export.ACTIONS, **audit_export.FIELDS, **audit_export.ROLES}
    assert shown == told
