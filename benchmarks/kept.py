"""Writes what was measured: as JSON, and into the document that shows it."""

from pathlib import Path

from pydantic import BaseModel

from benchmarks.table import shown_in


def keep(out: Path, name: str, measured: BaseModel, *, document: str, tables: str) -> None:
    """Write to the folder, and to its document if it has one; print the tables."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(measured.model_dump_json(indent=1) + "\n")
    print(tables)
    if (text := out / document).exists():
        text.write_text(shown_in(text.read_text(), tables))
