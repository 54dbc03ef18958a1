"""Who is who, from roster files given at export time: only the people asked for, in memory, and for one package."""

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from service import errors
from service.model import pseudonyms

LONGEST = 200  # characters of a cell
_IDS = ("studentid", "sourcedid", "identifier")
_FULL, _GIVEN, _FAMILY = "fullname", "givenname", "familyname"
_USER_IDS = re.compile(r"\{?\s*[^{}:,\s]+\s*:\s*([^{},]*?)\s*\}?\s*(?:,|$)")  # {SIS:123},{LMS:456}
_SCIENTIFIC = re.compile(r"[+-]?\d+(\.\d+)?[eE]\+?\d+")
_STAFF = ("teacher", "administrator", "aide", "staff", "proctor", "sitedirector", "districtadministrator")
_PATRON = ("parent", "guardian", "relative", "patron")


@dataclass(frozen=True, slots=True)
class Person:
    """``kind``: student, staff, patron; '' where the file does not say."""

    student_id: str = field(repr=False)  # as the file has it, the one that was asked for
    name: str = field(repr=False)
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that was left out. The reason never repeats a value of the row."""

    file: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class People:
    """By pseudonym. Whoever two rows name differently is left out: no name is better than another's."""

    by_pseudonym: Mapping[str, Person] = field(default_factory=dict, repr=False)
    problems: tuple[Problem, ...] = ()
    rows: int = 0


def read(paths: Iterable[Path], pseudonymizer: pseudonyms.Pseudonymizer, wanted: Collection[str]) -> People:
    """The people whose pseudonym is wanted. Raises ExportRefused where a file is no roster."""
    reader = _Reader(pseudonymizer, wanted)
    for path in paths:
        reader.read(path)
    kept = {key: person for key, person in reader.found.items() if key not in reader.contradicted}
    return People(kept, tuple(reader.problems), reader.rows)


def check_key(fingerprint: str | None, pseudonymizer: pseudonyms.Pseudonymizer) -> None:
    """Raises ConfigError where the district's pseudonyms were made with another key: nobody would be found."""
    if fingerprint is not None and fingerprint != pseudonymizer.fingerprint:
        raise errors.ConfigError(
            "the pseudonym key is not the one that this district's loans were imported with, so nobody would be "
            "found in the roster. Put back the old key file (pseudonym_key_file). Nothing was made."
        )


class _Reader:
    def __init__(self, pseudonymizer: pseudonyms.Pseudonymizer, wanted: Collection[str]) -> None:
        self._pseudonymizer = pseudonymizer
        self._wanted = wanted
        self.found: dict[str, Person] = {}
        self.contradicted: set[str] = set()
        self.problems: list[Problem] = []
        self.rows = 0

    def read(self, path: Path) -> None:
        for line, row in _rows(path):
            self.rows += 1
            reason = self._row(path, line, row)
            if reason:
                self.problems.append(Problem(path.name, line, reason))

    def _row(self, path: Path, line: int, row: Mapping[str, str] | None) -> str:
        """Why the row is left out; '' where it is taken, or of nobody who is asked for."""
        if row is None:
            return "has another number of cells than the header"
        ids = _ids(row)
        if not ids:
            return "has no student id"
        if any(_SCIENTIFIC.fullmatch(text) for text in ids):
            return "has a student id that a spreadsheet has rounded: format the column as text, and save it again"
        name = _name(row)
        for text in ids:
            key = self._pseudonymizer.borrower(text)
            if key not in self._wanted:
                continue
            if not name:
                return "has no name"
            if not name.isprintable() or len(name) > LONGEST:
                return "has a name with line breaks or control characters, or a very long one"
            self._take(key, Person(text, name, _kind(row)), path, line)
        return ""

    def _take(self, key: str, person: Person, path: Path, line: int) -> None:
        known = self.found.setdefault(key, person)
        if known.name != person.name and key not in self.contradicted:
            self.contradicted.add(key)
            reason = "names somebody otherwise than an earlier row with the same id: neither name is used"
            self.problems.append(Problem(path.name, line, reason))


def _ids(row: Mapping[str, str]) -> list[str]:
    """Each once: which of them the loans were imported by is not known here."""
    told = [row.get(name, "") for name in _IDS] + _USER_IDS.findall(row.get("userids", ""))
    return list(dict.fromkeys(filter(None, told)))


def _name(row: Mapping[str, str]) -> str:
    return row.get(_FULL, "") or " ".join(filter(None, (row.get(_GIVEN, ""), row.get(_FAMILY, ""))))


def _kind(row: Mapping[str, str]) -> str:
    role = _plain(row.get("role", "") or row.get("persontype", ""))
    if role in _STAFF:
        return "staff"
    if role in _PATRON:
        return "patron"
    return "student" if role == "student" else ""


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str] | None]]:
    """Each row after the header with its line; None: it does not fit the header. Blank rows are left out."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [_plain(title) for title in next(reader, [])]
            _check(path, header)
            for row in reader:
                if any(cell.strip() for cell in row):
                    cells = [cell.strip() for cell in row]
                    fits = len(row) == len(header)
                    yield reader.line_num, dict(zip(header, cells, strict=True)) if fits else None
    except UnicodeDecodeError as error:
        raise errors.ExportRefused(
            f"the roster {path.name} is not UTF-8: save it as 'CSV UTF-8 (comma delimited)'. Nothing was made."
        ) from error
    except csv.Error as error:
        raise errors.ExportRefused(
            f"the roster {path.name} is not valid CSV (line {reader.line_num}). Nothing was made."
        ) from error
    except OSError as error:
        raise errors.ExportRefused(
            f"cannot read the roster {path}: {error.strerror or error}. Nothing was made."
        ) from error


def _check(path: Path, header: list[str]) -> None:
    """A first row of data may hold names: it is not repeated."""
    has_id = any(name in header for name in (*_IDS, "userids"))
    has_name = _FULL in header or _FAMILY in header
    if not has_id or not has_name:
        raise errors.ExportRefused(
            f"the roster {path.name} needs the columns student_id and full_name, or those of users.csv of OneRoster "
            "(sourcedId or identifier, givenName, familyName), in its first row. Nothing was made."
        )
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        if twice in (*_IDS, "userids", _FULL, _GIVEN, _FAMILY, "role"):
            raise errors.ExportRefused(
                f"the roster {path.name} has the column {twice} twice. Nothing was made."
            )


def _plain(name: str) -> str:
    """A header as it is compared: without case, spaces, hyphens or underscores."""
    return re.sub(r"[\s_-]+", "", name).lower()
