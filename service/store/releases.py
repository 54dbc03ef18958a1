"""The ledger of what was issued: a package stays in it as it was."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta

import asyncpg

import sql
from service import errors
from service.model import months, protection
from service.store import audit, leases
from service.store import pool as pools

CREATED, ANNOUNCED = "export_created", "export_announced"  # in the audit log
SHAREABLE = "shareable"
_PREFETCHED = 1000  # rows: at no time is more of the ledger held twice

Row = tuple[protection.Facts, protection.Published]
Cells = Mapping[str, Mapping[str, str]]  # of a table: key, column, text


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """A package that is about to be issued. ``folder``: its name below the district's."""

    district_id: int
    profile: str  # shareable, internal, inventory
    month: months.Month
    revision: int
    version: str
    facts_digest: str
    folder: str
    archive_sha256: str
    archive_bytes: int
    created_at: datetime
    created_by: str  # command, schedule
    pilot: str = ""
    is_partial: bool = False
    is_strict: bool = False
    is_deidentified: bool = False
    reasons: tuple[str, ...] = ()  # why there is a new revision

    @property
    def subject(self) -> str:
        """What the audit log calls it."""
        marks = {"partial": self.is_partial, "strict": self.is_strict, "de-identified": self.is_deidentified}
        told = [str(self.month), self.profile, *(mark for mark, is_so in marks.items() if is_so)]
        pilot = f", pilot {self.pilot}" if self.pilot else ""
        return f"{' '.join(told)} revision {self.revision}{pilot}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(New):
    release_id: int
    announced_at: datetime | None = None  # or claimed, while channels are being told


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRows:
    """What a shareable release told, and the counts that it was made from."""

    release: Release
    rows: tuple[Row, ...]  # by NCESSCH
    totals: Mapping[str, protection.Cell]


async def find(
    pool: asyncpg.Pool,
    district_id: int,
    *,
    profile: str,
    month: months.Month,
    pilot: str = "",
    is_partial: bool = False,
    is_strict: bool = False,
    is_deidentified: bool = False,
) -> tuple[Release, ...]:
    """The revisions of one package, the first first. Raises DatabaseUnavailable."""
    kind = profile, pilot, month.first_on, is_partial, is_strict, is_deidentified
    return await _releases(pool, "releases", district_id, *kind, None)


async def all_of(pool: asyncpg.Pool, district_id: int) -> tuple[Release, ...]:
    """In the order they were issued. Raises DatabaseUnavailable."""
    return await _releases(pool, "releases", district_id, *[None] * 7)


async def by_id(pool: asyncpg.Pool, district_id: int, release_id: int) -> Release | None:
    """Raises DatabaseUnavailable."""
    return next(iter(await _releases(pool, "release", district_id, release_id)), None)


async def by_folder(pool: asyncpg.Pool, district_id: int, folder: str) -> Release | None:
    """The latest of that name. Raises DatabaseUnavailable."""
    found = await _releases(pool, "releases", district_id, *[None] * 6, folder)
    return found[-1] if found else None


async def earlier(pool: asyncpg.Pool, district_id: int) -> tuple[EarlierRows, ...]:
    """Every shareable release: of any month, revision, pilot, partial and strict ones too. Raises
    DatabaseUnavailable."""
    found = await _releases(pool, "releases", district_id, SHAREABLE, *[None] * 6)
    return await _with_rows(pool, district_id, found)


async def tables_of(pool: asyncpg.Pool, district_id: int, release_id: int) -> dict[str, Cells]:
    """Every cell of a release's tables as it was published. Raises DatabaseUnavailable."""
    with pools.translated():
        rows = await pool.fetch(sql.queries()["release_table_rows"], district_id, release_id)
    found: dict[str, dict[str, Mapping[str, str]]] = {}
    for row in rows:
        found.setdefault(row["table_name"], {}).update(json.loads(row["rows"]))
    return dict(found)


async def record(
    pool: asyncpg.Pool,
    new: New,
    *,
    rows: Sequence[Row] = (),
    totals: Mapping[str, protection.Cell] | None = None,
    tables: Iterable[tuple[str, Cells]] = (),
    under: leases.Lease | None = None,
) -> int:
    """Write a release down, with its entry in the audit log, and all of it or nothing; with ``under``, only while that
    lease is held. ``tables``: a large one in several parts. Returns its id. Raises ExportRefused and
    DatabaseUnavailable."""
    queries, district_id = sql.queries(), new.district_id
    with pools.translated():
        async with pool.acquire() as connection, connection.transaction():
            if under is not None:
                await under.renew(connection)
            release_id: int = await _add(connection, new)
            await _add_schools(connection, district_id, release_id, rows)
            told = list((totals or {}).items())
            names, cells = [name for name, _ in told], [cell for _, cell in told]
            ends = [cell.least for cell in cells], [cell.most for cell in cells]
            await connection.execute(queries["add_release_totals"], district_id, release_id, names, *ends)
            parts = Counter[str]()
            for name, texts in tables:
                values = district_id, release_id, name, parts[name], json.dumps(texts)
                await connection.execute(queries["add_release_table"], *values)
                parts[name] += 1
            await audit.entry(connection, district_id, _entry(new))
    return release_id


async def announceable(pool: asyncpg.Pool, district_id: int, since: datetime) -> tuple[Release, ...]:
    """Shareable packages of settled months that were issued since. Raises DatabaseUnavailable."""
    return await _releases(pool, "announceable_releases", district_id, since)


async def announced(pool: asyncpg.Pool, district_id: int, since: datetime) -> set[tuple[int, str]]:
    """Each release and channel that took its link. Raises DatabaseUnavailable."""
    with pools.translated():
        rows = await pool.fetch(sql.queries()["announced_channels"], district_id, since)
    return {(row["release_id"], row["channel"]) for row in rows}


async def claim_announcement(
    pool: asyncpg.Pool, district_id: int, release_id: int, now: datetime, *, lasts: timedelta
) -> bool:
    """True: the caller alone is to send the link, for so long. Raises DatabaseUnavailable."""
    with pools.translated():
        row = await pool.fetchrow(sql.queries()["claim_announcement"], district_id, release_id, now, lasts)
    return row is not None


async def unclaim(pool: asyncpg.Pool, district_id: int, release_id: int, claimed_at: datetime) -> None:
    """Not every channel took the link: somebody is to try again. Raises DatabaseUnavailable."""
    with pools.translated():
        await pool.execute(sql.queries()["unclaim_announcement"], district_id, release_id, claimed_at)


def announcement(release: Release, channel_key: str, *, by: str, now: datetime) -> audit.Entry:
    """That a channel took the link, for the audit log."""
    return audit.Entry(
        happened_at=now,
        actor=by,
        action=ANNOUNCED,
        subject=release.subject,
        details={"folder": release.folder, "release_id": release.release_id, "channel": channel_key},
    )


async def _releases(pool: asyncpg.Pool, query: str, district_id: int, *values: object) -> tuple[Release, ...]:
    with pools.translated():
        rows = await pool.fetch(sql.queries()[query], district_id, *values)
    return tuple(_release(row) for row in rows)


def _release(row: asyncpg.Record) -> Release:
    told = {**row, "month": months.Month(row["month_on"]), "reasons": tuple(row["reasons"])}
    return Release(**{field.name: told[field.name] for field in fields(Release)})


async def _with_rows(
    pool: asyncpg.Pool, district_id: int, found: Sequence[Release]
) -> tuple[EarlierRows, ...]:
    queries, ids = sql.queries(), [release.release_id for release in found]
    month_of = {release.release_id: release.month.first_on for release in found}
    rows: dict[int, list[Row]] = {release_id: [] for release_id in ids}
    totals: dict[int, dict[str, protection.Cell]] = {release_id: {} for release_id in ids}
    kept: dict[tuple[int, int], protection.Cell] = {}  # most are alike: one of each is enough
    with pools.translated():
        async with pool.acquire() as connection, connection.transaction(readonly=True):
            async for row in connection.cursor(
                queries["release_school_rows"], district_id, ids, prefetch=_PREFETCHED
            ):
                rows[row["release_id"]].append(_row(row, month_of[row["release_id"]], kept))
            for row in await connection.fetch(queries["release_total_rows"], district_id, ids):
                totals[row["release_id"]][row["name"]] = protection.Cell(row["least"], row["most"])
    return tuple(
        EarlierRows(release=release, rows=tuple(rows[release.release_id]), totals=totals[release.release_id])
        for release in found
    )


def _row(row: asyncpg.Record, month_on: date, kept: dict[tuple[int, int], protection.Cell]) -> Row:
    counts, cells = json.loads(row["counts"]), json.loads(row["cells"])
    known = {"ncessch": row["ncessch"], "month_on": month_on}
    facts = protection.Facts(
        **known,
        enrolled=row["enrolled"],
        counts={name: counts[name] for name in protection.COUNTS if name in counts},
    )
    told = protection.Published(
        **known,
        level=protection.Level(row["level"]),
        cells={name: _cell(cells[name], kept) for name in protection.COUNTS if name in cells},
        band=protection.Band(*row["band"]) if row["band"] else None,
    )
    return facts, told


def _cell(ends: list[int], kept: dict[tuple[int, int], protection.Cell]) -> protection.Cell:
    least, most = ends
    return kept.setdefault((least, most), protection.Cell(least, most))


async def _add(connection: asyncpg.Connection, new: New) -> int:
    told = {**asdict(new), "month": new.month.first_on, "reasons": list(new.reasons)}
    order = (
        "district_id", "profile", "pilot", "month", "is_partial", "is_strict", "is_deidentified", "revision", "version",
        "facts_digest", "reasons", "folder", "archive_sha256", "archive_bytes", "created_at", "created_by",
    )  # fmt: skip
    try:
        made: int = await connection.fetchval(sql.queries()["add_release"], *(told[name] for name in order))
    except asyncpg.UniqueViolationError as error:
        raise errors.ExportRefused(f"{new.subject} is issued already: run the export again") from error
    return made


async def _add_schools(
    connection: asyncpg.Connection, district_id: int, release_id: int, rows: Iterable[Row]
) -> None:
    given = list(rows)
    columns = (
        [facts.ncessch for facts, _ in given],
        [str(told.level) for _, told in given],
        [facts.enrolled for facts, _ in given],
        [json.dumps(dict(facts.counts)) for facts, _ in given],
        [json.dumps({name: [c.least, c.most] for name, c in told.cells.items()}) for _, told in given],
        [told.band.low if told.band else None for _, told in given],
        [told.band.high if told.band else None for _, told in given],
    )
    made = await connection.fetch(sql.queries()["add_release_schools"], district_id, release_id, *columns)
    if len(made) != len(given):
        raise errors.ExportRefused(
            f"{len(given) - len(made)} of {len(given)} schools are no longer in the database: run the export again"
        )


def _entry(new: New) -> audit.Entry:
    details = {
        "folder": new.folder,
        "archive_sha256": new.archive_sha256,
        "archive_bytes": new.archive_bytes,
        "version": new.version,
        "reasons": list(new.reasons),
    }
    return audit.Entry(
        happened_at=new.created_at,
        actor=new.created_by,
        action=CREATED,
        subject=new.subject,
        details=details,
    )
