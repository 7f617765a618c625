"""Statements and their parameters, made from columns that are listed once."""

import pytest

from chassis import columns

TABLE: columns.Columns = {"id": "uuid", "name": "text", "size": "integer"}


def test_statements_name_every_column_once_and_in_order() -> None:
    assert (
        columns.select("t", TABLE, "WHERE id = $1") == "SELECT id, name, size FROM t WHERE id = $1"
    )
    assert columns.insert("t", TABLE, "RETURNING id") == (
        "INSERT INTO t (id, name, size) "
        "SELECT * FROM unnest($1::uuid[], $2::text[], $3::integer[]) RETURNING id"
    )
    assert columns.update("t", TABLE, also="seen = old.seen + 1") == (
        "UPDATE t AS old SET name = new.name, size = new.size, seen = old.seen + 1 "
        "FROM unnest($1::uuid[], $2::text[], $3::integer[]) AS new (id, name, size) "
        "WHERE old.id = new.id"
    )


def test_parameters_go_by_name_whatever_the_order_in_a_row() -> None:
    rows = [{"size": 1, "id": "a", "name": "x"}, {"id": "b", "name": "y", "size": 2}]
    assert columns.arrays(TABLE, rows) == [["a", "b"], ["x", "y"], [1, 2]]


@pytest.mark.parametrize(
    "row", [{"id": "a", "name": "x"}, {"id": "a", "name": "x", "size": 1, "more": 2}]
)
def test_a_row_of_other_columns_is_refused(row: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="other columns"):
        columns.arrays(TABLE, [row])
