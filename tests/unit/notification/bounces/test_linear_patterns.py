"""What is searched for in a line takes time in proportion to the line, whatever stands in it."""

import re
import time
from collections.abc import Iterator

import pytest

from services.notification.bounces import families, texts

LINE = 960  # characters; the reader cuts lines at a thousand
OF_LINES = {
    f"{kind} {at} of {rule.name}": pattern
    for rule in texts.rules()
    for kind, patterns in (("recipient", rule.recipients), ("diagnosis", rule.diagnosis))
    for at, pattern in enumerate(patterns)
}
OF_TEXTS = {f"text of {rule.name}": rule.text for rule in texts.rules()} | {
    f"anywhere {at}": re.compile(pattern, re.I | re.M)
    for at, pattern in enumerate((*families.ANYWHERE, families.OF_ONE, families.GREETING))
}
BEGINNINGS = ("", "a@b.example", "<a@b.example>", "(", "550 ")
FILLINGS = (
    *(" ", "\t", "a", "a.", "-", "_", "0", "<", "(", "[", "#", ":", '"', "é"),
    *("a@", "a@b.c ", "<a@b", "x: ", "[]", "()", ">>> ", "550 ", "#5.1.1", "said: ", "mail to "),
)
LINE_ENDS = ("\n", "-\n", " \n", "a@b.c\n")
FRAGMENT = re.compile(r"[a-z@#' :<>]{4,}")
ENOUGH = 0.0003  # seconds for a line, below which none is worth measuring: of the slow, 0.03


def fragments(pattern: re.Pattern[str]) -> list[str]:
    """Words that the pattern looks for."""
    return sorted(set(FRAGMENT.findall(pattern.pattern.replace("(?:", "|"))), key=len)[-3:]


def hostile_lines(pattern: re.Pattern[str], *, of_lines: bool) -> Iterator[tuple[str, str]]:
    """A short line, and one of the same that is four times as long."""
    own = fragments(pattern)
    for filling in (*FILLINGS, *own, *(() if of_lines else LINE_ENDS)):
        for beginning in (*BEGINNINGS, *own):
            yield (
                beginning + filling * (LINE // 4 // len(filling)) + "x",
                beginning + filling * (LINE // len(filling)) + "x",
            )


def seconds(pattern: re.Pattern[str], text: str) -> float:
    start = time.process_time()
    pattern.search(text)
    return time.process_time() - start


def grows_faster(pattern: re.Pattern[str], short: str, long: str) -> bool:
    """A slow machine, or other work on it, only adds: the fastest of some searches counts."""
    if seconds(pattern, long) < ENOUGH:
        return False
    for _ in range(5):
        few = min(seconds(pattern, short) for _ in range(5))
        many = min(seconds(pattern, long) for _ in range(5))
        # Four times the length: linear time is 4 times, quadratic 16 times.
        if many < max(8 * few, ENOUGH):
            return False
    return True


@pytest.mark.parametrize("name", OF_LINES | OF_TEXTS)
def test_time_grows_at_most_with_the_line(name: str) -> None:
    pattern = (OF_LINES | OF_TEXTS)[name]
    slow = [
        long[:30]
        for short, long in hostile_lines(pattern, of_lines=name in OF_LINES)
        if grows_faster(pattern, short, long)
    ]
    assert slow == []
