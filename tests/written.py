"""A small package as helpers of tests write it: every kind of column, awkward texts, charts, further files."""

import sys
from collections.abc import Sequence
from pathlib import Path

from service.exports import tables
from service.exports.writing import archive, package

SCHOOLS = tables.Table(
    name="school_month",
    title="Schools by month",
    says="One row per school.",
    columns=(
        tables.Column(name="month", kind="month", says="The month.", is_required=True),
        tables.Column(
            name="school_ncessch", kind="text", says="The school.", is_required=True, pattern=r"[0-9]{12}"
        ),
        tables.Column(name="school_name", kind="text", says="Its name."),
        *tables.count("need", "Students in need."),
        tables.Column(
            name="coverage", kind="number", says="Coverage.", unit=tables.SHARE, minimum=0, maximum=1
        ),
        tables.Column(name="cost", kind="number", says="What it cost.", unit=tables.MONEY, minimum=0),
        tables.Column(name="gb", kind="number", says="Mean use.", unit="GB"),
        tables.Column(name="is_high_needs", kind="boolean", says="Whether it has high needs."),
        tables.Column(name="basis", kind="text", says="Of need.", choices=("frl", "survey")),
        tables.Column(name="figure_on", kind="date", says="The day of the figures."),
        tables.Column(name="updated_at", kind="instant", says="When the source was updated."),
    ),
    key=("month", "school_ncessch"),
)
NOTES = tables.Table(
    name="notes",
    title="Notes",
    says="What holds for all tables.",
    columns=(
        tables.Column(name="name", kind="text", says="Of what.", is_required=True),
        tables.Column(name="value", kind="text", says="What it is."),
    ),
    key=("name",),
)
_REST = (True, "frl", "2026-10-30", "2026-10-31T23:30:00-05:00")
ROWS: tuple[tables.Row, ...] = (
    ("2026-10", "010000000001", "=HYPERLINK(1)", 24, None, 24, 24, 0.83333333, 1234.5, 4.25, *_REST),
    ("2026-10", "010000000002", 'Ñandú "East"\r\nHigh, K–5', None, "5 to 9", 5, 9, None, None, None, *_REST),
    ("2026-10", "010000000003", None, 0, None, 0, 0, None, 0.0, -0.00001, False, None, None, None),
)
CHART = tables.Chart(
    sheet="Coverage by school",
    title="Coverage by school & month",
    says="Bars of coverage: East 70%, West 50%.",
    kind="bar",
    columns=("School", "Coverage", "Least", "Most"),
    rows=(("East", 0.7, 0.6, 0.8), ("West", 0.5, 0.5, 0.5), ("North", None, None, None)),
    unit=tables.SHARE,
    bounds=("Least", "Most"),
)
TREND = tables.Chart(
    sheet="Trend",
    title="Coverage by month",
    says="A line from 60% to 70%.",
    kind="line",
    columns=("Month", "High-needs", "Others"),
    rows=(("2026-09", 0.6, 0.62), ("2026-10", 0.7, 0.65)),
    unit=tables.SHARE,
)


def write(work: Path, *, mark: str = "", rows: Sequence[tables.Row] = ROWS) -> archive.Written:
    """Into an empty folder, with its archive beside."""
    with package.Writer(
        work, title="Example, October 2026", mark=mark, about={"District": "Example"}
    ) as writer:
        writer.table(SCHOOLS, rows)
        writer.table(NOTES, [("settled", "yes"), ("=1+1", "@SUM(A1)")])
        writer.file("report-en.html", b"<html></html>")
        writer.charts([CHART, TREND])
        writer.finish()
    return archive.write(work)


if __name__ == "__main__":
    target = Path(sys.argv[1]) / "example"
    target.mkdir()
    print(write(target).sha256)
