"""The embedded PostgreSQL with real servers, real processes and real kills."""

import asyncio
import contextlib
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
import pytest_asyncio

from service import errors
from service.store import embedded, embedded_binaries

CONFIGURED = Path(path) if (path := os.environ.get("AFTERBELL_TEST_POSTGRES")) else None
REPOSITORY = Path(__file__).parents[2]
# asyncpg loses a connection in any of these ways, the last when the end comes while it sends.
LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, asyncpg.InternalClientError)
needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root runs the server as another user, whom a closed folder keeps out"
)

STAY = """
import asyncio, pathlib, sys
from service.store import embedded

async def main(folder, binaries):
    binaries = pathlib.Path(binaries) if binaries else None
    async with embedded.Server(pathlib.Path(folder), binaries=binaries):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)

asyncio.run(main(*sys.argv[1:]))
"""

WRITE = """
import asyncio, pathlib, sys
import asyncpg
from service.store import embedded

async def main(folder, binaries):
    binaries = pathlib.Path(binaries) if binaries else None
    async with embedded.Server(pathlib.Path(folder), binaries=binaries) as server:
        connection = await asyncpg.connect(server.dsn())
        await connection.execute("CREATE TABLE written (n bigint)")
        for n in range(1_000_000):
            await connection.execute("INSERT INTO written VALUES ($1)", n)
            print(n + 1, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@contextlib.contextmanager
def reachable_folder(base: Path) -> Iterator[Path]:
    """A folder that the server's user can reach: as root, pytest's own is closed to everybody else."""
    if os.geteuid() != 0:
        yield base
        return
    folder = Path(tempfile.mkdtemp(prefix="afterbell-test-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def end_servers(place: Path) -> None:
    """What a failed test left running."""
    for file in place.rglob("postmaster.pid"):
        pid_file = embedded_binaries.PidFile.read(file.parent)
        if pid_file and embedded_binaries.may_be_server(pid_file.pid, file.parent):
            os.kill(pid_file.pid, signal.SIGQUIT)
            psutil.wait_procs([psutil.Process(pid_file.pid)], timeout=5)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """A stopped database for the tests that leave it as it was: copying takes longer than most of them."""
    with reachable_folder(tmp_path_factory.mktemp("shared")) as place:
        async with new_server(place / "made"):
            pass
        yield place / "made"
        end_servers(place)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    with reachable_folder(tmp_path) as folder:
        yield folder
        end_servers(folder)


@pytest.fixture
def folder(shared: Path, place: Path) -> Path:
    """A stopped database of the test's own."""
    return copied(shared, place / "data")


def copied(folder: Path, target: Path) -> Path:
    # Most of a new database is zeroes: three times faster without them.
    sparse = ["--sparse=always"] if sys.platform == "linux" else []
    subprocess.run(["cp", "-a", *sparse, folder, target], check=True)
    return target


@contextlib.contextmanager
def moved(folder: Path, target: Path) -> Iterator[Path]:
    folder.rename(target)
    try:
        yield target
    finally:
        end_servers(target.parent)
        target.rename(folder)


def new_server(folder: Path) -> embedded.Server:
    return embedded.Server(folder, binaries=CONFIGURED, settings={"fsync": "off"})


@contextlib.contextmanager
def started(*command: str, user: int | None = None) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command,
        user=user if os.geteuid() == 0 else None,
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def child(script: str, folder: Path) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    return started(sys.executable, "-c", script, str(folder), str(CONFIGURED or ""))


async def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), 20)).strip()


def postmaster_pid(folder: Path) -> int:
    pid_file = embedded_binaries.PidFile.read(folder / "postgres" / "data")
    assert pid_file is not None
    return pid_file.pid


def is_alive(pid: int) -> bool:
    """A zombie is dead, whenever process 1 gets around to it."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def gone(pid: int) -> None:
    async with asyncio.timeout(5):
        while is_alive(pid):
            await asyncio.sleep(0.01)


def is_running(folder: Path) -> bool:
    return (folder / "postgres" / "data" / "postmaster.pid").exists()


def server_user(folder: Path) -> int:
    return (folder / "postgres").stat().st_uid


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def value(server: embedded.Server, query: str) -> object:
    connection = await asyncpg.connect(server.dsn())
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_new_folder_gets_a_database_and_a_restart_keeps_its_data(place: Path) -> None:
    folder = place / "new" / "data"
    previous = os.umask(0o077)
    try:
        async with new_server(folder) as server:
            await value(server, "CREATE TABLE kept AS SELECT 'ñ' AS letter")
            assert await value(server, "SHOW server_encoding") == "UTF8"
            assert await value(server, "SHOW timezone") == "UTC"
            assert await value(server, "SHOW fsync") == "off"
    finally:
        os.umask(previous)
    # Root's folders let the server's user through, and show nobody what is in them.
    assert {mode(folder), mode(folder.parent)} == {0o711 if os.geteuid() == 0 else 0o700}
    assert not is_running(folder)
    async with new_server(folder) as server:
        assert await value(server, "SELECT letter FROM kept") == "ñ"


async def test_start_and_stop_may_be_repeated(shared: Path) -> None:
    server = new_server(shared)
    await server.start()
    await server.start()
    await server.stop()
    await server.stop()
    assert not is_running(shared)
    with pytest.raises(errors.DatabaseUnavailable, match="was not started"):
        await server.ensure_running()


async def test_cancelled_start_leaves_no_server_and_no_lock(shared: Path) -> None:
    first = asyncio.create_task(new_server(shared).start())
    await asyncio.sleep(0.05)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    async with new_server(shared) as server:
        assert await value(server, "SELECT 1") == 1
    assert not is_running(shared)


async def test_error_of_a_failed_start_shows_the_servers_own_words(shared: Path) -> None:
    server = embedded.Server(shared, binaries=CONFIGURED, settings={"shared_buffers": "plenty"})
    with pytest.raises(errors.DatabaseUnavailable, match=r'(?s)did not start.*"shared_buffers": "plenty"'):
        await server.start()


async def test_waiting_for_the_lock_has_a_deadline_and_leaves_the_loop_free(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "LOCK_DEADLINE", 0.5)
    with started("flock", str(shared / "start.lock"), "-c", "echo held; read x") as holder:
        assert await next_line(holder) == "held"
        waiting = asyncio.create_task(new_server(shared).start())
        longest = 0.0
        while not waiting.done():
            before = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - before)
        with pytest.raises(errors.DatabaseUnavailable, match="Another process has been starting"):
            await waiting
        holder.communicate("\n")
    assert longest < 0.3


async def test_nobody_else_reaches_the_default(shared: Path) -> None:
    async with new_server(shared) as server:
        home = shared / "postgres"
        modes = {path.name: mode(path) for path in (home, home / "run", home / "data", home / "password")}
        assert modes == {"postgres": 0o700, "run": 0o700, "data": 0o700, "password": 0o600}
        assert mode(home / "run" / ".s.PGSQL.5432") == 0o700
        assert await value(server, "SHOW listen_addresses") == ""
        postmaster = psutil.Process(postmaster_pid(shared))
        assert postmaster.net_connections("tcp") == []
        assert [found for child in postmaster.children() for found in tcp_connections(child)] == []


def tcp_connections(process: psutil.Process) -> list[object]:
    try:
        return list(process.net_connections("tcp"))
    except psutil.NoSuchProcess:  # a worker that has done its work
        return []


@needs_root
async def test_another_operating_system_user_cannot_connect(shared: Path) -> None:
    other = next(name for name in ("nobody", "daemon") if pwd.getpwnam(name).pw_uid != server_user(shared))
    psql = embedded.find_binaries(CONFIGURED).bin_dir / "psql"
    async with new_server(shared) as server:
        # Not even with the password.
        done = await asyncio.to_thread(
            subprocess.run,
            [str(psql), "--no-psqlrc", server.dsn()],
            user=other,
            group=pwd.getpwnam(other).pw_gid,
            extra_groups=[],
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2
        assert "Permission denied" in done.stderr


async def test_wrong_password_is_refused(shared: Path) -> None:
    async with new_server(shared) as server:
        password = urllib.parse.unquote(server.dsn().split(":")[2].split("@")[0])
        for wrong in (server.redacted_dsn(), server.dsn().replace(f":{password}@", "@")):
            with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InterfaceError)):
                await asyncpg.connect(wrong)
        assert await value(
            server, "SELECT rolpassword LIKE 'SCRAM-SHA-256%' FROM pg_authid WHERE rolcanlogin"
        )


async def test_logs_and_texts_never_hold_the_password(shared: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with new_server(shared) as server:
        password = (shared / "postgres" / "password").read_text().strip()
        assert password in server.dsn()
        texts = [caplog.text, repr(server), server.redacted_dsn(), (shared / "postgres" / "log").read_text()]
        assert not any(password in text for text in texts)


async def test_servers_environment_holds_nothing_of_ours(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERBELL_VENDOR_KEY", "secret")
    monkeypatch.setenv("PGPORT", "7777")
    async with new_server(shared):
        environment = psutil.Process(postmaster_pid(shared)).environ()
        assert "AFTERBELL_VENDOR_KEY" not in environment
        assert "PGPORT" not in environment


async def test_processes_share_one_server_and_the_last_one_stops_it(place: Path) -> None:
    folder = place / "shared"
    with child(STAY, folder) as first, child(STAY, folder) as second, child(STAY, folder) as third:
        assert [await next_line(user) for user in (first, second, third)] == ["ready"] * 3
        pid = postmaster_pid(folder)
        for user in (first, second):
            await asyncio.to_thread(user.communicate, "\n")
            assert is_alive(pid)
        async with new_server(folder) as server:
            assert postmaster_pid(folder) == pid
            await asyncio.to_thread(third.communicate, "\n")
            assert await value(server, "SELECT 1") == 1
    await gone(pid)
    assert not is_running(folder)


async def test_users_of_one_process_share_a_server_too(shared: Path) -> None:
    async with new_server(shared) as first:
        async with new_server(shared) as second:
            assert first.dsn() == second.dsn()
        assert await value(first, "SELECT 1") == 1
    assert not is_running(shared)


async def test_server_of_a_killed_user_is_adopted_with_every_acknowledged_row(folder: Path) -> None:
    with child(WRITE, folder) as writer:
        while int(acknowledged := await next_line(writer)) < 50:
            pass
        writer.kill()
        rest = writer.stdout.read().split() if writer.stdout else []
    acknowledged = (rest or [acknowledged])[-1]
    pid = postmaster_pid(folder)
    assert is_alive(pid)
    async with new_server(folder) as server:
        assert postmaster_pid(folder) == pid
        assert await value(server, "SELECT count(*) FROM written") in (
            int(acknowledged),
            int(acknowledged) + 1,
        )
    await gone(pid)


async def test_a_copied_folder_gets_a_server_of_its_own(folder: Path, place: Path) -> None:
    async with new_server(folder) as original:
        copy = copied(folder, place / "copy")
        async with new_server(copy) as server:
            assert postmaster_pid(copy) != postmaster_pid(folder)
            assert server.dsn() != original.dsn()
            await value(server, "CREATE TABLE only_here ()")
        assert await value(original, "SELECT to_regclass('only_here')") is None


async def kill(folder: Path) -> None:
    pid = postmaster_pid(folder)
    os.kill(pid, signal.SIGKILL)
    await gone(pid)


async def write_until_killed(server: embedded.Server, pid: int) -> int:
    connection = await asyncpg.connect(server.dsn())
    await connection.execute("CREATE TABLE written (n bigint)")
    asyncio.get_running_loop().call_later(0.5, os.kill, pid, signal.SIGKILL)
    acknowledged = 0
    with contextlib.suppress(*LOST):
        while True:
            await connection.execute("INSERT INTO written SELECT generate_series(1, 100)")
            acknowledged += 100
    connection.terminate()
    return acknowledged


async def test_killed_server_comes_back_with_every_acknowledged_row(folder: Path) -> None:
    async with embedded.Server(folder, binaries=CONFIGURED) as server, new_server(folder) as other:
        assert not await server.ensure_running()
        dsn = server.dsn()
        acknowledged = await write_until_killed(server, postmaster_pid(folder))
        # Both users' watchdogs see it: one of them starts it, once.
        assert sorted(await asyncio.gather(server.ensure_running(), other.ensure_running())) == [False, True]
        assert server.dsn() == other.dsn() == dsn
        assert acknowledged > 0
        assert await value(server, "SELECT count(*) FROM written") in (acknowledged, acknowledged + 100)


async def test_killed_server_is_found_by_the_next_start(folder: Path) -> None:
    server = new_server(folder)
    await server.start()
    await kill(folder)
    await server.stop()
    async with new_server(folder) as server:
        assert await value(server, "SELECT 1") == 1


async def test_start_waits_for_the_busy_processes_of_a_killed_server(folder: Path) -> None:
    async with new_server(folder) as server:
        busy = asyncio.create_task(value(server, "SELECT count(*) FROM generate_series(1, 4000000)"))
        await asyncio.sleep(0.3)
        await kill(folder)
        assert await server.ensure_running()
        assert "shared memory block" in (folder / "postgres" / "log").read_text()
        await asyncio.wait([busy])
        assert busy.exception() is None or isinstance(busy.exception(), LOST)
        assert await value(server, "SELECT 1") == 1


async def stale_pid_file(folder: Path, pid: int) -> None:
    """As a killed server leaves it, with its number taken by another process since."""
    server = new_server(folder)
    await server.start()
    await kill(folder)
    await server.stop()
    home = folder / "postgres"
    for path in (home / "data" / "postmaster.pid", home / "run" / ".s.PGSQL.5432.lock"):
        lines = path.read_text().splitlines()
        path.write_text("\n".join([str(pid), *lines[1:]]) + "\n")


async def test_stale_pid_file_that_names_a_stranger_is_seen_through(folder: Path) -> None:
    with started("sleep", "60", user=server_user(folder)) as stranger:
        await stale_pid_file(folder, stranger.pid)
        async with new_server(folder) as server:
            assert await value(server, "SELECT 1") == 1
        assert stranger.poll() is None


async def test_stale_pid_file_that_names_a_zombie_is_seen_through(folder: Path) -> None:
    with started("true", user=server_user(folder)) as unreaped:
        await stale_pid_file(folder, unreaped.pid)
        async with new_server(folder) as server:
            assert psutil.Process(unreaped.pid).status() == psutil.STATUS_ZOMBIE
            assert await value(server, "SELECT 1") == 1


async def test_another_major_versions_data_are_refused_with_a_way_to_move_them(folder: Path) -> None:
    (folder / "postgres" / "data" / "PG_VERSION").write_text("12\n")
    with pytest.raises(errors.DatabaseUnavailable) as caught:
        await new_server(folder).start()
    text = str(caught.value)
    assert "written by PostgreSQL 12" in text
    assert "pg_dump of version 12" in text
    assert "docs/embedded-database.md" in text


async def test_another_major_versions_data_open_with_that_versions_programs(place: Path) -> None:
    used = embedded.find_binaries(CONFIGURED)
    try:
        other = next(embedded.find_binaries(major=major) for major in (16, 15, 17, 18) if major != used.major)
    except errors.DatabaseUnavailable:
        pytest.skip("needs programs of two major versions")
    async with embedded.Server(place / "data", binaries=other.bin_dir):
        pass
    async with new_server(place / "data") as server:
        assert str(await value(server, "SHOW server_version")).startswith(str(other.major))


@needs_root
async def test_closed_parent_is_named_and_left_as_it_is(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(errors.DatabaseUnavailable, match=f"{re.escape(str(closed))} is closed"):
        await new_server(closed / "inner" / "data").start()
    assert mode(closed) == 0o700
    assert list(closed.iterdir()) == []


async def test_modes_of_existing_folders_stay(folder: Path) -> None:
    folder.chmod(0o755)
    before = [mode(path) for path in (folder, *folder.parents)]
    async with new_server(folder):
        pass
    assert [mode(path) for path in (folder, *folder.parents)] == before


async def test_long_path_falls_back_to_a_short_socket_folder(shared: Path, place: Path) -> None:
    with moved(shared, place / ("long" * 30)) as folder:
        async with new_server(folder) as server, new_server(folder) as other:
            sockets = Path(urllib.parse.parse_qs(urllib.parse.urlsplit(server.dsn()).query)["host"][0])
            assert sockets.name.startswith(embedded.SHORT_PREFIX)
            assert mode(sockets) == 0o700
            assert sockets.stat().st_uid == server_user(folder)
            assert other.dsn() == server.dsn()
            await kill(folder)
            assert await other.ensure_running()
            assert await value(server, "SELECT 1") == 1
        assert not sockets.exists()


@pytest.mark.parametrize("name", ["it's 50% ü", "a,b"])
async def test_odd_folder_names_work(shared: Path, place: Path, name: str) -> None:
    with moved(shared, place / name) as folder:
        async with new_server(folder) as server:
            assert await value(server, "SELECT 1") == 1


async def test_folder_name_that_a_shell_would_expand_is_refused(place: Path) -> None:
    with pytest.raises(errors.DatabaseUnavailable, match="cannot live in"):
        await new_server(place / "$HOME").start()


async def test_lost_password_is_named(folder: Path) -> None:
    (folder / "postgres" / "password").unlink()
    with pytest.raises(errors.DatabaseUnavailable, match="postgres/password is missing"):
        await new_server(folder).start()
    assert not is_running(folder)


def wheel() -> embedded.Binaries:
    found = embedded.find_binaries()
    if found.source != "wheel":
        pytest.skip("needs the wheel of the extra afterbell[embedded]")
    return found


@pytest.fixture
def closed_wheel(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The installed wheel as it is in an environment under root's closed home."""
    install = wheel().bin_dir.parent
    package, site = install.parent, place / "home" / "site-packages"
    (place / "home").mkdir(mode=0o700)
    shutil.copytree(install, site / package.name / install.name, symlinks=True)
    shutil.copytree(package.with_name(f"{package.name}.libs"), site / f"{package.name}.libs")
    (site / package.name / "__init__.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(site)
    return site


@needs_root
async def test_programs_in_a_closed_folder_are_copied_once(closed_wheel: Path, place: Path) -> None:
    copies = []
    for _ in range(2):
        async with embedded.Server(place / "data"):
            copies.append(Path(psutil.Process(postmaster_pid(place / "data")).exe()))
    assert copies[0] == copies[1]
    assert len(list((place / "data").glob("binaries-*"))) == 1
    assert re.fullmatch(r"binaries-\d+\.\d+", copies[0].relative_to(place / "data").parts[0])
    assert mode(closed_wheel.parent) == 0o700


@needs_root
async def test_configured_programs_out_of_reach_are_named(place: Path) -> None:
    (place / "home").mkdir(mode=0o700)
    found = embedded.find_binaries(CONFIGURED)
    (place / "home" / "bin").symlink_to(found.bin_dir)
    with pytest.raises(errors.DatabaseUnavailable, match=re.escape(f"{place / 'home'} is closed")):
        await embedded.Server(place / "data", binaries=place / "home" / "bin").start()


def without_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [path for path in sys.path if "site-packages" not in path])


def test_configured_programs_come_before_the_wheel_before_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    newest = wheel()
    assert newest.major == max(
        found for found in range(15, 30) if (newest.bin_dir.parents[1] / f"pginstall{found}").exists()
    )
    assert embedded.find_binaries(newest.bin_dir.parent).source == "configured"
    assert embedded.find_binaries(newest.bin_dir) == embedded.Binaries(
        newest.bin_dir, newest.major, "configured"
    )
    without_wheel(monkeypatch)
    with contextlib.suppress(errors.DatabaseUnavailable):  # no system one on this machine
        assert embedded.find_binaries().source == "system"


def test_wanted_major_version_passes_over_the_others(place: Path) -> None:
    newest = wheel()
    with pytest.raises(errors.DatabaseUnavailable) as caught:
        embedded.find_binaries(newest.bin_dir, major=12)
    for words in (
        "PostgreSQL 12",
        f"{newest.major} ({newest.bin_dir})",
        "apt install postgresql",
        'pip install "afterbell[embedded]"',
        "database.url",
        "database.binaries",
    ):
        assert words in str(caught.value)


def test_configured_folder_without_programs_is_refused(place: Path) -> None:
    with pytest.raises(errors.DatabaseUnavailable, match=r"database\.binaries = .* does not hold"):
        embedded.find_binaries(place)


def test_default_folder_follows_the_systems_customs(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(place))
    if os.geteuid() == 0:
        assert embedded.default_folder() == Path("/var/lib/afterbell")
        return
    assert embedded.default_folder() == place / "afterbell"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert embedded.default_folder() == Path.home() / ".local" / "share" / "afterbell"
