"""A roster on its way in: staged in temporary tables, judged and written as one set; and who is enrolled on a day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple

import asyncpg

import sql
from service.model import grades


class Standing(StrEnum):
    SCHOOL = "school"  # of the district
    UNMATCHED = "unmatched"  # a school that afterbell does not know
    LEFT_OUT = "left_out"  # a school that the district leaves out
    NO_SCHOOL = "no_school"  # a district, a department


class User(NamedTuple):
    """A row of users.csv, in the table's order. ``user_key`` and ``student`` are pseudonyms."""

    row_number: int
    user_key: str
    student: str
    is_student: bool | None
    is_gone: bool
    grade: str | None
    has_strange_grade: bool
    orgs: list[int]


class Role(NamedTuple):
    row_number: int
    user_key: str
    org: int | None
    is_student: bool
    is_primary: bool
    is_gone: bool


class Class(NamedTuple):
    user_key: str
    org: int


class Org(NamedTuple):
    org: int
    school_id: int | None
    standing: str


@dataclass(frozen=True, slots=True)
class Judged:
    """``students`` are rows; the other counts are of those among them, save the last two."""

    students: int = 0
    repeated: int = 0
    at_several: int = 0
    same_student: int = 0
    left_out: int = 0
    strange_grades: int = 0
    first_strange_grade: int | None = None
    without_role: int = 0
    roles_alone: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    row_number: int
    reason: str
    other_row: int | None


@dataclass(frozen=True, slots=True)
class Misplaced:
    """Students of one org, or (None) of no org, whose school is not known."""

    org: int | None
    students: int
    first_row: int


@dataclass(frozen=True, slots=True)
class Changes:
    """``before``: students enrolled until now; ``present``: in the file; ``first_on``: as in records.Written."""

    before: int = 0
    present: int = 0
    new: int = 0
    moved: int = 0
    regraded: int = 0
    left: int = 0
    first_on: date | None = None


@dataclass(frozen=True, slots=True)
class SchoolBands:
    ncessch: str
    name: str
    bands: Mapping[grades.Band, int] = field(default_factory=dict)

    @property
    def enrolled(self) -> int:
        return sum(self.bands.values())


async def create(connection: asyncpg.Connection) -> None:
    queries = sql.queries()
    await connection.execute(queries["create_import_roster_users"])
    await connection.execute(queries["create_import_roster_roles"])
    await connection.execute(queries["create_import_roster_classes"])
    await connection.execute(queries["create_import_roster_orgs"])
    await connection.execute(queries["create_import_roster_changes"])


async def stage_users(connection: asyncpg.Connection, users: Iterable[User]) -> None:
    await connection.copy_records_to_table("import_roster_users", records=users, columns=User._fields)
    await connection.execute(sql.queries()["analyze_import_roster_users"])


async def stage_roles(connection: asyncpg.Connection, roles: Iterable[Role]) -> None:
    await connection.copy_records_to_table("import_roster_roles", records=roles, columns=Role._fields)
    await connection.execute(sql.queries()["analyze_import_roster_roles"])


async def stage_classes(connection: asyncpg.Connection, classes: Iterable[Class]) -> None:
    await connection.copy_records_to_table("import_roster_classes", records=classes, columns=Class._fields)
    await connection.execute(sql.queries()["analyze_import_roster_classes"])


async def stage_orgs(connection: asyncpg.Connection, orgs: Iterable[Org]) -> None:
    await connection.copy_records_to_table("import_roster_orgs", records=orgs, columns=Org._fields)
    await connection.execute(sql.queries()["analyze_import_roster_orgs"])


async def newest_change(connection: asyncpg.Connection, district_id: int) -> date | None:
    """The last day on which an enrollment began or ended."""
    found: date | None = await connection.fetchval(sql.queries()["newest_enrollment_change"], district_id)
    return found


async def judge(connection: asyncpg.Connection, district_id: int, *, is_bulk: bool) -> Judged:
    """Find who is a student and at which school; what cannot be right is refused."""
    queries = sql.queries()
    await connection.execute(queries["tell_roster_students"], district_id, is_bulk)
    rolesless = await connection.fetchrow(queries["roster_without_roles"])
    await connection.execute(queries["drop_roster_staff"])
    await connection.execute(queries["place_roster_students"])
    await connection.execute(queries["find_roster_students_elsewhere"])
    await connection.execute(queries["refuse_roster_students"])
    await connection.execute(queries["refuse_repeated_users"])
    await connection.execute(queries["pass_over_same_students"])
    await connection.execute(queries["analyze_import_roster_users"])
    return Judged(**await connection.fetchrow(queries["judged_roster"]), **rolesless)


async def refusals(connection: asyncpg.Connection) -> list[Refusal]:
    """Rows that are refused one by one, in the file's order."""
    return [Refusal(**row) for row in await connection.fetch(sql.queries()["refused_roster_students"])]


async def misplaced(connection: asyncpg.Connection) -> list[Misplaced]:
    """Students whose school is not known, by org, the largest first."""
    return [Misplaced(**row) for row in await connection.fetch(sql.queries()["misplaced_roster_students"])]


async def find_changes(
    connection: asyncpg.Connection,
    district_id: int,
    *,
    as_of: date,
    term_starts_on: date,
    absent_have_left: bool,
) -> Changes:
    """What the file changes; ``term_starts_on`` is when the first students of a school began."""
    queries = sql.queries()
    await connection.execute(
        queries["find_enrollment_changes"], district_id, as_of, term_starts_on, absent_have_left
    )
    return Changes(**await connection.fetchrow(queries["enrollment_changes"], district_id, as_of))


async def write_changes(connection: asyncpg.Connection, district_id: int, as_of: date) -> None:
    queries = sql.queries()
    for name in (
        "drop_enrollments_of_the_day",
        "end_enrollments",
        "correct_enrollments",
        "begin_enrollments",
    ):
        await connection.execute(queries[name], district_id, as_of)


async def enrolled_by_grade_band(
    connection: asyncpg.Pool | asyncpg.Connection, district_id: int, on_day: date
) -> Sequence[SchoolBands]:
    """Every school that has students on the day, by name, with its students of each band."""
    found: dict[tuple[str, str], dict[grades.Band, int]] = {}
    for row in await connection.fetch(sql.queries()["enrolled_by_grade"], district_id, on_day):
        bands = found.setdefault((row["ncessch"], row["name"]), {})
        band = grades.band(row["grade"])
        bands[band] = bands.get(band, 0) + row["students"]
    return [SchoolBands(ncessch, name, bands) for (ncessch, name), bands in found.items()]
