"""The commands that run, poll and show."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from collectors import base
from service import app, checks, errors, export_config, exporting, serving
from service import config as configs
from service.commands import steps
from service.demo import district as demo_district
from service.demo import schools, stage, timeline
from service.metrics import Metrics
from service.polling import accounts, budget_plan, runner
from service.printed import budget as budget_table
from service.printed import coverage as coverage_table
from service.store import accounts as account_rows
from service.store import coverage as coverage_rows
from service.store import embedded, migrations, rollups
from service.web import tokens

DEMO_SWEEP_EVERY = timedelta(minutes=1)

_out = Console()
_err = Console(stderr=True)
_log = logging.getLogger(__name__)


def serve(context: typer.Context) -> None:
    """Poll every account on its cadence, and serve the page, /metrics and the probes."""
    asyncio.run(serving.until_told(_serve(app.loaded(context.obj))))


async def _serve(config: configs.Config) -> None:
    if logging.getLogger().level != logging.DEBUG:  # asked for with -v
        logging.getLogger().setLevel(config.log_level.upper())
    if config.web.tokens_file is not None:
        tokens.check(config.web.tokens_file)
    metrics = Metrics(minimum_cell_size=config.web.minimum_cell_size)
    async with app.with_config(config, wait=app.WAIT_FOR_DATABASE) as ready:
        await app.require_households(ready)
        async with (
            app.collectors(ready, metrics) as polled,
            serving.Service(ready, polled, metrics).serving() as address,
        ):
            _log.info("serving %s", address, extra={"action": "serving"})
            try:
                await serving.forever()
            finally:
                _log.info("stopping", extra={"action": "stopping"})


def migrate(context: typer.Context) -> None:
    """Bring the database's schema up to date. Safe to run twice, and by two at once."""
    asyncio.run(_migrate(configs.load(context.obj)))


async def _migrate(config: configs.Config) -> None:
    async with app.database(config, wait=app.WAIT_FOR_DATABASE) as (pool, _):
        applied = await migrations.migrate(pool)
    _out.print(f"applied {', '.join(applied)}" if applied else "the schema is up to date")


def poll(
    context: typer.Context,
    account: Annotated[list[str] | None, typer.Option(help="Only this account; may be repeated.")] = None,
) -> None:
    """Sweep every account once, now. Exits 1 if one fails."""
    if not asyncio.run(_poll(app.loaded(context.obj), account)):
        raise typer.Exit(1)


async def _poll(config: configs.Config, keys: list[str] | None) -> bool:
    metrics = Metrics()
    async with app.with_config(config) as ready, app.collectors(ready, metrics) as polled:
        chosen = _chosen(polled, keys)
        await app.require_households(ready)
        await serving.plan(ready.pool, polled)
        sweeper = runner.Runner(ready.pool, app.utc_now, metrics)
        results = [
            await _poll_group(sweeper, account, group)
            for account in chosen
            for group in account.collector.endpoint_groups
        ]
        with _day_progress() as told:
            await serving.roll_up(ready, app.utc_now(), told)
        await serving.sum_up(ready)
    return all(result.is_good for result in results)


def _chosen(polled: list[accounts.Account], keys: list[str] | None) -> list[accounts.Account]:
    known = {account.key for account in polled}
    if unknown := sorted(set(keys or ()) - known):
        raise errors.ConfigError(
            f"there is no account {', '.join(unknown)}; known: {', '.join(sorted(known)) or 'none'}"
        )
    return [account for account in polled if not keys or account.key in keys]


async def _poll_group(
    sweeper: runner.Runner, account: accounts.Account, group: base.EndpointGroup
) -> runner.Result:
    with _err.status(f"{account.name}: {group.name}"):
        result = await sweeper.sweep(account, group)
    done = result.progress
    said = result.error or f"{done.lines} lines, {done.rows_written} rows, {done.rows_rejected} rejected"
    _out.print(f"{account.name}, {group.name}: {result.outcome}: {said}", highlight=False, markup=False)
    return result


def check(context: typer.Context) -> None:
    """Try every account, and say what is wrong and what to do. Exits 1 if anything is."""
    if not asyncio.run(_check(app.loaded(context.obj))):
        raise typer.Exit(1)


async def _check(config: configs.Config) -> bool:
    async with app.with_config(config) as ready, app.collectors(ready, Metrics()) as polled:
        with _err.status("trying every account"):
            findings = [await checks.account(account) for account in polled]
            findings += await checks.records(ready.pool)
            findings += await checks.households(ready.pool, [of.id for of in ready.config.districts])
            for of in ready.config.districts:
                findings += await checks.channels(ready.pool, of.id, _channels(of))
                findings += checks.packages(of.id, _packages(config, of))
            shown = await app.snapshot(ready, app.utc_now())
            findings += checks.one_fleet(shown) + checks.reconciled(shown)
            findings += await checks.vocabulary(ready.pool)
        known = await account_rows.lines(ready.pool)
        told = {account.source: finding.lines for account, finding in zip(polled, findings, strict=False)}
        lines = {source: max(told.get(source) or 0, known.get(source, 0)) for source in known}
        plan = budget_plan.of_accounts(polled, lines)
    table = Table(title="afterbell check", title_justify="left")
    for heading in ("", "what", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        mark = "[green]ok[/]" if finding.is_good else "[bold red]wrong[/]"
        table.add_row(mark, escape(finding.what), escape(finding.found), escape(finding.advice))
    _out.print(table)
    if plan:
        budget_table.show(_out, plan)
    return all(finding.is_good for finding in findings) and budget_plan.overload(plan) <= 1


def _channels(of: configs.District) -> list[checks.Channel]:
    return [checks.Channel(key=one.key, roles=one.roles, schools=one.schools) for one in of.alerts.channels]


def _packages(config: configs.Config, of: configs.District) -> checks.Packages:
    return checks.Packages(
        folder=of.exports.folder,
        is_told=bool(of.exports.channels),
        page_address=config.page_address,
        missing_libraries=exporting.missing_libraries(),
    )


def demo(
    once: Annotated[bool, typer.Option("--once", help="Print the coverage table and exit.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the page and /metrics.")] = 8080,
    folder: Annotated[Path | None, typer.Option(help="Where the demo's database is kept.")] = None,
) -> None:
    """Show a pretend district with 90 days of history: no account and no database needed."""
    asyncio.run(serving.until_told(_demo(once, port, folder or embedded.default_folder() / "demo")))


async def _demo(once: bool, port: int, folder: Path) -> None:
    logging.getLogger("service").setLevel(logging.WARNING)  # the table is what people came for
    # constructed, not read: no environment may lead the pretend district into a real database
    config = configs.Config.model_construct(
        database=configs.Database(folder=folder), web=configs.Web(port=port)
    )
    metrics = Metrics(minimum_cell_size=config.web.minimum_cell_size)
    observer = app.observer(metrics, stage.DISTRICT_ID, stage.ACCOUNT_KEY)
    with steps.shown(_err) as told:
        async with (
            app.with_config(config) as ready,
            stage.staged(ready.pool, now=app.utc_now, progress=told, observer=observer) as staged,
        ):
            shown = await coverage_rows.snapshot(ready.pool, now=app.utc_now())
            told.stop()
            coverage_table.show(_out, shown)
            if not once:
                shown_with = replace(ready, config=_with_pilot(config, staged))
                service = serving.Service(shown_with, [staged.account], metrics, sweep_every=DEMO_SWEEP_EVERY)
                await _serve_demo(service)


def _with_pilot(config: configs.Config, staged: stage.Stage) -> configs.Config:
    pilot = configs.Pilot(**asdict(demo_district.pilot(staged.dates)))
    zone = timeline.ZONE.key
    of = configs.District(
        id=staged.district_id,
        name=schools.DISTRICT_NAME,
        time_zone=zone,
        pilots=(pilot,),
        exports=_demo_exports(config.database.folder),
    )
    return config.model_copy(update={"districts": (of,)})


def _demo_exports(folder: Path | None) -> export_config.Exports:
    """Packages of the pretend district, where what makes them is installed."""
    if folder is None or exporting.missing_libraries():
        return export_config.Exports()
    place = folder / "packages"
    place.mkdir(exist_ok=True)
    return export_config.Exports(folder=place)


async def _serve_demo(service: serving.Service) -> None:
    async with service.serving() as address:
        _out.print(
            f"\nOpen [link={address}]{address}[/link] (metrics: {address}metrics). "
            f"The pretend vendor is swept every {DEMO_SWEEP_EVERY.total_seconds():.0f} s. Ctrl-C stops.",
            highlight=False,
        )
        await serving.forever()


@contextmanager
def _day_progress() -> Iterator[rollups.Told]:
    with steps.shown(_err) as told_steps:
        done = 0

        def told(day: object, marked: int) -> None:
            nonlocal done
            done += 1
            told_steps("computing days", done, done + marked)

        yield told
