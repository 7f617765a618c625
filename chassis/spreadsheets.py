"""Files for spreadsheets: CSV (RFC 4180) that none of them takes for formulas. Pure."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

SEPARATOR = ";"
BYTE_ORDER_MARK = "\ufeff"  # or Excel takes UTF-8 for something else

# What a formula begins with, in every width; spreadsheets skip blanks and signs that can't be seen.
_SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫"
_SKIPPED = r"\s\x00-\x1f\x7f-\x9f\xad\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff"
# A spreadsheet of another country takes another separator, and quotes there as they come.
_SEPARATORS = ';,|:"\t\r\n\v\f\x85\u2028\u2029'
# Begins nowhere but at the start of a run, and gives nothing back: linear.
_MAYBE_FORMULA = re.compile(
    rf"(?<![{_SKIPPED}{_SEPARATORS}])([{_SKIPPED}{_SEPARATORS}]*+)([{_SIGNS}])"
)


def head(header: Sequence[str]) -> str:
    """What a file with these columns begins with."""
    return BYTE_ORDER_MARK + lines([header])


def lines(rows: Iterable[Sequence[str]]) -> str:
    """A line per row, each cell quoted and harmless."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=SEPARATOR, quoting=csv.QUOTE_ALL)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def harmless(text: str) -> str:
    """A cell of which no spreadsheet takes a part for a formula, however it separates cells."""

    def marked(found: re.Match[str]) -> str:
        skipped, sign = found.groups()
        begins_a_cell = found.start() == 0 or any(each in _SEPARATORS for each in skipped)
        return f"{skipped}'{sign}" if begins_a_cell else found[0]

    return _MAYBE_FORMULA.sub(marked, text)
