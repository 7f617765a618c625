"""What returned mail means: own samples of each server's form, and mail that is no bounce."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.notification import bounces
from services.notification.bounces import EvidenceKind, mime, read
from services.notification.bounces.__main__ import main
from services.notification.bounces.mime import Mail

BOUNCES = Path(__file__).parents[3] / "bounces"
SAMPLES = sorted((BOUNCES / "samples").glob("*.eml"))
# Written by somebody who did not know the rules. They say only what they are sure of.
INDEPENDENT = sorted((BOUNCES / "independent").glob("*.eml"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_each_sample_is_understood(sample: Path) -> None:
    reading = read(sample.read_bytes())
    assert {
        "kind": reading.kind,
        "permanent": reading.permanent,
        "status": reading.status,
        "recipients": list(reading.recipients),
        "reason": reading.reason,
        "original_message_id": reading.original_message_id,
    } == json.loads(sample.with_suffix(".json").read_text())


@pytest.mark.parametrize("sample", INDEPENDENT, ids=lambda sample: sample.stem)
def test_each_independent_sample_is_understood(sample: Path) -> None:
    expected = json.loads(sample.with_suffix(".json").read_text())
    reading = read(sample.read_bytes())
    found = {name: getattr(reading, name) for name in expected}
    assert _in_any_order(found) == _in_any_order(expected)


def _in_any_order(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "recipients": sorted(one.lower() for one in told.get("recipients", ()))}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_line_ends_do_not_matter(sample: Path) -> None:
    content = sample.read_bytes()
    assert read(content.replace(b"\n", b"\r\n")) == read(content)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_a_bounce_that_a_colleague_forwards_is_none(sample: Path) -> None:
    content = b"\n".join(
        [
            b"From: Otto Beispiel <otto@praxis.example>",
            b"To: einladung@praxis.example",
            b"Subject: WG: kam zur\xc3\xbcck",
            b'Content-Type: multipart/mixed; boundary="forwarded"',
            b"",
            b"--forwarded",
            b"Content-Type: text/plain; charset=utf-8",
            b"",
            b"Was hei\xc3\x9ft das?",
            b"--forwarded",
            b"Content-Type: message/rfc822",
            b"",
            sample.read_bytes(),
            b"--forwarded--",
            b"",
        ]
    )
    assert read(content).kind is EvidenceKind.NOT_A_BOUNCE


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_a_failure_is_known_without_the_return_path(sample: Path) -> None:
    """Mailboxes and forwarding lose it."""
    content = sample.read_bytes()
    if read(content).kind in {EvidenceKind.FAILED, EvidenceKind.DELAYED}:
        assert read(content.replace(b"Return-Path: <>", b"X-Lost: yes", 1)) == read(content)


def test_the_envelope_id_and_our_spelling_of_the_address_are_read() -> None:
    reading = read(next(one for one in SAMPLES if one.stem == "postfix").read_bytes())
    assert reading.envelope_id == "0190b6e2-0000-7000-8000-000000000001"
    assert reading.original_recipients == ("erika@patient.example",)


def test_the_command_prints_one_object_per_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [str(sample) for sample in SAMPLES if sample.stem in {"postfix", "away-de"}]
    monkeypatch.setattr("sys.argv", ["bounces", *chosen, "no-such-file"])
    assert main() == 1
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["kind"] for one in printed] == ["auto_reply", "failed"]
    assert set(printed[1]) == {"file", "kind", "permanent", "status", "recipients", "reason"}


def test_a_file_that_the_reader_fails_on_is_named_and_the_next_one_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, fine = (str(one) for one in SAMPLES if one.stem in {"postfix", "away-de"})
    content = Path(broken).read_bytes()

    def open_mail(mail: bytes) -> Mail:
        if mail == content:
            raise ValueError("erika@patient.example")
        return mime.open_mail(mail)

    monkeypatch.setattr(bounces, "open_mail", open_mail)
    monkeypatch.setattr("sys.argv", ["bounces", broken, fine])
    assert main() == 1
    printed = capsys.readouterr()
    assert [json.loads(line)["file"] for line in printed.out.splitlines()] == [fine]
    assert printed.err == f"{broken}: the reader failed (ValueError)\n"
