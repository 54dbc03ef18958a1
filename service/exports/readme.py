"""README.txt: what each file of a shareable package is, where to start, how to compare the sums."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from service.exports import published, shareable
from service.exports import terms as export_terms
from service.exports.writing import description, package, sums, text

NAME = "README.txt"

_WIDE, _NAMES = 100, 20  # letters: of a line, and of the names in a list
_LANGUAGES = {"en": "in English", "es": "in Spanish"}
_WHAT = (
    "A month of the district: how many of its students in need had a working connection at home, through a hotspot "
    "that was lent to them."
)
_CELLS = (
    "A number that is not told is empty, never 0, and the column beside it says why. Small counts are told as ranges "
    "or hidden, so that no student can be found in them: 5 to 9 means one of the numbers from 5 to 9."
)
_APOSTROPHE = (
    "Open workbook.xlsx in a spreadsheet rather than the CSV files: of a CSV file some programs drop the zeros at the "
    "start of a school's number. " + text.SAYS[0]
)
_SUMS = (
    f"{sums.NAME} has the SHA-256 of every other file. In this folder, on Linux: sha256sum -c {sums.NAME}; on macOS: "
    f"shasum -a 256 -c {sums.NAME}; on Windows, for one file: certutil -hashfile {package.WORKBOOK} SHA256, and "
    "compare with its line. Each line has to say OK, or to be alike: what differs is not what was issued."
)


def of(told: published.Published, languages: Sequence[str]) -> bytes:
    """The same package gives the same bytes."""
    paragraphs = (
        _head(told),
        [_WHAT],
        ["Where to start", *_first(languages)],
        ["Files", *_listed(_files(languages))],
        ["Tables", *_listed((table.name, table.says) for table, _ in shareable.tables(told))],
        ["How to read them", _CELLS, _APOSTROPHE],
        ["To see whether all of it arrived as it was issued", _SUMS],
    )
    return ("\n\n".join("\n".join(map(_folded, lines)) for lines in paragraphs) + "\n").encode()


def _head(told: published.Published) -> list[str]:
    facts = told.facts
    lines = [
        " ".join(text.clean(facts.district_name).split()),
        f"Hotspots for students in need, {facts.month.first_on:%B %Y}",
        f"Shareable package, revision {told.revision}, made by afterbell {told.version}",
    ]
    if told.pilot is not None:
        lines.append(f"With the pilot: {' '.join(text.clean(told.pilot.name).split())}")
    return [*lines, *([export_terms.PARTIAL] if told.is_partial else [])]


def _first(languages: Sequence[str]) -> Iterator[str]:
    if languages:
        yield f"Read {_report(languages[0])}.pdf: a few pages for everybody."
    yield f"Then open {package.WORKBOOK}: its first sheet lists the others; the sheet notes says what is not known."


def _files(languages: Sequence[str]) -> Iterator[tuple[str, str]]:
    for language in languages:
        told = _LANGUAGES.get(language, language)
        yield f"{_report(language)}.pdf", f"the report {told}, to print"
        yield f"{_report(language)}.html", "the same for a browser, also without a network"
    yield package.WORKBOOK, "every table as a sheet, with charts"
    yield "csv/", "the tables, one a file, for any program"
    yield "parquet/", "the same tables for statistics programs"
    yield description.NAME, "every column with its type, unit and bounds, as a Frictionless data package"
    yield sums.NAME, "the SHA-256 of every other file"


def _report(language: str) -> str:
    return f"report-{language}"


def _listed(pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [f"  {name:<{_NAMES}}{says}" for name, says in pairs]


def _folded(line: str) -> str:
    """What goes on under a list's item stands under its words."""
    further = " " * (_NAMES + 2) if line.startswith(" ") else ""
    return textwrap.fill(
        line, _WIDE, subsequent_indent=further, break_on_hyphens=False, break_long_words=False
    )
