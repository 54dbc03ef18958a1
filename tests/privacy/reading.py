"""Reads a shareable package as a stranger would: its tables, and their figures with how finely each is printed."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

Row = Mapping[str, str]
# A band begins where the one before ends; the last has both its ends.
BANDS = ("0", "0.05", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "0.95", "1")
SHARE_DECIMALS = 4  # shares are printed so; trailing zeros are left out


@dataclass(frozen=True, slots=True)
class Figure:
    """What a cell and those beside it say of a number: at least and at most that much."""

    least: Fraction | None
    most: Fraction | None
    is_below_most: bool = False  # less than ``most``: the ranges of a band begin where the one before ends


def tables(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Every CSV file of a package by its name."""
    found = {}
    for path in sorted(folder.rglob("*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            found[path.stem] = list(csv.DictReader(lines))
    return found


def count(row: Row, name: str) -> Figure | None:
    """A whole number: exact, or between two."""
    if row.get(name) and not _is_about(row, name):
        return Figure(Fraction(row[name]), Fraction(row[name]))
    return _between(row, name)


def share(row: Row, name: str, *, decimals: int = SHARE_DECIMALS) -> Figure | None:
    """A number that is rounded when it is printed."""
    if not row.get(name) or _is_about(row, name):
        return _between(row, name)
    value = Fraction(row[name])
    printed = len(row[name].partition(".")[2])
    half = Fraction(1, 2 * 10 ** max(decimals, printed))
    return Figure(value - half, value + half)


def _is_about(row: Row, name: str) -> bool:
    """Computed from what is published: the value tells nothing more of the truth, its bounds may."""
    return row.get(f"{name}_symbol", "").startswith("about")


def _between(row: Row, name: str) -> Figure | None:
    least, most = row.get(f"{name}_least"), row.get(f"{name}_most")
    if not least and not most:
        return None
    found = Figure(Fraction(least) if least else None, Fraction(most) if most else None)
    return replace(found, is_below_most=True) if _is_band(row, name, found) else found


def _is_band(row: Row, name: str, figure: Figure) -> bool:
    """Only coverage is told in bands, and only of rows without finer counts. Exactly 95% is not above 95%."""
    bands = zip(map(Fraction, BANDS), map(Fraction, BANDS[1:-2]), strict=False)
    is_coarse = row.get("level") in {"ten", "band"}
    return name == "coverage" and is_coarse and (figure.least, figure.most) in set(bands)
