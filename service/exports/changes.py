"""What differs from the revision before: of what was published only, and why only as far as that shows it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from service.exports import columns, published
from service.exports.tables import Row, Table
from service.exports.writing import text, values

Cells = Mapping[str, Mapping[str, Mapping[str, str]]]  # table -> key -> column -> text as in its file
Tables = Sequence[tuple[Table, Sequence[Row]]]

NAME = "changes"
DICTIONARY = "data_dictionary"
_NOT_COMPARED = (NAME, DICTIONARY)
_PART = 500  # rows
_ROW = "row"  # in place of a column, where a whole row is new or gone
_SETTINGS, _OTHER, _DATA = "settings_changed", "other", "late_data"
SAYS: Mapping[str, str] = {
    "settings_changed": "the district changed its settings: names, lists, supports, thresholds, a pilot",
    "late_data": "carriers told more, or corrected what they had told",
    "need_corrected": "answers or totals of need were corrected, or came late",
    "loans_corrected": "loans were corrected, or came late",
    "roster_corrected": "the number of students was corrected",
    "calendar_corrected": "the school calendar was corrected",
    "prices_corrected": "prices of plans were corrected",
    "new_version": "another version of afterbell made it",
    "protection_changed": "the row is told at another level, to protect students",
    "other": "none of the others: a school came or went, or an earlier month was issued anew",
    "no_visible_change": "what changed is within what was told",
}
TABLE = Table(
    name=NAME,
    title="Changes",
    says="Cells that differ from the revision before.",
    columns=(
        columns.text("table", "The table.", is_required=True),
        columns.text("key", "The row: its key columns, separated by spaces.", is_required=True),
        columns.text("column", "The column; row: the whole row is new or gone.", is_required=True),
        columns.text("old", "What was told before; empty: nothing."),
        columns.text("new", "What is told now; empty: nothing."),
        columns.text(
            "why",
            f"{'; '.join(f'{name}: {says}' for name, says in SAYS.items())}.",
            is_required=True,
            choices=tuple(SAYS),
        ),
        columns.version(),
    ),
    key=("table", "key", "column"),
)

# By the column's name, in the order in which one explains the others.
_CLASSES: Mapping[str, tuple[str, ...]] = {
    "settings_changed": (
        "district_name",
        "school_name",
        "high_needs_flag",
        "need_basis",
        "need_value",
        "need_year",
        "other_support_library_hours",
        "other_support_activity_bus",
    ),
    "calendar_corrected": ("school_days",),
    "roster_corrected": ("enrolled",),
    "need_corrected": ("need", "answered", "waitlist", "schools_without_need"),
    "loans_corrected": ("loaned", "lost_month"),
    "late_data": (
        "active_7",
        "active_30",
        "adequate",
        "unknown",
        "idle_30",
        "idle_60",
        "idle_90",
        "lines",
        "idle_lines",
        "figure_on",
        "gb_per_active_mean",
        "hotspot_uptime_pct",
        "pct_usage_outside_school_hours",
        "data_days_missing",
    ),
    "prices_corrected": ("cost",),
}
_ENDINGS = ("_symbol", "_least", "_most")
_SECTIONS: Mapping[str, str] = {  # of the notes
    "thresholds": _SETTINGS,
    "high-needs basis": _SETTINGS,
    "pilot": _SETTINGS,
    "need basis": "need_corrected",
    "sources": _DATA,
}
_FIGURES: Mapping[str, str] = {  # of the notes
    "need_mode": _SETTINGS,
    "school_days": "calendar_corrected",
    "schools_without_need": "need_corrected",
    "day": _DATA,
    "through": _DATA,
}
_DECIDED = (_DATA, "need_corrected")  # what thresholds and the way need is counted change too
_OF_THE_WHOLE = ("new_version",)
_COMPARED = ("school_month", "district_month")  # whose columns say why


def in_parts(made: Tables) -> Iterator[tuple[str, dict[str, dict[str, str]]]]:
    """For the ledger: every cell as it is in the files, a table's rows so many at a time."""
    for table, rows in made:
        if table.name not in _NOT_COMPARED:
            for first in range(0, max(1, len(rows)), _PART):
                yield table.name, dict(_rows(table, rows[first : first + _PART]))


def as_cells(made: Tables) -> dict[str, dict[str, dict[str, str]]]:
    found: dict[str, dict[str, dict[str, str]]] = {}
    for name, part in in_parts(made):
        found.setdefault(name, {}).update(part)
    return found


def _rows(table: Table, rows: Sequence[Row]) -> Iterator[tuple[str, dict[str, str]]]:
    settled = values.settled(table, rows)
    written = [text.cells(column, of) for column, of in zip(table.columns, settled, strict=True)]
    for row in zip(*written, strict=True):
        told = {name: "" if cell is None else str(cell) for name, cell in zip(table.names, row, strict=True)}
        yield " ".join(told[name] for name in table.key), told


def of(before: Cells, after: Cells, why: str) -> tuple[published.Changed, ...]:
    """``why``: of all cells that do not say by themselves what has changed; new_version: of every cell."""
    listed = tuple(_listed(before, after))
    if why in _OF_THE_WHOLE:
        return tuple(replace(one, why=why) for one in listed)
    if _decides(listed):
        return tuple(replace(one, why=_SETTINGS if one.why in ("", *_DECIDED) else one.why) for one in listed)
    if why == _SETTINGS:  # names and lists change no other figure
        found = _found(listed)
        why = next((name for name in found if name != _SETTINGS), _SETTINGS)
    return tuple(replace(one, why=one.why or why) for one in listed)


def _listed(before: Cells, after: Cells) -> Iterator[published.Changed]:
    """With what each cell says by itself, or ""."""
    for table, key in _places(before, after):
        old, new = before.get(table, {}).get(key), after.get(table, {}).get(key)
        yield from _changed(table, key, old, new)


def _decides(listed: Sequence[published.Changed]) -> bool:
    """Whether a setting changed that counts depend on: what else changed may come of it."""
    return any(
        one.table == "notes" and (one.key.startswith("thresholds ") or one.key == "figures need_mode")
        for one in listed
    )


def _places(before: Cells, after: Cells) -> Iterator[tuple[str, str]]:
    for table in [*after, *(name for name in before if name not in after)]:
        if table in _NOT_COMPARED:
            continue
        for key in sorted({*before.get(table, {}), *after.get(table, {})}):
            if not (
                table == "notes" and key.startswith("package ")
            ):  # they differ from one revision to the next
                yield table, key


def _changed(
    table: str, key: str, old: Mapping[str, str] | None, new: Mapping[str, str] | None
) -> Iterator[published.Changed]:
    def changed(column: str, was: str, is_now: str, reason: str) -> published.Changed:
        return published.Changed(table=table, key=key, column=column, old=was, new=is_now, why=reason)

    if old is None or new is None:
        own = _of_notes(key) if table == "notes" else ""
        yield changed(_ROW, "" if old is None else "told", "" if new is None else "told", own)
        return
    for column, is_now in new.items():
        was = old.get(column, "")
        if was != is_now:
            yield changed(column, was, is_now, _why(table, key, column, old, new))


def _why(table: str, key: str, column: str, old: Mapping[str, str], new: Mapping[str, str]) -> str:
    own = _of_notes(key) if table == "notes" else _own(table, column)
    levels = old.get("level"), new.get("level")
    # without a figure day there is no level: that it came or went is no protection
    is_coarsened = all(levels) and levels[0] != levels[1]
    return "protection_changed" if is_coarsened and own != _SETTINGS else own


def _own(table: str, column: str) -> str:
    """What a column by itself says."""
    if table not in _COMPARED:
        return ""
    for ending in _ENDINGS:
        column = column.removesuffix(ending)
    return next((name for name, listed in _CLASSES.items() if column in listed), "")


def _of_notes(key: str) -> str:
    section, _, name = key.partition(" ")
    if section == "figures":
        return _FIGURES.get(name, "")
    return next((why for listed, why in _SECTIONS.items() if key.startswith(f"{listed} ")), "")


def reasons(before: Cells, after: Cells) -> tuple[str, ...]:
    """Classes of what has changed, the first explaining the others, by the cells that were published.

    What changed within ranges is not told by its class either: that would say something of the counts in them.
    """
    listed = tuple(_listed(before, after))
    return (_found(listed) or (_OTHER,)) if listed else ("no_visible_change",)


def _found(listed: Sequence[published.Changed]) -> tuple[str, ...]:
    found = {one.why for one in listed if one.why}
    if _DATA in found or "loans_corrected" in found or _cells_of(listed, "lines"):
        found.discard("prices_corrected")  # the cost follows from the lines
    if _decides(listed):
        found.difference_update(_DECIDED)
    return tuple(name for name in dict.fromkeys((*_CLASSES, *SAYS)) if name in found)


def both(own: Sequence[str], version: str) -> tuple[str, ...]:
    """Where the version differs, and what the package is made from too."""
    return (version, *(name for name in own if name != "no_visible_change"))


def default(reasons_: Sequence[str]) -> str:
    """Of cells that do not say by themselves what has changed."""
    return next((name for name in reasons_ if name not in _OF_THE_WHOLE), reasons_[0])


def _cells_of(listed: Sequence[published.Changed], column: str) -> bool:
    return any(one.table == "district_month" and one.column.startswith(column) for one in listed)


def rows(listed: Sequence[published.Changed]) -> list[Row]:
    return [
        (one.table, one.key, one.column, one.old or None, one.new or None, one.why, columns.VERSION)
        for one in listed
    ]
