"""The page of columns from the tables themselves: ``python -m tests.columns`` writes it anew."""

from pathlib import Path

from service.exports import changes, district_tables, notes, pilot_tables, school_table, shareable
from service.exports.tables import Column, Table

PAGE = Path(__file__).parents[1] / "docs" / "exports-columns.md"
TABLES = (
    school_table.TABLE,
    district_tables.MONTH,
    district_tables.GROUPS,
    district_tables.TREND,
    notes.TABLE,
    shareable.DICTIONARY,
    pilot_tables.MONTH,
    pilot_tables.PERIODS,
    pilot_tables.EFFECT,
    changes.TABLE,
)
OPENING = """# Columns of the shareable package

Every table of the monthly package for a sponsor, with its columns. The package has the same in its table
`data_dictionary`. Files are CSV, Parquet and a workbook; the tables `pilot_...` come with a pilot, and `changes` with a
second revision.

A count, and a share, has four columns: the figure, `_symbol`, `_least` and `_most`. Where the figure is told exactly,
the symbol is empty. Where it is not, the figure is empty, the symbol says why, and what it lies between stands beside
it, where that is told. To rank schools, take the middle of both.
"""


def page() -> str:
    listed = "\n".join(_section(table) for table in TABLES)
    symbols = _listed("symbol", notes.SYMBOLS.items())
    flags = _listed("flag", notes.FLAGS.items())
    why = _listed("why", changes.SAYS.items())
    lists = f"## Symbols\n\n{symbols}\n## Flags of a school's row\n\n{flags}\n## Why a cell changed\n\n{why}"
    return f"{OPENING}\n{listed}\n{lists}"


def _section(table: Table) -> str:
    lines = [
        f"## {table.name}",
        "",
        table.says,
        "",
        f"One row per {', '.join(f'`{name}`' for name in table.key)}.",
        "",
    ]
    lines += ["| column | kind | unit | what it is |", "|---|---|---|---|"]
    return "\n".join([*lines, *(_line(column) for column in table.columns), ""])


def _line(column: Column) -> str:
    choices = f" One of: {', '.join(column.choices)}." if column.choices else ""
    return f"| `{column.name}` | {column.kind} | {column.unit} | {_cell(column.says + choices)} |"


def _listed(head: str, told: object) -> str:
    assert hasattr(told, "__iter__")
    lines = [
        f"| {head} | what it means |",
        "|---|---|",
        *(f"| `{name}` | {_cell(says)} |" for name, says in told),
    ]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
