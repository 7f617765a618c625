"""The checked list in docs/asvs.md names only what is there, and every requirement once."""

import re
from collections import Counter
from pathlib import Path

LIST = Path("docs/asvs.md").read_text()
STATES = {
    *("met", "**partly**", "**not met**", "not applicable", "identity provider", "operator"),
}
ROWS = re.findall(r"^\| (\d[^|]*) \| ([^|]*) \| (.*) \|$", LIST, re.MULTILINE)


def test_every_requirement_of_both_levels_stands_there_once() -> None:
    numbers = Counter(
        number for row in ROWS for number in re.findall(r"(\d+\.\d+\.\d+) \([12]\)", row[0])
    )
    assert len(numbers) == 253
    assert set(numbers.values()) == {1}
    assert {row[1] for row in ROWS} == STATES


def test_the_files_that_it_names_exist() -> None:
    named = re.findall(r"`([a-z_]+/[^`]*)`", LIST)
    assert len(named) > 50
    assert [path for path in named if not Path(path).exists()] == []
