"""What a sweep and a day cost. By hand: ``python -m tests.performance.sweep [--lines N] [--history DAYS ...]``.

Everything is on loopback and in one run, and every figure stands beside a baseline from the same run: a sweep
beside a hand-written httpx and COPY script on the same pages, the database part beside a bare COPY of the same rows.
"""

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from rich.console import Console
from rich.table import Table

from service.store import embedded, migrations
from service.store import pool as pools
from tests.performance import database_part, days
from tests.performance.vendors import FREE_PAGE

_VENDORS = {"kajeet": 100, "free": FREE_PAGE}  # page sizes
_MEMORY_MB = 150
_MEMORY_GROWTH_MB = 5
_SWEEPS = 3
_out = Console()


async def main(lines: int, histories: list[int]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="afterbell-benchmark-"))
    folder.chmod(0o711)
    async with embedded.Server(
        folder / "server", settings={"max_wal_size": "4GB", "shared_buffers": "1GB"}
    ) as server:
        sweeps = [row for vendor in _VENDORS for row in await _sweeps(server, vendor, lines)]
        _show("A sweep, in a process of its own", sweeps)
        _judge_sweeps(sweeps)
        _show_ratios(await database_part.measure(lambda: _database(server), lines))
        for history in histories:
            async with _database(server) as dsn:
                _show_days(lines, history, await days.measure(dsn, lines=lines, history=history))
    _out.print(f"\nthe server's folder can go: {folder}")


async def _sweeps(server: embedded.Server, vendor: str, lines: int) -> list[dict[str, Any]]:
    rows = []
    for count in (lines // 10, lines):
        with _serving(vendor, count) as url:
            async with _database(server) as dsn:
                name = f"{vendor}, pages of {_VENDORS[vendor]}"
                told = await _run("one_sweep", url, dsn, str(_VENDORS[vendor]), str(_SWEEPS))
                rows.append({"what": f"{name}: first sweep", **told[0]})
                rows.append({"what": f"{name}: a later sweep", **min(told[1:], key=lambda one: one["cpu"])})
                token = await asyncio.to_thread(_token, url)
                by_hand = await _run("by_hand", url, token, dsn, str(_VENDORS[vendor]))
                rows.append({"what": f"{name}: by hand", **by_hand[0]})
    return rows


@contextlib.contextmanager
def _serving(vendor: str, lines: int) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.performance.vendors", vendor, str(lines)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()  # closes its input: it stops


def _token(url: str) -> str:
    body = {"clientId": "simulated-client", "clientSecret": "simulated-secret"}
    token: str = httpx.post(f"{url}/v1.0/auth/clientToken", json=body).json()["token"]
    return token


async def _run(module: str, *arguments: str) -> list[dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"tests.performance.{module}", *arguments, stdout=subprocess.PIPE
    )
    printed, _ = await process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"{module} failed")
    return [json.loads(line) for line in printed.splitlines()]


@contextlib.asynccontextmanager
async def _database(server: embedded.Server) -> AsyncIterator[str]:
    name = f"benchmark_{time.monotonic_ns()}"
    connection = await asyncpg.connect(server.dsn())
    await connection.execute(f"CREATE DATABASE {name}")
    before, _, query = server.dsn().partition("?")
    dsn = f"{before.rpartition('/')[0]}/{name}?{query}"
    async with pools.connected(dsn, size=1) as pool:
        await migrations.migrate(pool)
    try:
        yield dsn
    finally:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()


def _show(title: str, rows: list[dict[str, Any]]) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    for heading in ("hotspots", "seconds", "hotspots/s", "hotspots/CPU-s", "peak MB"):
        table.add_column(heading, justify="right")
    for row in rows:
        rates = (row["lines"] / row["seconds"], row["lines"] / row["cpu"])
        table.add_row(
            row["what"], f"{row['lines']:,}", f"{row['seconds']:.1f}", *(f"{rate:,.0f}" for rate in rates),
            f"{row['peak_mb']:.0f}",
        )  # fmt: skip
    _out.print(table)


def _judge_sweeps(rows: list[dict[str, Any]]) -> None:
    for _, later, by_hand in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
        ratio = (later["lines"] / later["cpu"]) / (by_hand["lines"] / by_hand["cpu"])
        _say(
            ratio >= 1,
            f"{later['what']}, {later['lines']:,} hotspots: {ratio:.2f} x the hand-written script's per CPU-second",
        )
    for small, large in ((rows[1], rows[4]), (rows[7], rows[10])):
        growth = large["peak_mb"] - small["peak_mb"]
        flat = large["peak_mb"] < _MEMORY_MB and growth < _MEMORY_GROWTH_MB
        _say(
            flat,
            f"{large['what']}: peak {large['peak_mb']:.0f} MB, {growth:+.0f} MB against a tenth of the fleet",
        )


def _show_ratios(ratios: list[database_part.Ratio]) -> None:
    table = Table(title="The database part, against a bare COPY of the same rows", title_justify="left")
    table.add_column("what")
    for heading in ("rows", "ours, s", "bare COPY, s", "ratio"):
        table.add_column(heading, justify="right")
    for one in ratios:
        table.add_row(
            one.what, f"{one.rows:,}", f"{one.ours:.1f}", f"{one.bare:.1f}", f"{one.ours / one.bare:.2f}"
        )
    _out.print(table)
    for one in ratios:
        _say(one.ours / one.bare <= 1.5, f"{one.what}: ratio {one.ours / one.bare:.2f}, aim 1.5")


def _show_days(lines: int, history: int, told: days.Told) -> None:
    _say(
        told.first < 2,
        f"{lines:,} loans, {history} days of history: a day's loan states and school days computed in "
        f"{told.first:.2f} s, again in {told.again:.2f} s; aim 2 s",
    )


def _say(is_good: bool, text: str) -> None:
    _out.print(f"{'[green]holds[/]' if is_good else '[bold red]falls short[/]'}: {text}", highlight=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument(
        "--history", type=int, nargs="*", default=[30, 365], help="days; a year takes a while to make"
    )
    chosen = parser.parse_args()
    asyncio.run(main(chosen.lines, chosen.history))
