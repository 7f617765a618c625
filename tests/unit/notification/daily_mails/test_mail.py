"""The daily mail, read back with the standard library's parser."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from services.notification.daily_mails.mail import DailyMail, DailyMails
from services.notification.letters.letter import UnusableLetter

NOW = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)
MAILS = DailyMails("einladung@praxis.example")
MAIL = DailyMail(
    recipient="leitung@praxis.example",
    practice_name="Praxis Dr. Weiß & Töchter <am See>",
    open_count=3,
    link="https://termine.example/#/offen",
)


def compose(mail: DailyMail = MAIL) -> bytes:
    return MAILS.compose(
        mail, recipient="leitung@praxis.example", message_id="<id-1@praxis.example>", now=NOW
    )


def read(mail: DailyMail = MAIL) -> EmailMessage:
    message = message_from_bytes(compose(mail), policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def bodies(message: EmailMessage) -> tuple[str, str]:
    text, html = (message.get_body([kind]) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    return text.get_content().replace("\r\n", "\n"), html.get_content()


@pytest.mark.parametrize(
    ("count", "subject", "said"),
    [
        (1, "1 Termin ist offen", "ist 1 Termin offen"),
        (3, "3 Termine sind offen", "sind 3 Termine offen"),
    ],
)
def test_it_says_how_many_and_where_they_are_shown(count: int, subject: str, said: str) -> None:
    message = read(replace(MAIL, open_count=count))
    assert message["Subject"] == subject
    assert message["To"] == "leitung@praxis.example"
    assert message["From"] == "Einladung <einladung@praxis.example>"
    assert message["Message-ID"] == "<id-1@praxis.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "de"
    text, html = bodies(message)
    assert said in text.replace("\n", " ")
    assert said in html
    assert f"\n{MAIL.link}\n" in text
    assert f'<a href="{MAIL.link}"' in html
    for body in (text, html):
        assert "Abstellen" in body


def test_a_practice_s_name_is_text_and_no_markup() -> None:
    text, html = bodies(read())
    assert MAIL.practice_name in text
    assert "Praxis Dr. Weiß &amp; Töchter &lt;am See&gt;" in html


def test_nothing_in_it_is_fetched_when_it_is_opened() -> None:
    _, html = bodies(read())
    assert not re.search(r"<(img|script|link|iframe|style)|url\(|src=", html)
    assert set(re.findall(r'https?://[^"<]*', html)) == {MAIL.link}


def test_lines_fit_every_server_and_end_as_on_the_wire() -> None:
    raw = compose()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert raw == compose()  # each copy is the same


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"practice_name": "\r\n"}, "practice_name"),
        ({"link": "javascript:alert(1)"}, "link"),
        ({"link": "https://a b"}, "link"),
    ],
)
def test_what_can_not_be_a_mail_is_refused_by_name(change: dict[str, str], field: str) -> None:
    with pytest.raises(UnusableLetter, match=rf"^{field} is"):
        compose(replace(MAIL, **change))  # type: ignore[arg-type]
