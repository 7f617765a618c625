"""No spreadsheet takes a part of a file for a formula, and telling costs no more than reading."""

import time

import pytest

from chassis import spreadsheets


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("  =1", "  '=1"),
        ("\t\r=1", "\t\r'=1"),
        ("\u200b\u00a0@SUM(1)", "\u200b\u00a0'@SUM(1)"),
        ("＝1", "'＝1"),
        ("x,=1+cmd|'/C calc'!A0", "x,'=1+cmd|'/C calc'!A0"),
        ('x";"+1', 'x";"\'+1'),
        ("Anna - Empfang", "Anna - Empfang"),
        ("auth0|7", "auth0|7"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_a_formula_is_marked_wherever_a_cell_may_begin(cell: str, shown: str) -> None:
    assert spreadsheets.harmless(cell) == shown


def test_a_long_cell_costs_no_more_than_its_length() -> None:
    def seconds(size: int) -> float:
        began = time.process_time()
        for shape in ("\t", " ;", ';"', "=", "x"):
            spreadsheets.harmless(shape * size)
        return time.process_time() - began

    assert seconds(200_000) < 2
