"""``afterbell reconcile``: where records, vendors and bills contradict each other."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from service import app as apps
from service import errors
from service.model import reconciliation
from service.printed import reconciliation as reconciliation_table
from service.store import reconciliation as reconciliation_rows

_out = Console()


def reconcile(
    context: typer.Context,
    kind: Annotated[str | None, typer.Option(help="Only of this kind, such as line_without_loan.")] = None,
    school: Annotated[
        str | None, typer.Option(metavar="NCESSCH", help="Only of this school, by its NCES id.")
    ] = None,
    district: Annotated[int | None, typer.Option(help="Only of this district, by its id.")] = None,
    as_list: Annotated[bool, typer.Option("--list", help="Show every finding, by internal ids.")] = False,
    identifiers: Annotated[
        bool, typer.Option("--identifiers", help="With --list: IMEI, serial, ICCID and MDN as well.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON for scripts; with --list, every finding.")
    ] = False,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write every finding to this file.")] = None,
) -> None:
    """Find what loans, lines, devices and the roster contradict each other in, and say what to do."""
    if identifiers and (as_json or not as_list):
        raise typer.BadParameter("--identifiers goes with --list, on the terminal alone")
    if kind is not None and kind not in reconciliation.BY_NAME:
        raise typer.BadParameter(f"there is no kind {kind}: {', '.join(reconciliation.BY_NAME)}")
    kinds = (reconciliation.BY_NAME[kind],) if kind else reconciliation.KINDS
    judged, found, kept = asyncio.run(_found(context.obj, kind, school, district, identifiers))
    if csv_file is not None:
        reconciliation_table.write_csv(csv_file, found)
    if as_json:
        typer.echo(
            json.dumps(reconciliation_table.as_json(judged, found, kinds, with_findings=as_list), indent=2)
        )
    elif as_list:
        reconciliation_table.show_findings(_out, found, with_identifiers=identifiers)
    else:
        reconciliation_table.show(_out, judged, found, kept, kinds)


_Found = tuple[
    Mapping[int, date], Sequence[reconciliation_rows.Finding], Mapping[int, reconciliation_rows.Summary]
]


async def _found(
    config_path: Path | None, kind: str | None, school: str | None, district: int | None, identifiers: bool
) -> _Found:
    async with apps.opened(config_path) as opened:
        known = [one.id for one in opened.config.districts]
        if district is not None and district not in known:
            listed = ", ".join(map(str, known))
            raise errors.ConfigError(f"there is no district {district}: the configuration has {listed}")
        judged = await reconciliation_rows.judged_on(opened.pool, district)
        found = await reconciliation_rows.findings(
            opened.pool, district_id=district, kind=kind, ncessch=school, with_identifiers=identifiers
        )
        async with opened.pool.acquire() as connection:
            kept = await reconciliation_rows.by_district(connection)
    return judged, found, kept
