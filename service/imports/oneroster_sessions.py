"""academicSessions.csv: when the school year or the term began."""

from datetime import date

from service.imports import cells, oneroster_tables, outcomes

_YEAR = "schoolyear"
_TERMS = ("term", "semester")


def start(table: oneroster_tables.Table, tally: outcomes.Tally, on_day: date) -> date | None:
    """The first day of the school year of a day; where no year is told, of the term."""
    found: dict[str, date] = {}
    for row in table.read(tally):
        kind = row.text("type").lower()
        if oneroster_tables.status(row) is not False or kind not in (_YEAR, *_TERMS):
            continue
        starts_on, ends_on = (
            row.read("startDate", cells.required_day),
            row.read("endDate", cells.required_day),
        )
        if starts_on is not None and ends_on is not None and starts_on <= on_day <= ends_on:
            found[kind] = min(starts_on, found.get(kind, starts_on))
    terms = (found[kind] for kind in _TERMS if kind in found)
    return found.get(_YEAR) or min(terms, default=None)
