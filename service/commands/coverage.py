"""``afterbell coverage``: each school's coverage on a day, and what one number is made of."""

import asyncio
import json
from dataclasses import replace
from datetime import date
from typing import Annotated

import typer
from rich.console import Console

from service import app, errors
from service import config as configs
from service.commands import chosen
from service.printed import coverage as coverage_table
from service.printed import coverage_why
from service.store import coverage as coverage_rows
from service.store import explanations

_out = Console()

School = Annotated[str | None, typer.Option("--school", help="Only this school, by its NCES id.")]
Why = Annotated[bool, typer.Option("--why", help="What the school's number is made of, as counts.")]


def coverage(
    context: typer.Context,
    school: School = None,
    on: chosen.OnDate = None,
    why: Why = False,
    as_json: chosen.AsJson = False,
) -> None:
    """Show each school's coverage on the latest day that is complete, or on another. Computes nothing."""
    if why and school is None:
        raise errors.ConfigError("--why explains the number of one school: name it with --school NCESSCH")
    day = None if on is None else on.date()
    config = app.loaded(context.obj)
    if why and school is not None:
        asyncio.run(_explain(config, school, day, as_json))
    else:
        asyncio.run(_show(config, school, day, as_json))


async def _show(config: configs.Config, ncessch: str | None, on: date | None, as_json: bool) -> None:
    async with app.with_config(config) as ready:
        shown = await app.snapshot(ready, app.utc_now(), on=on)
    if on is not None and all(district.day is None for district in shown.districts):
        raise _not_computed(on)
    if ncessch is not None:
        shown = _only(shown, ncessch)
    if as_json:
        typer.echo(json.dumps(coverage_table.as_json(shown), indent=2))
    else:
        coverage_table.show(_out, shown)


def _only(shown: coverage_rows.Snapshot, ncessch: str) -> coverage_rows.Snapshot:
    """The districts that have the school, without their other schools."""
    found = (
        replace(district, schools=tuple(one for one in district.schools if one.ncessch == ncessch))
        for district in shown.districts
    )
    having = tuple(district for district in found if district.schools)
    if not having:
        raise _no_school(ncessch)
    return replace(shown, districts=having)


async def _explain(config: configs.Config, ncessch: str, on: date | None, as_json: bool) -> None:
    async with app.with_config(config) as ready:
        found = await explanations.of_school(
            ready.pool,
            ncessch,
            on=on,
            now=app.utc_now(),
            completeness_floor=config.thresholds.completeness_floor,
        )
    if not found:
        raise _no_school(ncessch)
    if on is not None and all(one.figures is None for one in found):
        raise _not_computed(on)
    if as_json:
        typer.echo(json.dumps([coverage_why.as_json(one) for one in found], indent=2))
    else:
        for one in found:
            coverage_why.show(_out, one)


def _no_school(ncessch: str) -> errors.ConfigError:
    return errors.ConfigError(
        f"there is no school {ncessch}: name one by its 12 digits, as afterbell coverage --json lists them"
    )


def _not_computed(on: date) -> errors.ConfigError:
    return errors.ConfigError(
        f"there are no figures of {on}: a day is computed once its readings are there, see afterbell coverage"
    )
