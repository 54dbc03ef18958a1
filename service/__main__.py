"""The command line."""

import asyncio
import logging
import os
import signal
import sys
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import stamina.instrumentation
import typer
import typer.core
from rich.console import Console
from rich.markup import escape

from service import config, errors
from service.commands import (
    alerts,
    audit,
    conflicts,
    coverage,
    equity,
    export,
    imports,
    need,
    notify,
    pilots,
    readers,
    reclaim,
    reconcile,
    rules,
    running,
    tokens,
)

EXIT_INTERRUPTED = 130

_console = Console(stderr=True)


class _Commands(typer.core.TyperGroup):
    """What a value has to be is told in plain words, without those of the library that reads it."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


app = typer.Typer(
    cls=_Commands,
    help="Which students in need have a working connection at home?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(imports.app, name="import")
app.add_typer(conflicts.app, name="conflicts")
app.add_typer(rules.app, name="rules")
app.add_typer(alerts.app, name="alerts")
app.add_typer(tokens.app, name="token")
app.add_typer(readers.app, name="reader")
app.command("demo")(running.demo)
app.command("serve")(running.serve)
app.command("migrate")(running.migrate)
app.command("poll")(running.poll)
app.command("coverage")(coverage.coverage)
app.command("need")(need.need)
app.command("equity")(equity.equity)
app.command("costs")(equity.costs)
app.command("reclaim")(reclaim.reclaim)
app.command("reallocate")(reclaim.reallocate)
app.command("pilots")(pilots.pilots)
app.command("pilot")(pilots.pilot)
app.command("reconcile")(reconcile.reconcile)
app.command("export")(export.export)
app.command("exports")(export.exports)
app.command("audit")(audit.audit)
app.command("notify")(notify.notify)
app.command("check")(running.check)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"afterbell {metadata.version('afterbell')}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    config_path: Annotated[
        Path | None,
        typer.Option("--config", "-c", envvar=config.ENV_CONFIG, help="The configuration file (TOML)."),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    context.obj = config_path
    _set_up_logging(logging.DEBUG if verbose else logging.INFO)


def _set_up_logging(level: int) -> None:
    logging.basicConfig(
        level=level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    # A retry that helps is not worth a line; one that does not is told of as the failure it is.
    stamina.instrumentation.set_on_retry_hooks([])


def main() -> None:
    # SIGTERM ends a command as Ctrl-C does: what is open is closed, and an embedded database stops.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app(standalone_mode=True)
    except errors.AfterbellError as error:
        _console.print(f"[bold red]afterbell:[/] {escape(str(error))}", highlight=False)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:  # the reader went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
