"""OneRoster exports for tests: copies of the fixtures that a test may change."""

import csv
import shutil
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import asyncpg
import pytest

from service import errors
from service.imports import loans, oneroster, oneroster_keys, outcomes
from service.model import pseudonyms
from tests import factories, files

FIXTURES = Path(__file__).parent / "fixtures" / "oneroster"
VERSIONS = ("v1p1", "v1p2")
KEY = pseudonyms.Pseudonymizer(b"correct horse battery staple, and more of it")
CEDAR, ALDER, BIRCH = "410192000001", "410192000002", "410192000003"
TODAY = date(2026, 10, 15)

Cells = dict[str, str]


class Export:
    """A folder of files; every change stays in it."""

    def __init__(self, folder: Path, version: str = "v1p1") -> None:
        self.path = folder / version
        shutil.copytree(FIXTURES / version, self.path)

    def change(self, name: str, edit: Callable[[Cells], Cells | None]) -> None:
        """Put what ``edit`` makes of each row in its place; None takes the row away."""
        header, rows = self.rows(name)
        kept = [edited for row in rows if (edited := edit(row)) is not None]
        self.write(name, header, kept)

    def set(self, name: str, sourced_id: str, **cells: str) -> None:
        self.change(name, lambda row: row | cells if row["sourcedId"] == sourced_id else row)

    def drop(self, name: str, *sourced_ids: str) -> None:
        self.change(name, lambda row: None if row["sourcedId"] in sourced_ids else row)

    def keep(self, name: str, *sourced_ids: str) -> None:
        self.change(name, lambda row: row if row["sourcedId"] in sourced_ids else None)

    def add(self, name: str, **cells: str) -> None:
        header, rows = self.rows(name)
        self.write(name, header, [*rows, dict.fromkeys(header, "") | cells])

    def say(self, property_name: str, value: str | None) -> None:
        """Set a line of the manifest; None takes it away."""
        header, rows = self.rows("manifest.csv")
        kept = [row for row in rows if row["propertyName"] != property_name]
        told = [] if value is None else [{"propertyName": property_name, "value": value}]
        self.write("manifest.csv", header, kept + told)

    def delta(self) -> None:
        for name in ("users", "roles", "enrollments"):
            self.say(f"file.{name}", "delta" if (self.path / f"{name}.csv").exists() else "absent")

    def text(self, name: str, edit: Callable[[str], str]) -> None:
        path = self.path / name
        path.write_text(edit(path.read_text("utf-8")), encoding="utf-8")

    def rows(self, name: str) -> tuple[list[str], list[Cells]]:
        with (self.path / name).open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            return list(reader.fieldnames or []), list(reader)

    def write(self, name: str, header: list[str], rows: list[Cells]) -> None:
        files.csv_file(self.path, name, header, [[row[title] for title in header] for row in rows])

    def zipped(self, *, inside: str = "") -> Path:
        path = self.path.with_suffix(".zip")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(self.path.iterdir()):
                archive.write(file, inside + file.name)
        return path


async def district(pool: asyncpg.Pool) -> None:
    """The district of the fixtures, computed up to yesterday."""
    await factories.district(pool)
    await factories.school(pool, CEDAR, name="Cedar Park Middle")
    await factories.school(pool, ALDER, name="Alder Creek Elementary")
    await factories.school(pool, BIRCH, name="Birch Hill High")
    await pool.execute("UPDATE districts SET computed_through_on = '2026-10-14'")


async def imported(
    pool: asyncpg.Pool,
    path: Path,
    *,
    as_of: date = TODAY,
    today: date | None = None,
    key: str = "sourcedId",
    schools: Path | None = None,
    many_left: bool = False,
    dry_run: bool = False,
    pseudonymizer: pseudonyms.Pseudonymizer | None = KEY,
) -> oneroster.Imported:
    return await oneroster.run(
        pool,
        factories.DISTRICT,
        path,
        pseudonymizer=pseudonymizer,
        wanted=oneroster.Wanted(oneroster_keys.named(key), as_of, schools, many_left),
        today=today or as_of,
        dry_run=dry_run,
    )


async def outcome(pool: asyncpg.Pool, path: Path, **told: object) -> outcomes.Outcome:
    return (await imported(pool, path, **told)).outcome  # type: ignore[arg-type]


async def rejection(pool: asyncpg.Pool, path: Path, **told: object) -> str:
    """What the import says when it refuses the whole export."""
    with pytest.raises(errors.ImportRejected) as raised:
        await outcome(pool, path, **told)
    return str(raised.value)


async def lend(pool: asyncpg.Pool, folder: Path, number: str) -> None:
    """A loan to the student of the number, from a file."""
    row = f"860000000000009,{CEDAR},{number},2026-09-08"
    path = files.written(folder, "loans.csv", "device,ncessch,borrower,checked_out_on", row)
    outcome = await loans.run(pool, factories.DISTRICT, path, pseudonymizer=KEY, today=TODAY)
    assert outcome.added == 1


def student(number: str) -> str:
    """The pseudonym under which a student's number is kept."""
    return KEY.borrower(number)
