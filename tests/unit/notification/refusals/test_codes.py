"""Codes in texts: which are found, which tells most, at which command."""

import pytest

from services.notification.refusals.codes import find_code, find_status, stage_in, tells
from services.notification.refusals.refusal import Stage


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("550 5.1.1 unknown user", "5.1.1"),
        ("550-5.1.1 unknown user", "5.1.1"),
        ("#5.1.1#", "5.1.1"),
        ("(4.2.2)", "4.2.2"),
        ("5.01.001 zeros", "5.1.1"),
        ("5.7.606", "5.7.606"),
        ("5.0.0 then 5.7.0 then 5.1.1 then 5.2.2", "5.1.1"),
        ("5.0.0 then 5.7.0", "5.7.0"),
        ("2.0.0 queued", None),
        ("2.1.5 then 5.0.0", "5.0.0"),
        ("3.1.1", None),
        ("1.5.1.1", None),
        ("5.1.1.2", None),
        ("5.1.1-rc", None),
        ("v5.1.1", None),
        ("/5.1.1", None),
        ("a-5.1.1", None),
        ("5.1234.1", None),
        ("5.1", None),
        ("", None),
    ],
)
def test_a_status_of_a_failure_is_found(text: str, status: str | None) -> None:
    assert find_status(text) == status


@pytest.mark.parametrize(
    ("status", "much"),
    [(None, -1), ("5.0.0", 0), ("4.0.0", 0), ("5.7.0", 1), ("5.0.1", 2), ("5.1.1", 2)],
)
def test_how_much_a_status_tells(status: str | None, much: int) -> None:
    assert tells(status) == much


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("550 no", 550),
        ("said: 452-later", 452),
        ("(421) bye", 421),
        ("<554>", None),
        ("code=571;", 571),
        ("450 first, 550 then", 450),
        *((f"x {each} x", each) for each in (421, 429, 430, 432, 433, 479, 500, 504, 510, 519)),
        *(
            (f"x {each} x", each)
            for each in (520, 525, 530, 539, 541, 549, 550, 559, 570, 579, 590)
        ),
        *((f"x {each} x", None) for each in (250, 354, 420, 480, 505, 526, 540, 560, 580, 600)),
        ("1550", None),
        ("5500", None),
        ("a550", None),
        ("550a", None),
        ("", None),
    ],
)
def test_a_reply_code_of_a_failure_is_found(text: str, code: int | None) -> None:
    assert find_code(text) == code


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("(in reply to initial server greeting)", Stage.CONNECT),
        ("host mx refused to talk to me: 554", Stage.CONNECT),
        ("(in reply to EHLO command)", Stage.CONNECT),
        ("after STARTTLS", Stage.TLS),
        ("SASL authentication failed", Stage.AUTH),
        ("(in reply to MAIL FROM command)", Stage.MAIL),
        ("error from remote mail server after pipelined MAIL FROM:<a@b>", Stage.MAIL),
        ("but sender was rejected", Stage.MAIL),
        ("(in reply to RCPT TO command)", Stage.RCPT),
        ("192.0.2.1 does not like recipient", Stage.RCPT),
        ("(in reply to end of DATA command)", Stage.MESSAGE),
        ("failed after I sent the message", Stage.MESSAGE),
        ("(in reply to RCPT TO command) then (in reply to end of DATA command)", Stage.RCPT),
        ("in reply to DATA, after RCPT TO", Stage.MESSAGE),
        ("unknown user", None),
    ],
)
def test_the_command_that_was_refused_is_named(text: str, stage: Stage | None) -> None:
    assert stage_in(text) is stage


@pytest.mark.parametrize("stage", Stage)
def test_only_from_rcpt_on_a_server_knows_whom_it_is_for(stage: Stage) -> None:
    early = {Stage.CONNECT, Stage.TLS, Stage.AUTH, Stage.MAIL}
    assert stage.before_the_recipient is (stage in early)
