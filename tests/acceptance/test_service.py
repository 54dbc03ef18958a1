"""The whole program, as its own process, against a pretend vendor: started, scraped, stopped, killed, taken up."""

import asyncio
import contextlib
import json
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
import pytest_asyncio

import sql
from collectors import simulation
from collectors.kajeet import simulator, world
from service import app, config, serving
from service.metrics import Metrics
from service.store import embedded, embedded_binaries, migrations
from service.store import pool as pools
from tests import conftest
from tests.files import contents
from tests.fleet import device, iccid, imei

REPOSITORY = Path(__file__).parents[2]
CHILD = "Wilhelmina Placeholder"
LINES = 30
SECRET = "simulated-secret"
SETTINGS = {"fsync": "off"}

Folder = Callable[[str], Path]


# A pretend vendor, a configuration file, and the program.


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(reachable_path: Path) -> Path:
    """A stopped embedded database: copying it is faster than making one."""
    folder = reachable_path / f"made-service-{os.getpid()}"
    async with (
        embedded.Server(folder, binaries=conftest.test_binaries(), settings=SETTINGS) as server,
        pools.connected(server.dsn()) as pool,
    ):
        await migrations.migrate(pool)
    return folder


@pytest.fixture
def place(made: Path, folder: Folder) -> Iterator[Path]:
    """The folder of an embedded database of the test's own."""
    sparse = ["--sparse=always"] if sys.platform == "linux" else []
    target = folder("service")
    subprocess.run(["cp", "-a", *sparse, f"{made}/.", target], check=True)
    yield target
    shutil.rmtree(target)


@dataclass
class Vendor:
    simulator: simulator.Simulator
    url: str

    @property
    def faults(self) -> simulation.Faults:
        return self.simulator.faults


@contextlib.asynccontextmanager
async def vendor(lines: int = LINES) -> AsyncIterator[Vendor]:
    """Every free text of its devices is a child's name."""
    named = {"nickname": CHILD, "device_name": CHILD, "corp_description": CHILD, "filter_group": CHILD}
    words = {"media_center_status": "CheckedOut", "summer_status": "None"}
    rows = [device(n, day_amount_mb=1.5, **named, **words) for n in range(lines)]
    groups = [world.Group(key="5001", description=CHILD)]
    simulated = simulator.Simulator(
        world.StaticWorld(rows, groups), settings=simulator.Settings(max_limit=1000)
    )
    async with simulation.serve(simulated) as url:
        yield Vendor(simulated, url)


class Gate:
    """Holds a request back, so that a sweep is caught in its midst."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, call: simulation.Call) -> Any:
        self.reached.set()
        await self.open.wait()
        return await call.reply()


def written(
    at: Path,
    base_url: str,
    *,
    url: str | None = None,
    folder: Path | None = None,
    port: int = 0,
    secret: str = SECRET,
    credentials: str | None = None,
    page_size: int = 10,
    log_level: str = "info",
) -> Path:
    """A configuration file; the secret is in a file of its own."""
    secret_file = at / "client-secret"
    secret_file.write_text(secret + "\n", encoding="utf-8")
    known = f'client_id = "simulated-client", client_secret_file = "{secret_file}"'
    database = f'url = "{url}"' if url else f'folder = "{folder}"'
    path = at / "afterbell.toml"
    path.write_text(
        f"""
        log_level = "{log_level}"
        [database]
        {database}
        [web]
        port = {port}
        [[districts]]
        id = 1
        name = "Northfield"
        time_zone = "America/New_York"
        [[districts.accounts]]
        key = "kajeet"
        collector = "kajeet"
        credentials = {{ {known if credentials is None else credentials} }}
        [districts.accounts.options]
        corp_ids = ["5001"]
        discover_groups = true
        base_url = "{base_url}"
        page_size = {page_size}
        requests_per_second = 100000
        """,
        encoding="utf-8",
    )
    return path


def command(path: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "service", "--config", str(path), *arguments]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AFTERBELL_")}
    return {**kept, "COLUMNS": "300", **more}


@dataclass
class Ended:
    code: int
    out: str
    err: str


async def run(path: Path, *arguments: str, **more: str) -> Ended:
    process = await asyncio.create_subprocess_exec(
        *command(path, *arguments),
        cwd=REPOSITORY,
        env=environment(**more),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


@dataclass
class Running:
    """A service that runs, and what it has logged."""

    process: asyncio.subprocess.Process
    address: str = ""
    log: list[str] = field(default_factory=list)

    async def read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.log.append(line.decode().rstrip())

    def said(self, pattern: str) -> str | None:
        return next((found[0] for line in self.log if (found := re.search(pattern, line))), None)

    async def serves(self) -> None:
        await until(lambda: self.said("serving http") is not None or self.process.returncode is not None)
        self.address = self.said(r"http://\S+") or ""
        assert self.address, "\n".join(self.log)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Tell it to stop; returns how many seconds that took."""
        began = time.monotonic()
        self.process.send_signal(number)
        await asyncio.wait_for(self.process.wait(), 20)
        return time.monotonic() - began

    async def get(self, path: str = "") -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(self.address + path) as response:
            return response.status, await response.text()


@contextlib.asynccontextmanager
async def service(path: Path, *options: str) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        *command(path, *options, "serve"),
        cwd=REPOSITORY,
        env=environment(),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    running = Running(process)
    reading = asyncio.create_task(running.read())
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await reading


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while True:
            met = condition()
            if met if isinstance(met, bool) else await met:
                return
            await asyncio.sleep(0.02)


async def swept(pool: asyncpg.Pool, times: int = 1) -> bool:
    done = await pool.fetchval(
        "SELECT count(*) FROM poll_runs WHERE endpoint_group = 'devices' AND outcome = 'succeeded'"
    )
    return bool(done >= times)


def database_pid(folder: Path) -> int | None:
    pid_file = embedded_binaries.PidFile.read(folder / "postgres" / "data")
    return None if pid_file is None else pid_file.pid


@contextlib.asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[asyncpg.Pool]:
    """The embedded database of a folder, looked at by the test."""
    async with (
        embedded.Server(folder, binaries=conftest.test_binaries(), settings=SETTINGS) as server,
        pools.connected(server.dsn(), size=2) as pool,
    ):
        yield pool


# Commands.


async def test_commands_poll_check_and_show_coverage(
    database: str, pool: asyncpg.Pool, folder: Folder
) -> None:
    async with vendor() as v:
        path = written(folder("c"), v.url, url=database)
        polled = await run(path, "poll")
        assert polled.code == 0, polled.err
        assert "district 1, account kajeet, devices: succeeded: 30 lines, 150 rows, 0 rejected" in polled.out
        assert await pool.fetchval("SELECT count(*) FROM usage_readings") == 3 * LINES
        shown = await run(path, "coverage", "--json")
        assert shown.code == 0, shown.err
        (district,) = json.loads(shown.out)["districts"]
        assert district["name"] == "Northfield"
        table = await run(path, "coverage")
        assert (table.code, "Northfield" in table.out) == (0, True)
        assert CHILD not in polled.out + polled.err + shown.out + table.out


async def test_check_is_wrong_while_records_are_missing_and_right_when_they_are_there(
    database: str, pool: asyncpg.Pool, folder: Folder
) -> None:
    async with vendor() as v:
        path = written(folder("c"), v.url, url=database)
        before = await run(path, "check")
        assert before.code == 1
        assert "answers; lists 30 lines, " in before.out
        assert "afterbell import schools FILE" in before.out
        await pool.execute(
            "INSERT INTO schools (district_id, ncessch, name) VALUES (1, '990000100001', 'Alder');"
            "INSERT INTO need_counts SELECT 1, school_id, '2026-09-01', 300, 250, 40 FROM schools;"
            "INSERT INTO calendar_days VALUES (1, '2026-10-05', 'instructional')"
        )
        after = await run(path, "check")
        assert (after.code, "wrong" in after.out) == (0, False), after.out


async def test_a_vendor_that_refuses_makes_poll_and_check_exit_1_and_say_why(
    database: str, folder: Folder
) -> None:
    async with vendor() as v:
        path = written(folder("c"), v.url, url=database, secret="wrong-horse")
        polled, checked = await asyncio.gather(run(path, "poll"), run(path, "check"))
    assert (polled.code, checked.code) == (1, 1)
    assert "devices: failed: POST 127.0.0.1/v1.0/auth/clientToken answered 401" in polled.out
    assert "check the account's credentials" in checked.out
    assert "wrong-horse" not in polled.out + polled.err + checked.out + checked.err
    assert "Traceback" not in polled.err + checked.err


async def test_poll_of_an_account_that_is_not_there_names_those_that_are(
    database: str, folder: Folder
) -> None:
    ended = await run(
        written(folder("c"), "http://127.0.0.1:9", url=database), "poll", "--account", "verizon"
    )
    assert ended.code == 2
    assert "there is no account verizon; known: kajeet" in ended.err


async def test_migrate_says_what_it_applied_and_serve_refuses_a_database_that_was_not_migrated(
    empty_url: str, folder: Folder
) -> None:
    path = written(folder("c"), "http://127.0.0.1:9", url=empty_url)
    refused = await run(path, "serve")
    assert refused.code == 3
    names = sorted(path.name for path in Path(sql.__file__).parent.glob("migrations/*.sql"))
    lacking = f"the database lacks {len(names)} migration(s), first {names[0]}: run `afterbell migrate`"
    assert lacking in refused.err
    first, second = await asyncio.gather(run(path, "migrate"), run(path, "migrate"))
    assert (first.code, second.code) == (0, 0)
    assert sorted([first.out.strip(), second.out.strip()]) == [
        f"applied {', '.join(names)}",
        "the schema is up to date",
    ]


async def test_a_configuration_that_is_wrong_exits_2_and_says_where(database: str, folder: Folder) -> None:
    path = written(folder("c"), "http://127.0.0.1:9", url=database, credentials='client_id = "x"')
    ended = await run(path, "serve")
    assert ended.code == 2
    assert ended.err.startswith(
        "afterbell: district 1, account kajeet: collector kajeet needs the credentials"
    )
    assert (ended.out, "Traceback" in ended.err) == ("", False)


async def test_a_message_is_shown_whole(folder: Folder) -> None:
    """Brackets are no markup, and a long line is not broken."""
    at = folder("c")
    path = at / "afterbell.toml"
    path.write_text(
        '[[districts]]\nid = 1\nname = "A"\ntime_zone = "UTC"\n[[districts.accounts]]\nkey = "A B"\n'
    )
    ended = await run(path, "coverage", COLUMNS="60")
    assert ended.code == 2
    assert "String should match pattern '^[a-z0-9][a-z0-9_-]{0,40}$'" in " ".join(ended.err.split())


async def test_a_port_that_is_taken_is_told_and_the_database_is_stopped(place: Path, folder: Folder) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = await run(written(folder("c"), "http://127.0.0.1:9", folder=place, port=port), "serve")
    assert ended.code == 1
    assert f"port {port} on 127.0.0.1 is taken: afterbell may be running already" in ended.err
    assert "Traceback" not in ended.err
    assert database_pid(place) is None


# A service that runs.


async def test_a_service_serves_its_page_metrics_and_probes_and_shows_no_child_and_no_identifier(
    database: str, pool: asyncpg.Pool, folder: Folder
) -> None:
    async with (
        vendor() as v,
        service(written(folder("c"), v.url, url=database, log_level="debug"), "--verbose") as s,
    ):
        v.simulator.world.devices("5001", simulation.utc_now())[3].imei = "no IMEI at all"  # type: ignore[index]
        await s.serves()
        await until(lambda: swept(pool))
        assert (await s.get("readyz"))[0] == 200
        assert json.loads((await s.get("healthz"))[1])["is_alive"] is True
        await until(lambda: told_of_success(s))
        page, metrics = (await s.get())[1], (await s.get("metrics"))[1]
        assert "Northfield" in page
        assert 'afterbell_sweeps_total{account="kajeet",district="1",state="succeeded"}' in metrics
        assert 'afterbell_requests_total{account="kajeet",district="1",state="ok"}' in metrics
        assert (await s.get("nothing"))[0] == 404
        assert await s.stop() < 8
        assert s.process.returncode == 0
        tables = await contents(pool)
        shown = "\n".join([page, metrics, *s.log])
        for part in CHILD.split():
            assert part not in shown
            assert [name for name, rows in tables.items() if part in rows] == []
        for identifier in (iccid(1), imei(1), device(1).mdn, "no IMEI at all", "simulated-secret"):
            assert identifier not in shown
        password = database.split(":")[2].split("@")[0]
        assert password not in shown


async def told_of_success(s: Running) -> bool:
    return "afterbell_account_last_success_timestamp_seconds{" in (await s.get("metrics"))[1]


async def test_a_vendor_that_fails_leaves_the_service_healthy_and_is_told_once(
    database: str, pool: asyncpg.Pool, folder: Folder
) -> None:
    async with vendor() as v, service(written(folder("c"), v.url, url=database)) as s:
        v.faults.next(simulation.status(403), endpoint=None, times=999)
        await s.serves()
        await until(lambda: failed(pool))
        await until(lambda: is_failing(s))
        assert (await s.get("healthz"))[0] == 200
        assert (await s.get("readyz"))[0] == 200
        assert (await s.get())[0] == 200
        warnings = [line for line in s.log if " WARNING " in line]
        assert len(warnings) == 2  # its two endpoint groups
        assert all("answered 403" in line for line in warnings)
        assert not [line for line in s.log if "Traceback" in line or " ERROR " in line]


async def failed(pool: asyncpg.Pool) -> bool:
    return bool(await pool.fetchval("SELECT count(*) = 2 FROM watermarks WHERE failing_since_at IS NOT NULL"))


async def is_failing(s: Running) -> bool:
    return 'afterbell_account_failing{account="kajeet",district="1"} 1.0' in (await s.get("metrics"))[1]


# Stopped.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_service_told_to_stop_in_mid_sweep_exits_0_stops_its_database_and_makes_it_whole_when_restarted(
    place: Path, folder: Folder, number: signal.Signals
) -> None:
    gate = Gate()
    async with vendor() as v:
        path = written(folder("c"), v.url, folder=place)
        v.faults.next(gate, after=1)
        async with service(path) as s:
            await s.serves()
            await asyncio.wait_for(gate.reached.wait(), 20)
            assert database_pid(place) is not None
            assert await s.stop(number) < 8
            assert s.process.returncode == 0
            assert s.said("stopping")
        gate.open.set()
        assert database_pid(place) is None
        async with opened(place) as pool:
            rows = await pool.fetch(
                "SELECT outcome::text, error FROM poll_runs WHERE endpoint_group = 'devices'"
            )
            assert [tuple(row) for row in rows] == [("abandoned", "stopped")]
            assert await pool.fetchval("SELECT count(*) FROM watermarks WHERE lease_holder IS NOT NULL") == 0
        async with service(path) as s:
            await s.serves()
            async with opened(place) as pool:
                await until(lambda: swept(pool))
                assert await pool.fetchval("SELECT count(*) FROM lines") == LINES
                assert await pool.fetchval("SELECT count(DISTINCT starts_at) FROM state_readings") == 1
            assert await s.stop(number) < 8


async def test_a_stop_in_mid_sweep_is_no_error_in_the_log(database: str, folder: Folder) -> None:
    gate = Gate()
    async with vendor() as v, service(written(folder("c"), v.url, url=database)) as s:
        v.faults.next(gate, after=1)
        await s.serves()
        await asyncio.wait_for(gate.reached.wait(), 20)
        await s.stop()
        gate.open.set()
        assert s.process.returncode == 0
        assert not [line for line in s.log if "Traceback" in line or " ERROR " in line]


async def test_a_service_told_to_stop_while_it_starts_stops(folder: Folder) -> None:
    at = folder("c")
    path = written(at, "http://127.0.0.1:9", url=f"postgresql://afterbell@/x?host={at}")
    async with service(path) as s:
        await until(lambda: s.said("waiting for the database") is not None)
        assert await s.stop() < 8
        assert s.process.returncode == 0


async def test_a_poll_that_is_interrupted_exits_130_and_the_sweep_is_abandoned(
    database: str, pool: asyncpg.Pool, folder: Folder
) -> None:
    gate = Gate()
    async with vendor() as v:
        v.faults.next(gate, after=1)
        process = await asyncio.create_subprocess_exec(
            *command(written(folder("c"), v.url, url=database), "poll"),
            cwd=REPOSITORY,
            env=environment(),
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        await asyncio.wait_for(gate.reached.wait(), 20)
        process.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(process.communicate(), 10)
        gate.open.set()
    assert (process.returncode, b"Traceback" in err) == (130, False)
    row = await pool.fetchrow("SELECT outcome::text, error FROM poll_runs WHERE endpoint_group = 'devices'")
    assert tuple(row) == ("abandoned", "stopped")


# Killed.


async def test_a_service_killed_on_page_7_of_10_loses_nothing_and_its_successor_adopts_database_and_sweep(
    place: Path, folder: Folder
) -> None:
    many, gate = 5_000, Gate()
    async with vendor(many) as v:
        path = written(folder("c"), v.url, folder=place, page_size=500)
        v.faults.next(gate, after=6)
        async with service(path) as s:
            await s.serves()
            await asyncio.wait_for(gate.reached.wait(), 20)
            async with opened(place) as pool:
                await until(lambda: has_cursor(pool))
                s.process.kill()
                await s.process.wait()
                pid = database_pid(place)
                assert pid is not None
                instant = await pool.fetchval("SELECT instant_at FROM poll_runs WHERE cursor IS NOT NULL")
                kept = await pool.fetchval("SELECT count(*) FROM lines")
                assert kept == 2_500
                await pool.execute("UPDATE watermarks SET lease_expires_at = now() - interval '1 second'")
                gate.open.set()
                asked = v.faults.seen("devices")
                async with service(path) as successor:
                    await successor.serves()
                    assert database_pid(place) == pid
                    assert successor.said("Started PostgreSQL") is None
                    await until(lambda: swept(pool))
                    assert v.faults.seen("devices") - asked == 5
                    rows = await pool.fetch(
                        "SELECT instant_at, outcome::text, lines FROM poll_runs"
                        " WHERE endpoint_group = 'devices' ORDER BY poll_run_id"
                    )
                    assert [tuple(row) for row in rows] == [
                        (instant, "abandoned", 2_500),
                        (instant, "succeeded", 2_500),
                    ]
                    assert await pool.fetchval("SELECT count(*) FROM lines") == many
                    assert await pool.fetchval("SELECT count(*) FROM usage_readings") == 3 * many
                    assert await pool.fetchval("SELECT count(DISTINCT starts_at) FROM usage_readings") == 1


async def has_cursor(pool: asyncpg.Pool) -> bool:
    return bool(await pool.fetchval("SELECT count(*) FROM poll_runs WHERE cursor IS NOT NULL"))


# In this process, so that the cadences can be short.


def settings(v: Vendor, **database: Any) -> config.Config:
    options = {"corp_ids": ["5001"], "base_url": v.url, "requests_per_second": 100_000}
    account = {
        "key": "kajeet",
        "collector": "kajeet",
        "credentials": {"client_id": "simulated-client", "client_secret": "simulated-secret"},
        "options": options,
    }
    district = {"id": 1, "name": "Northfield", "time_zone": "America/New_York", "accounts": [account]}
    return config.Config.model_validate({"database": database, "web": {"port": 0}, "districts": [district]})


async def test_an_embedded_database_killed_under_a_service_comes_back_and_the_sweeps_go_on(
    place: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(serving, "WATCH_EVERY", timedelta(seconds=0.3))
    async with (
        vendor() as v,
        app.with_config(settings(v, folder=place)) as ready,
        app.collectors(ready, Metrics()) as polled,
    ):
        s = serving.Service(ready, polled, Metrics(), sweep_every=timedelta(seconds=0.5))
        async with s.serving():
            await until(lambda: swept(ready.pool, 2))
            # Between two sweeps: one that is cut off keeps its lease for minutes.
            async with asyncio.timeout(20):
                while await ready.pool.fetchval("SELECT count(lease_holder) FROM watermarks"):
                    await asyncio.sleep(0.01)
            before = await ready.pool.fetchval("SELECT count(*) FROM poll_runs")
            pid = database_pid(place)
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await until(lambda: said(caplog, "the embedded database had died; it runs again"))
            await until(lambda: swept(ready.pool, before + 2))
            assert database_pid(place) != pid
        assert await ready.pool.fetchval("SELECT count(*) FROM lines") == LINES
    assert database_pid(place) is None


def said(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return text in caplog.text


async def test_a_source_held_by_a_process_that_died_is_swept_when_the_lease_has_run_out(
    database: str, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "HELD_SECONDS", 0.3)
    async with (
        vendor() as v,
        app.with_config(settings(v, url=database)) as ready,
        app.collectors(ready, Metrics()) as polled,
    ):
        source = polled[0].source
        await pool.execute(
            "INSERT INTO watermarks (district_id, account_id, endpoint_group, lease_holder, lease_expires_at)"
            " VALUES ($1, $2, 'devices', gen_random_uuid(), now() + interval '0.5 seconds')",
            source.district_id,
            source.account_id,
        )
        s = serving.Service(ready, polled, Metrics())
        async with s.serving():
            await until(lambda: swept(pool), seconds=2.5)


async def test_a_service_restarted_after_an_outage_sweeps_at_once_and_records_the_gap(
    database: str, pool: asyncpg.Pool
) -> None:
    metrics = Metrics()
    async with (
        vendor() as v,
        app.with_config(settings(v, url=database)) as ready,
        app.collectors(ready, metrics) as polled,
    ):
        source = polled[0].source
        await pool.execute(
            "INSERT INTO watermarks (district_id, account_id, endpoint_group, watermark_at)"
            " VALUES ($1, $2, 'devices', now() - interval '3 days')",
            source.district_id,
            source.account_id,
        )
        async with serving.Service(ready, polled, metrics).serving():
            await until(lambda: swept(pool))
        gap = await pool.fetchrow("SELECT ends_at - starts_at AS long FROM poll_gaps")
        assert timedelta(days=3) <= gap["long"] < timedelta(days=3, minutes=1)
    text = metrics.exposition("")[0].decode()
    counted = re.search(r'afterbell_gap_seconds_total\{account="kajeet",district="1"\} (\S+)', text)
    assert counted is not None
    assert float(counted[1]) >= 3 * 86400


async def test_a_service_restarted_within_its_cadence_does_not_sweep_again(
    database: str, pool: asyncpg.Pool
) -> None:
    async with (
        vendor() as v,
        app.with_config(settings(v, url=database)) as ready,
        app.collectors(ready, Metrics()) as polled,
    ):
        async with serving.Service(ready, polled, Metrics()).serving():
            await until(lambda: swept(pool))
        asked = v.faults.seen()
        async with serving.Service(ready, polled, Metrics()).serving():
            await asyncio.sleep(0.5)
        assert v.faults.seen() == asked
