"""Loans from Snipe-IT's API: its assets become a table with the headers of its own report."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from collectors import errors as collector_errors
from collectors.snipe_it import api as snipe_it_api
from collectors.snipe_it import lists, parse
from service import errors
from service.imports import frame, loan_maps, loan_rows, loan_sites, loans, outcomes, rows, tables
from service.model import pseudonyms
from service.store import pool as pools

HEADER = (
    "IMEI",
    "Serial",
    "Employee No.",
    "Location",
    "Checkout Date",
    "Expected Checkin Date",
    "Status",
    "Type",
    "Category",
    "Model",
)
_MAP = "snipe-it"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which assets are hotspots, by the names of their categories and models, which statuses are a loss, and which
    school each location is. Names may hold * for any text; none: any category, any model."""

    categories: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    lost_statuses: tuple[str, ...] = ()
    schools: Mapping[str, str] | None = None

    def layout(self) -> loan_maps.LoanMap:
        """The map of Snipe-IT's report with these choices in it."""
        told = loan_maps.load(_MAP).model_dump(by_alias=True)
        chosen = {"Category": self.categories, "Model": self.models}
        told["only"] |= {header: names for header, names in chosen.items() if names}
        told["schools"] = dict(self.schools or {})
        if self.lost_statuses:  # the report writes what the status means behind its name
            told["status"]["lost"] = tuple(f"{name} (*)" for name in self.lost_statuses)
        return loan_maps.LoanMap.model_validate(told)


async def read(api: snipe_it_api.Api, progress: rows.Progress | None = None) -> lists.Listed:
    """Read the server's assets, before any transaction is open. Raises ImportRejected."""
    try:
        return await lists.assets(api, progress or (lambda count: None))
    except collector_errors.CollectorError as error:
        raise errors.ImportRejected(f"Snipe-IT could not be read, nothing was changed: {error}") from error


async def run(
    pool: pools.Pool,
    district_id: int,
    found: lists.Listed,
    choice: Choice,
    *,
    pseudonymizer: pseudonyms.Pseudonymizer | None,
    today: date,
    dry_run: bool = False,
) -> outcomes.Outcome:
    """The list is whole, so what it lacks has come back, unless a row was refused."""
    layout = choice.layout()
    sites = loan_sites.of(layout, None)
    told = [_cells(asset) for asset in found.assets]
    async with frame.opened(
        pool, district_id, "loans", _checksum(told), tables=loans.TABLES, today=today, dry_run=dry_run
    ) as importing:
        for one in found.rejected:
            importing.tally.rows += 1
            importing.tally.reject([outcomes.Problem(0, one.path, one.reason)])
        context = loan_rows.Context(pseudonymizer, today, importing.district.time_zone, sites)
        await loans.import_table(importing, _table(found.assets, told), layout, context, full=True)
    return importing.outcome


def _table(assets: Sequence[parse.Asset], told: Sequence[tables.Cells]) -> tables.Table:
    """Rows are numbered by Snipe-IT's own number of the asset, so that a person finds it there."""

    def numbered() -> Iterator[tuple[int, tables.Cells]]:
        for asset, row in zip(assets, told, strict=True):
            yield asset.id, row

    return tables.Table(list(HEADER), numbered())


def _cells(asset: parse.Asset) -> tables.Cells:
    return [
        asset.imei,
        asset.serial,
        asset.number or "",
        asset.location,
        asset.checked_out_at,
        asset.due_on,
        asset.status,
        asset.assigned_type,
        asset.category,
        asset.model,
    ]


def _checksum(told: Sequence[tables.Cells]) -> str:
    digest = hashlib.sha256()
    for row in told:
        digest.update(repr(row).encode())
    return digest.hexdigest()
