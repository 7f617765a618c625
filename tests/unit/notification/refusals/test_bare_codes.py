"""What a reply code says where neither status nor words do, and for how long it holds."""

import pytest

from contracts.events import FailureReason
from services.notification.refusals.reading import (
    MAX_LENGTH,
    MAX_LENGTH_IN_ALL,
    read_refusal,
)
from services.notification.refusals.refusal import About, Refusal, Stage

SYSTEM = (About.SYSTEM, FailureReason.SYSTEM)
LOGIN = (About.ALL_MAIL, FailureReason.POLICY)
UNSAID = (About.NOBODY, FailureReason.OTHER)
OF_CODE = {
    **dict.fromkeys((421, 451, 452, 454, 500, 502, 503, 504, 555), SYSTEM),
    **dict.fromkeys((523, 530, 534, 535, 538), LOGIN),
    **dict.fromkeys((450, 501, 550, 551, 553, 554), UNSAID),
    552: (About.RECIPIENT, FailureReason.MAILBOX_FULL),
    556: (About.RECIPIENT, FailureReason.HOST_UNKNOWN),
    571: (About.US, FailureReason.POLICY),
}


@pytest.mark.parametrize(("code", "expected"), OF_CODE.items())
def test_a_bare_code(code: int, expected: tuple[About, FailureReason]) -> None:
    refusal = read_refusal(f"{code}", code=code, stage=Stage.RCPT)
    assert (refusal.about, refusal.reason) == expected
    assert (refusal.permanent, refusal.code, refusal.status) == (code >= 500, code, None)


@pytest.mark.parametrize(
    ("status", "code", "permanent"),
    [
        ("5.1.1", 550, True),
        ("4.1.1", 550, False),
        ("5.1.1", 450, False),
        ("5.1.1", None, True),
        ("4.2.2", None, False),
        ("5.4.7", 550, False),  # time was up, whatever the class
    ],
)
def test_whoever_says_that_it_may_yet_be_taken_is_believed(
    status: str, code: int | None, permanent: bool
) -> None:
    assert read_refusal(status=status, code=code).permanent is permanent


@pytest.mark.parametrize(
    ("text", "reason", "permanent"),
    [
        ("user unknown", FailureReason.UNKNOWN_USER, True),
        ("mailbox full", FailureReason.MAILBOX_FULL, False),
        ("message too large", FailureReason.MESSAGE_TOO_BIG, True),
        ("host not found", FailureReason.HOST_UNKNOWN, True),
        ("relay access denied", FailureReason.POLICY, True),
        ("blocked using zen.spamhaus.org", FailureReason.BLOCKED, True),
        ("undefined error", FailureReason.OTHER, True),
        ("delivery time expired", FailureReason.EXPIRED, False),
        ("out of system storage", FailureReason.SYSTEM, None),
    ],
)
def test_words_alone_say_for_how_long(
    text: str, reason: FailureReason, permanent: bool | None
) -> None:
    refusal = read_refusal(text)
    assert (refusal.reason, refusal.permanent) == (reason, permanent)


def test_of_nothing_nothing_is_known() -> None:
    assert read_refusal("") == Refusal()
    assert read_refusal() == Refusal()
    assert Refusal() == Refusal(About.NOBODY, None, None, None, None)


@pytest.mark.parametrize("detail", ["4.0", "4.1", "4.2", "4.5", "4.7"])
def test_what_was_tried_in_vain_is_over_and_may_be_tried_again(detail: str) -> None:
    refusal = read_refusal(status=f"4.{detail}")
    assert (refusal.about, refusal.reason) == (About.SYSTEM, FailureReason.EXPIRED)
    assert refusal.permanent is False
    lasting = read_refusal(status=f"5.{detail}", code=550)
    assert (lasting.reason is FailureReason.EXPIRED) is (detail == "4.7")


def test_a_text_is_read_up_to_its_share() -> None:
    assert (MAX_LENGTH, MAX_LENGTH_IN_ALL) == (6_000, 12_000)
    said = "user unknown"
    last = "x" * (MAX_LENGTH - len(said) - 1) + " " + said
    assert read_refusal(last).reason is FailureReason.UNKNOWN_USER
    assert read_refusal("x" + last).reason is None
    full = "x" * MAX_LENGTH
    assert read_refusal(full, last).reason is FailureReason.UNKNOWN_USER
    assert read_refusal(full, full, said).reason is None


@pytest.mark.parametrize("stage", [Stage.CONNECT, Stage.TLS, Stage.AUTH, Stage.MAIL])
@pytest.mark.parametrize(
    ("text", "code", "about", "reason"),
    [
        ("550 5.1.1 user unknown", 550, About.ALL_MAIL, FailureReason.POLICY),
        ("450 4.1.1 user unknown", 450, About.ALL_MAIL, FailureReason.SYSTEM),
        ("552 5.2.2 mailbox full", 552, About.ALL_MAIL, FailureReason.POLICY),
        ("552 5.3.4 message too big", 552, About.MESSAGE, FailureReason.MESSAGE_TOO_BIG),
        ("550", 550, About.ALL_MAIL, FailureReason.POLICY),
    ],
)
def test_before_rcpt_nothing_is_about_a_recipient(
    stage: Stage, text: str, code: int, about: About, reason: FailureReason
) -> None:
    refusal = read_refusal(text, code=code, stage=stage)
    assert (refusal.about, refusal.reason) == (about, reason)


def test_what_another_server_refuses_us_for_is_said_of_this_one_alone() -> None:
    said = "550 5.7.23 SPF failed"
    assert read_refusal(said, stage=Stage.RCPT).about is About.ALL_MAIL
    assert read_refusal(said).about is About.US
    passed_on = f"host mx.example[192.0.2.1] said: {said}"
    assert read_refusal(passed_on, stage=Stage.RCPT).about is About.US


def test_narrow_texts_decide_before_wide_ones() -> None:
    refusal = read_refusal("mailbox full", wide=["user unknown"])
    assert refusal.reason is FailureReason.MAILBOX_FULL
    assert read_refusal("", wide=["user unknown"]).reason is FailureReason.UNKNOWN_USER
    assert read_refusal("5.0.0", wide=["5.1.1"], status=None).status == "5.0.0"
    assert read_refusal("5.1.1", status="5.0.0").status == "5.1.1"
    assert read_refusal("5.0.0", status="5.2.2").status == "5.2.2"
    assert read_refusal("550", wide=["450"]).code == 550
    assert read_refusal("550", code=450).code == 450


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("550 5.7.606 user unknown", FailureReason.POLICY),  # what we may, whatever they call it
        ("550 5.7.1 user unknown", FailureReason.UNKNOWN_USER),
        ("550 5.7.0 user unknown", FailureReason.UNKNOWN_USER),
        ("550 see https://www.spamhaus.org/query/ip/1", FailureReason.BLOCKED),
        ("550 see https://mx.example/spamhaus", FailureReason.OTHER),  # a path means nothing
        ("4.4.1 user unknown", FailureReason.UNKNOWN_USER),
        ("4.4.1 violates our policy", FailureReason.POLICY),
        ("4.4.1 delivery time expired", FailureReason.EXPIRED),
        ("5.2.0 undefined error", FailureReason.OTHER),
        ("5.3.2 undefined error", FailureReason.SYSTEM),
    ],
)
def test_status_and_words_together(text: str, reason: FailureReason) -> None:
    assert read_refusal(text).reason is reason


def test_a_null_mx_is_named_by_the_narrow_text_or_where_there_is_none_by_the_wide() -> None:
    null_mx = "Recipient address has null MX"
    said = [
        read_refusal(null_mx, status="5.1.10"),
        read_refusal(wide=[null_mx], status="5.1.10"),
        read_refusal("not found", wide=[null_mx], status="5.1.10"),
    ]
    assert [each.reason for each in said] == [
        *(FailureReason.HOST_UNKNOWN, FailureReason.HOST_UNKNOWN, FailureReason.UNKNOWN_USER),
    ]
