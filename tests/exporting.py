"""A district with a finished October, and how its packages are asked for."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from typer.testing import CliRunner, Result

from service import __main__ as command_line
from tests import files, program, snapshots

DISTRICT = program.DISTRICT
_CHILD = """
import os, resource, signal, sys
from datetime import datetime
from service import __main__, app
app.utc_now = lambda: datetime.fromisoformat({now!r})
{before}
sys.argv = ["afterbell", *{arguments!r}]
__main__.main()
"""
NOW = datetime(2026, 11, 18, 20, tzinfo=UTC)  # October has settled, November is not over
MONTH = "2026-10"
PILOT = "Autumn lessons"
ACCOUNTS = (("carrier", 1), ("routers", 2), ("portal", 3))


async def insert(pool: asyncpg.Pool) -> None:
    await program.insert(pool)


def configured(
    folder: Path, database: str, *more: str, exports: str = "", languages: Sequence[str] = ()
) -> Path:
    """``more``: sections below the district; ``exports``: lines of its section of that name."""
    packages = folder / "packages"
    packages.mkdir(exist_ok=True)
    account = '[[districts.accounts]]\nkey = "{}"\ncollector = "file"\nrank = {}\nlag_days = 2'
    return files.written(
        folder,
        "afterbell.toml",
        f'database.url = "{database}"',
        f'[[districts]]\nid = {DISTRICT}\nname = "Sonoran"\ntime_zone = "{snapshots.ZONE}"',
        f'[districts.exports]\nfolder = "{packages}"\nsolver_seconds = 20\n'
        f"languages = {list(languages)}\n{exports}",
        *(account.format(key, rank) for key, rank in ACCOUNTS),
        f'[[districts.pilots]]\nname = "{PILOT}"\nquestion = "Do lessons help?"\nstarts_on = 2026-10-01',
        f"schools = {list(program.PILOTS[0].schools)}\ncomparison = {list(program.PILOTS[0].comparison)}",
        '[[districts.pilots]]\nname = "Lone"\nquestion = "One?"\nstarts_on = 2026-10-01',
        f'schools = ["{program.SCHOOLS[10]}"]',
        *more,
    )


async def run(config_path: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
    """In a thread: the command starts an event loop of its own."""
    runner = CliRunner(env={"COLUMNS": "300", **(env or {})})
    given = ["--config", str(config_path), *arguments]
    result = await asyncio.to_thread(runner.invoke, command_line.app, given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


async def told(config_path: Path, *arguments: str) -> Any:
    return json.loads((await run(config_path, *arguments, "--json")).stdout)


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def child(
    config_path: Path, *arguments: str, before: str = "", env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """A process of its own. ``before``: statements that it runs first."""
    given = ["--config", str(config_path), *arguments]
    code = _CHILD.format(now=NOW.isoformat(), before=before, arguments=given)
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, **(env or {})},
    )


async def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = await asyncio.to_thread(process.communicate)
    return process.returncode, out, err
