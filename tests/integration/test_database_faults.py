"""The database goes away in many ways, for real: killed, full, closed, away at start. Nothing is half-written."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from collectors.kajeet import simulator, world
from service import app, config, errors, serving
from service.metrics import Metrics
from service.store import embedded, embedded_binaries, migrations, rollups
from service.store import pool as pools
from tests import conftest
from tests.fleet import Fleet, device, polled

START = datetime(2026, 10, 5, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)
MANY = 6_000  # three batches
SETTINGS = {"fsync": "off", "max_connections": "20"}

Folder = Callable[[str], Path]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(reachable_path: Path) -> Path:
    """A stopped server's folder with the schema: copying it is faster than making one."""
    folder = reachable_path / f"made-{os.getpid()}"
    async with (
        embedded.Server(folder, binaries=conftest.test_binaries(), settings=SETTINGS) as server,
        pools.connected(server.dsn()) as pool,
    ):
        await migrations.migrate(pool)
    return folder


def copied(made: Path, target: Path) -> Path:
    sparse = ["--sparse=always"] if sys.platform == "linux" else []
    subprocess.run(["cp", "-a", *sparse, f"{made}/.", target], check=True)
    return target


@pytest.fixture
async def own(made: Path, folder: Folder) -> AsyncIterator[embedded.Server]:
    """A server of the test's own."""
    place = copied(made, folder("own"))
    async with embedded.Server(place, binaries=conftest.test_binaries(), settings=SETTINGS) as started:
        yield started
    shutil.rmtree(place)


def kill(server: embedded.Server) -> None:
    """As the kernel does when memory runs out."""
    pid_file = embedded_binaries.PidFile.read(server.folder / "postgres" / "data")
    assert pid_file is not None
    os.kill(pid_file.pid, signal.SIGKILL)


def many(count: int = MANY) -> list[world.Device]:
    return [device(number, day_amount_mb=1.5) for number in range(count)]


PAGES = simulator.Settings(max_limit=1000)


async def counts(pool: asyncpg.Pool) -> dict[str, int]:
    row = await pool.fetchrow(
        "SELECT (SELECT count(*) FROM lines) AS lines, (SELECT count(*) FROM devices) AS devices,"
        " (SELECT count(*) FROM line_device_links) AS links, (SELECT count(*) FROM provider_keys) AS keys,"
        " (SELECT count(*) FROM latest_states) AS latest, (SELECT count(*) FROM state_readings) AS states,"
        " (SELECT count(*) FROM usage_readings WHERE series = 'day') AS days,"
        " (SELECT count(*) FROM usage_readings) / 3 AS usage"
    )
    return dict(row)


WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


async def writing(pool: asyncpg.Pool) -> None:
    """Wait until somebody waits for a lock of ours."""
    async with asyncio.timeout(20):
        while not await pool.fetchval(WAITING):
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def held_in_its_second_batch(
    f: Fleet, dsn: str, *, at: str = "latest_states"
) -> AsyncIterator[asyncio.Task[Any]]:
    """A sweep that has committed a batch, and has written the half of the next one that comes before a table."""
    holder = await asyncpg.connect(dsn)
    sweeping = asyncio.create_task(f.sweep(START))
    async with asyncio.timeout(20):
        while not await f.rows("SELECT FROM poll_runs WHERE cursor IS NOT NULL"):
            await asyncio.sleep(0.005)
    await holder.execute(f"BEGIN; LOCK TABLE {at} IN EXCLUSIVE MODE")
    await writing(f.pool)
    try:
        yield sweeping
    finally:
        holder.terminate()
        sweeping.cancel()


async def free_lease(pool: asyncpg.Pool) -> None:
    await pool.execute("UPDATE watermarks SET lease_expires_at = now() - interval '1 second'")


async def test_a_database_killed_while_a_batch_is_written_keeps_whole_batches_only_and_loses_nothing(
    own: embedded.Server,
) -> None:
    async with (
        pools.connected(own.dsn()) as pool,
        polled(pool, many(), settings=PAGES, page_size=500) as f,
    ):
        async with held_in_its_second_batch(f, own.dsn()) as sweeping:
            kill(own)
            began = time.monotonic()
            with pytest.raises(errors.DatabaseUnavailable, match="the database is not usable") as caught:
                await sweeping
            assert time.monotonic() - began < 5
            assert caught.value.exit_code == 3
        assert await own.ensure_running()
        kept = await counts(pool)
        assert set(kept.values()) == {kept["lines"]}
        assert 2_500 <= kept["lines"] < MANY
        (run,) = await f.runs()
        assert (run["outcome"], run["lines"]) == ("running", kept["lines"])
        assert (await f.watermark())["watermark_at"] is None
        await free_lease(pool)  # a process that comes back waits for it
        result = await f.sweep(START + timedelta(minutes=10))
        assert (result.outcome, result.instant) == ("succeeded", START)
        assert result.progress.lines == MANY - kept["lines"]
        assert await counts(pool) == dict.fromkeys(kept, MANY)
        assert (await f.watermark())["watermark_at"] == START


async def test_a_database_killed_while_it_is_not_reading_a_copy_ends_the_sweep_at_once(
    own: embedded.Server,
) -> None:
    async with (
        pools.connected(own.dsn()) as pool,
        polled(pool, many(), settings=PAGES, page_size=500) as f,
        held_in_its_second_batch(f, own.dsn(), at="usage_readings") as sweeping,
    ):
        kill(own)
        done, _ = await asyncio.wait({sweeping}, timeout=3)
        assert done == {sweeping}
        assert isinstance(sweeping.exception(), errors.DatabaseUnavailable)


async def test_connections_that_the_database_ends_in_mid_sweep_leave_no_half_batch_and_the_next_sweep_goes_on(
    database: str,
) -> None:
    async with (
        pools.connected(database) as pool,
        polled(pool, many(), settings=PAGES, page_size=500) as f,
    ):
        async with held_in_its_second_batch(f, database) as sweeping:
            other = await asyncpg.connect(database)
            await other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await other.close()
            with pytest.raises(errors.DatabaseUnavailable):
                await sweeping
        kept = await counts(pool)
        assert set(kept.values()) == {kept["lines"]}
        await free_lease(pool)
        assert (await f.sweep(START + timedelta(hours=1))).outcome == "succeeded"
        assert await pool.fetchval("SELECT count(*) FROM lines") == MANY


async def test_a_cancelled_sweep_rolls_back_the_batch_that_it_was_writing(
    pool: asyncpg.Pool, database: str
) -> None:
    async with polled(pool, many(), settings=PAGES, page_size=500) as f:
        async with held_in_its_second_batch(f, database) as sweeping:
            sweeping.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sweeping
        kept = await counts(pool)
        assert set(kept.values()) == {kept["lines"]}
        (run,) = await f.runs()
        assert (run["outcome"], run["lines"]) == ("abandoned", kept["lines"])
        row = await f.watermark()
        assert (row["lease_holder"], row["failing_since_at"]) == (None, None)
        assert (await f.sweep(START + HOUR)).progress.lines == MANY


async def test_a_rollup_cut_off_by_a_dying_database_is_made_up_for(own: embedded.Server) -> None:
    async with pools.connected(own.dsn()) as pool, polled(pool, many(20)) as f:
        school = await f.school("Alder", need=(300, 250, 40))
        for number in range(20):
            await f.lend(number, school, START.date())
        await f.sweep(START)
        holder = await asyncpg.connect(own.dsn())
        await holder.execute("BEGIN; LOCK TABLE school_days IN EXCLUSIVE MODE")
        refreshing = asyncio.create_task(f.refresh())
        await writing(pool)
        kill(own)
        with pytest.raises(errors.DatabaseUnavailable):
            await refreshing
        holder.terminate()
        await own.ensure_running()
        assert await pool.fetchval("SELECT count(*) FROM loan_days") == 0
        await f.refresh()
        assert await pool.fetchval("SELECT count(*) FROM loan_days WHERE on_day = $1", START.date()) == 20
        assert await pool.fetchval("SELECT loaned FROM school_days WHERE on_day = $1", START.date()) == 20


# A disk that is full.


@contextlib.contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """A filesystem of its own. Only root may make one."""
    mount = ["mount"] if os.geteuid() == 0 else ["sudo", "-n", "mount"]
    done = subprocess.run(
        [*mount, "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0711,uid={os.geteuid()}", "tmpfs", str(place)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        reason = f"a disk of its own cannot be mounted here: {done.stderr.strip()}"
        (pytest.fail if conftest.IN_CI else pytest.skip)(reason)
    try:
        yield place
    finally:
        subprocess.run([*mount[:-1], "umount", "-l", str(place)], check=True)


@contextlib.asynccontextmanager
async def on_a_small_disk(
    made: Path, disk: Path, *, is_sparse: bool
) -> AsyncIterator[tuple[embedded.Server, asyncpg.Pool, Fleet]]:
    """Where copied sparsely, the write-ahead log has not got its room yet, as where it needs a new file."""
    place = copied(made, disk) if is_sparse else Path(shutil.copytree(made, disk, dirs_exist_ok=True))
    if not is_sparse:
        chown_like(made, place)
    async with (
        embedded.Server(place, binaries=conftest.test_binaries(), settings=SETTINGS) as server,
        pools.connected(server.dsn()) as pool,
        polled(pool, many(), settings=PAGES, page_size=1000) as f,
    ):
        yield server, pool, f


def chown_like(source: Path, target: Path) -> None:
    for path in [target, *target.rglob("*")]:
        status = (source / path.relative_to(target)).lstat()
        os.chown(path, status.st_uid, status.st_gid)


async def running_again(server: embedded.Server, f: Fleet) -> None:
    """As the watchdog does: a server that is still recovering is left alone, and looked at again."""
    async with asyncio.timeout(60):
        while True:
            await server.ensure_running()
            with contextlib.suppress(asyncpg.CannotConnectNowError, OSError, asyncpg.PostgresConnectionError):
                await f.pool.fetchval("SELECT 1")
                return
            await asyncio.sleep(0.2)


async def swept_after_room_was_made(f: Fleet) -> None:
    """Whole batches are there, and the next sweep has every line."""
    kept = await counts(f.pool)
    assert set(kept.values()) == {kept["lines"]}
    assert kept["lines"] < MANY
    await free_lease(f.pool)
    result = await f.sweep(START + timedelta(minutes=5))
    assert result.outcome == "succeeded"
    assert result.instant is not None
    assert await f.seen_at(result.instant) == MANY
    assert await f.pool.fetchval("SELECT count(*) FROM lines") == MANY


async def test_a_full_disk_is_called_that_and_when_there_is_room_again_nothing_is_lost(
    made: Path, folder: Folder
) -> None:
    with small_disk(folder("disk"), 200) as disk:
        async with on_a_small_disk(made, disk, is_sparse=False) as (_, _pool, f):
            filled(disk / "ballast", disk, leaving=1_000_000)
            with pytest.raises(errors.DatabaseUnavailable, match="its disk is full: make room") as caught:
                await f.sweep(START)
            assert isinstance(caught.value.__cause__, asyncpg.DiskFullError)
            (disk / "ballast").unlink()
            await swept_after_room_was_made(f)


async def test_a_disk_too_full_for_the_write_ahead_log_kills_the_database_and_loses_nothing(
    made: Path, folder: Folder
) -> None:
    with small_disk(folder("disk"), 200) as disk:
        async with on_a_small_disk(made, disk, is_sparse=True) as (server, _, f):
            filled(disk / "ballast", disk, leaving=500_000)
            with pytest.raises(errors.DatabaseUnavailable, match=r"disk is full|connection was closed"):
                await f.sweep(START)
            (disk / "ballast").unlink()
            await running_again(server, f)
            await swept_after_room_was_made(f)


def filled(ballast: Path, disk: Path, *, leaving: int) -> None:
    with ballast.open("wb") as file:
        file.write(b"x" * (shutil.disk_usage(disk).free - leaving))


# What else a database can refuse.


async def test_a_database_that_may_only_be_read_is_unavailable(database: str) -> None:
    async with pools.connected(database) as pool, polled(pool, many(3)) as f:
        name = await pool.fetchval("SELECT current_database()")
        await pool.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        await pool.expire_connections()
        with pytest.raises(errors.DatabaseUnavailable):
            await f.sweep(START)


async def test_a_wrong_password_a_wrong_name_and_a_wrong_place_are_told_without_the_password(
    database: str, tmp_path: Path
) -> None:
    password = database.split(":")[2].split("@")[0]
    wrong = [
        (database.replace(password, "wrong-horse"), "password authentication failed"),
        (database.replace("/test_", "/nothing_"), "does not exist"),
        (f"postgresql://afterbell:{password}@/x?host={tmp_path}", "No such file"),
        (f"postgresql://afterbell:{password}@127.0.0.1:9/x", "Connect call failed"),
    ]
    for url, expected in wrong:
        with pytest.raises(errors.DatabaseUnavailable, match="cannot connect to the database at") as caught:
            async with pools.connected(url):
                pass
        message = str(caught.value)
        assert expected in message
        assert "Check database.url" in message
        assert password not in message
        assert "wrong-horse" not in message
        assert caught.value.exit_code == 3


async def test_a_server_too_old_is_refused(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "OLDEST_MAJOR", 99)
    with pytest.raises(errors.DatabaseUnavailable, match="afterbell needs 99 or later"):
        async with pools.connected(database):
            pass


# A database that is away at the start.


def configured(url: str, **more: Any) -> config.Config:
    return config.Config.model_validate({"database": {"url": url}, "web": {"port": 0}, **more})


async def test_a_database_that_is_away_at_the_start_is_waited_for_and_then_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(app, "_WAIT_STEP", 0.05)
    url = f"postgresql://afterbell:correct-horse@/afterbell?host={tmp_path}"
    began = time.monotonic()
    with pytest.raises(errors.DatabaseUnavailable, match="cannot connect to the database at") as caught:
        async with app.with_config(configured(url), wait=timedelta(seconds=0.3)):
            pass
    assert 0.3 <= time.monotonic() - began < 3
    assert caught.value.exit_code == 3
    waits = [record for record in caplog.records if getattr(record, "action", "") == "waiting_for_database"]
    assert waits
    assert "correct-horse" not in str(caught.value) + caplog.text


async def test_waiting_for_the_database_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(app, "_WAIT_STEP", 0.05)
    url = f"postgresql://afterbell:x@/afterbell?host={tmp_path}"
    with pytest.raises(errors.DatabaseUnavailable):
        async with app.with_config(configured(url), wait=timedelta(seconds=0.3)):
            pass
    assert len(caplog.records) == 1


async def test_a_service_goes_on_when_the_database_comes_up_later(
    made: Path, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "_WAIT_STEP", 0.05)
    server = embedded.Server(
        copied(made, folder("late")), binaries=conftest.test_binaries(), settings=SETTINGS
    )
    await server.start()
    url = server.dsn()
    await server.stop()

    async def opened() -> bool:
        async with app.with_config(configured(url), wait=timedelta(seconds=30)) as ready:
            return bool(await ready.pool.fetchval("SELECT true"))

    opening = asyncio.create_task(opened())
    await asyncio.sleep(0.2)
    assert not opening.done()
    await server.start()
    try:
        assert await opening
    finally:
        await server.stop()


async def test_a_command_does_not_wait(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(errors.DatabaseUnavailable):
        async with app.with_config(configured(f"postgresql://afterbell:x@/a?host={tmp_path}")):
            pass
    assert time.monotonic() - began < 1


# A service whose database goes and comes back.


async def test_a_service_is_not_ready_while_its_database_is_away_and_says_so_once_each_way(
    own: embedded.Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this process, so that the watchdog can be quick and the jobs too."""
    caplog.set_level("INFO")
    monkeypatch.setattr(serving, "WATCH_EVERY", timedelta(hours=1))
    monkeypatch.setattr(serving, "ROLLUP_EVERY", timedelta(milliseconds=50))
    async with app.with_config(configured(own.dsn())) as ready:
        service = serving.Service(ready, [], Metrics())
        async with service.serving() as address:
            assert (await get(f"{address}readyz"))[0] == 200
            kill(own)
            await until(lambda: status_is(f"{address}readyz", 503))
            assert (await get(f"{address}healthz"))[0] == 200
            assert (await get(address))[0] == 200  # the last figures
            assert (await get(f"{address}metrics"))[0] == 200
            await asyncio.sleep(0.2)
            await own.ensure_running()
            await until(lambda: status_is(f"{address}readyz", 200))
    actions = [
        getattr(record, "action", None) for record in caplog.records if record.name == serving.__name__
    ]
    assert actions == ["database_away", "database_back"]


async def get(address: str) -> tuple[int, str]:
    import aiohttp

    async with aiohttp.ClientSession() as session, session.get(address) as response:
        return response.status, await response.text()


async def status_is(address: str, status: int) -> bool:
    return (await get(address))[0] == status


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(15):
        while not await condition():
            await asyncio.sleep(0.05)


async def test_thresholds_of_the_configuration_reach_the_rollups() -> None:
    made = app.thresholds(
        configured("postgresql://h/d", thresholds={"signal_samples": 3, "completeness_floor": 0.5})
    )
    assert made == rollups.Thresholds(signal_samples=3, completeness_floor=0.5)
