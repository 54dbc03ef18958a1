"""The inventory that auditors ask for: every device and line, and who had it. Names come from roster files, and stay
in this package alone.
"""

import contextlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from service.exports import ed_fi, inventory_tables, rosters, tables
from service.model import months, pseudonyms
from service.store import inventories

Batches = AsyncIterator[Sequence[tables.Row]]
Part = tuple[tables.Table, Batches]
Cells = dict[str, tables.Value]

_NOT_IN_ROSTER = "not in the roster files"
_NOT_NAMED = "the loan names no borrower"
_ALWAYS = (
    "This package is restricted: give it to nobody but those whom the law lets see it, and delete it afterwards.",
    (
        "It has every device, line and loan known up to the end of the month. Loans, and which device had which line "
        "when, are as they stood then; plans, prices, answers, filter_profile, serial numbers, IMEIs, ICCIDs and "
        "telephone numbers are as they are known at the time of the export."
    ),
    (
        "make, model, funding_source, purchase_date, consent_on_file, aup_version and record_created_at are empty: "
        "this service does not keep them. So is the employee who is responsible for a device that nobody borrowed."
    ),
    (
        "Records are to be kept until retain_until: ten years after the device came back or was reported lost, "
        "whichever is later, or after the end of the month while it is out or was never lent. A funding rule may ask "
        "for longer."
    ),
)
_DEIDENTIFIED = (
    "It is de-identified: a person is a number that is counted anew for each month, and names, ids and telephone "
    "numbers are left out. Keys such as loan-12 and device-7 are the same in every package. Serial numbers, IMEIs and "
    "ICCIDs are there, as audits match devices and SIMs by them: with the district's own records they still lead to a "
    "family."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """``pseudonymizer``: with the key that the district's loans were imported with."""

    files: Sequence[Path]
    pseudonymizer: pseudonyms.Pseudonymizer = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    borrowers: int  # whose loans say who they are
    named: int  # of these, found in the roster files
    loans_without_name: int  # whose borrower is told, and not found
    roster_rows: int
    roster_problems: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Every table with its rows, to be read one after the other while it is open."""

    parts: tuple[Part, ...]
    counts: Counts
    problems: tuple[rosters.Problem, ...]
    notes: tuple[str, ...]
    _source: "_Source" = field(repr=False)

    async def ed_fi(self) -> bytes | None:
        """The answers of the students in the roster files; None: there are no files, or nobody is to be told."""
        source = self._source
        if source.is_deidentified or not source.has_roster:
            return None
        return await ed_fi.document(source.connection, source.facts, source.people)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    connection: asyncpg.Connection
    facts: months.Facts
    people: Mapping[str, rosters.Person]  # of a de-identified inventory: nobody
    has_roster: bool
    is_deidentified: bool

    def person(self, borrower: str) -> Cells:
        """What is told of who had it, beside a number."""
        named = self.people.get(borrower)
        if named is None:
            return {}
        return {
            "person_full_name": named.name,
            "person_type": named.kind or None,
            "student_source_id": named.student_id,
        }

    def table(self, table: tables.Table) -> tables.Table:
        return inventory_tables.without_people(table) if self.is_deidentified else table


@contextlib.asynccontextmanager
async def opened(
    pool: asyncpg.Pool, facts: months.Facts, *, roster: Roster | None = None, is_deidentified: bool = False
) -> AsyncIterator[Made]:
    """Raises DatabaseUnavailable, ConfigError for a wrong key, ExportRefused for a file that is no roster."""
    if is_deidentified:
        roster = None
    async with inventories.snapshot(pool) as connection:
        people, counts = await _people(connection, facts, roster)
        source = _Source(
            connection=connection,
            facts=facts,
            people=people.by_pseudonym,
            has_roster=roster is not None,
            is_deidentified=is_deidentified,
        )
        yield _made(source, people.problems, counts)


async def _people(
    connection: asyncpg.Connection, facts: months.Facts, roster: Roster | None
) -> tuple[rosters.People, Counts]:
    """Without a roster nobody is kept in mind: borrowers are only counted."""
    wanted: dict[str, int] = {}
    borrowers = loans = 0
    async for batch in inventories.borrowers(connection, facts.district_id, facts.through_on):
        borrowers, loans = borrowers + len(batch), loans + sum(count for _, count in batch)
        wanted.update(batch if roster is not None else ())
    people = rosters.People()
    if roster is not None:
        people = await _named_by(connection, facts, roster, wanted)
    found = wanted.keys() & people.by_pseudonym.keys()
    counts = Counts(
        borrowers=borrowers,
        named=len(found),
        loans_without_name=loans - sum(wanted[borrower] for borrower in found),
        roster_rows=people.rows,
        roster_problems=len(people.problems),
    )
    return people, counts


async def _named_by(
    connection: asyncpg.Connection, facts: months.Facts, roster: Roster, borrowers: Collection[str]
) -> rosters.People:
    known = await inventories.fingerprint(connection, facts.district_id)
    rosters.check_key(known, roster.pseudonymizer)
    wanted = set(borrowers)
    async for batch in inventories.answers(connection, facts.district_id, facts.through_on):
        wanted.update(row[0] for row in batch)
    return rosters.read(roster.files, roster.pseudonymizer, wanted)


def _made(source: _Source, problems: tuple[rosters.Problem, ...], counts: Counts) -> Made:
    parts: list[Part] = [
        (source.table(inventory_tables.ASSETS), _assets(source)),
        (source.table(inventory_tables.SERVICES), _services(source)),
    ]
    if not source.is_deidentified:
        parts.append((inventory_tables.MISSING, _missing(source)))
    return Made(
        parts=tuple(parts),
        counts=counts,
        problems=problems,
        notes=_notes(source, counts),
        _source=source,
    )


async def _assets(source: _Source) -> Batches:
    names = source.table(inventory_tables.ASSETS).names
    facts = source.facts
    async for batch in inventories.assets(
        source.connection, facts.district_id, facts.through_on, facts.time_zone
    ):
        yield [
            _row(names, _cells(_ASSET_RECORD, rest) | source.person(borrower)) for borrower, *rest in batch
        ]


async def _services(source: _Source) -> Batches:
    names = source.table(inventory_tables.SERVICES).names
    facts = source.facts
    async for batch in inventories.services(
        source.connection, facts.district_id, facts.through_on, facts.time_zone
    ):
        yield [
            _row(
                names,
                _cells(_SERVICE_RECORD, rest) | {"service_type": "mobile wireless"} | source.person(borrower),
            )
            for borrower, *rest in batch
        ]


async def _missing(source: _Source) -> Batches:
    facts = source.facts
    async for batch in inventories.unnamed(source.connection, facts.district_id, facts.through_on):
        rows = [
            (*loan, _NOT_IN_ROSTER if borrower else _NOT_NAMED)
            for borrower, *loan in batch
            if borrower not in source.people
        ]
        if rows:
            yield rows


def _cells(names: Sequence[str], values: Sequence[tables.Value]) -> Cells:
    return dict(zip(names, values, strict=True))


def _row(names: Sequence[str], cells: Cells) -> tables.Row:
    return tuple(cells.get(name) for name in names)


# After the borrower, in the order of the queries.
_ASSET_RECORD = (
    "person_number", "record_key", "device_key", "device_type", "serial_number", "imei", "in_service_from",
    "in_service_until", "school_ncessch", "date_loaned", "date_due", "date_returned",
    "date_reported_missing_lost_damaged", "condition_status", "unmet_need_basis", "unmet_need_date", "retain_until",
)  # fmt: skip
_SERVICE_RECORD = (
    "person_number", "record_key", "line_key", "device_key", "line_id", "iccid", "device_serial", "school_ncessch",
    "provider", "plan_name", "download_mbps", "upload_mbps", "monthly_data_cap_gb", "data_cap_gb", "cap_period",
    "on_cap", "monthly_cost", "service_start", "service_end", "filter_profile",
)  # fmt: skip


def _notes(source: _Source, counts: Counts) -> tuple[str, ...]:
    """What a reader must know of these tables."""
    return (*_ALWAYS, _DEIDENTIFIED if source.is_deidentified else _named(source, counts))


def _named(source: _Source, counts: Counts) -> str:
    if not source.has_roster:
        return "No roster file was given: no name is known, and missing_names lists every loan."
    return (
        f"Of {counts.borrowers} borrowers {counts.named} are named by the roster files; {counts.loans_without_name} "
        f"loans of the others are in missing_names. {counts.roster_problems} of {counts.roster_rows} roster rows "
        "could not be used. Names are in this package alone: nothing else keeps them."
    )
