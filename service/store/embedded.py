"""The embedded PostgreSQL: one private server per folder, for every process that uses it."""

import asyncio
import contextlib
import enum
import logging
import os
import re
import secrets
import shlex
import shutil
import stat
import sys
import tempfile
import urllib.parse
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

import asyncpg

from service import errors
from service.store import embedded_binaries

Binaries = embedded_binaries.Binaries
find_binaries = embedded_binaries.find_binaries

log = logging.getLogger(__name__)

START_DEADLINE = 600  # seconds; recovery of 3 GB of write-ahead log took 18
LOCK_DEADLINE = 630.0  # seconds; another process may be starting the server all that time
LEAVE_DEADLINE = 30.0  # seconds; whoever holds the lock for longer is starting, so we are not the last
STOP_DEADLINE = 120  # seconds
CREATE_DEADLINE = 300.0  # seconds
CONNECT_DEADLINE = 10.0  # seconds
LEFTOVERS_DEADLINE = 20.0  # seconds, until a killed server's processes must have left

USER = "afterbell"
DATABASE = "postgres"
PORT = 5432  # never listened on: it names the socket
LONGEST_SOCKET_PATH = 103  # bytes: macOS's limit; Linux allows 107
SHORT_PREFIX = "afterbell-"  # of a socket folder in /tmp
POLL_INTERVAL = 0.1  # seconds
LARGEST_LOG = 10_000_000  # bytes
UNUSABLE = re.compile(r'["$`\\\n]')  # pg_ctl puts the path into a shell's command line
LEFTOVERS = re.compile(r'lock file "[^"]*" already exists|shared memory block .* still in use')
# The last one when the server dies while asyncpg sends.
LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class State(enum.Enum):
    UP = "answers"
    BUSY = "starting up or shutting down"
    GONE = "does not answer"


class _Leftovers(errors.DatabaseUnavailable):
    """Processes of a killed server are still leaving: worth another try."""


class _Locked(errors.DatabaseUnavailable):
    """Another process is starting or stopping the server."""


def default_folder() -> Path:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/afterbell")
    base = Path(os.environ.get("XDG_DATA_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".local" / "share") / "afterbell"


class Server:
    """A user's hold on the folder's server: the first one in starts it, the last one out stops it.

    Every user holds a shared lock on users.lock for its life; starting and stopping happen under start.lock.
    The kernel drops the locks of a killed process, so they cannot go stale.
    """

    def __init__(
        self,
        folder: Path,
        *,
        binaries: Path | None = None,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.folder = folder.expanduser().resolve()
        self._configured = binaries
        self._settings = dict(settings)
        self._mutex = asyncio.Lock()
        self._users: int | None = None
        self._password = ""
        self._sockets = self._home / "run"

    @property
    def _home(self) -> Path:
        return self.folder / "postgres"

    @property
    def _data(self) -> Path:
        return self._home / "data"

    @property
    def _unfinished(self) -> Path:
        return self._home / "data.new"

    @property
    def _socket(self) -> Path:
        return _socket_in(self._sockets)

    @property
    def _log(self) -> Path:
        return self._home / "log"

    def __repr__(self) -> str:
        return f"Server({str(self.folder)!r})"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def dsn(self) -> str:
        """The URL with the password: for asyncpg and libpq, never for a log."""
        return self._url(urllib.parse.quote(self._password, safe=""))

    def redacted_dsn(self) -> str:
        return self._url("***")

    def _url(self, password: str) -> str:
        host = urllib.parse.quote(str(self._sockets), safe="/")
        return f"postgresql://{USER}:{password}@/{DATABASE}?host={host}&port={PORT}"

    async def start(self) -> None:
        """Start the folder's server, or join the one that runs; a new folder gets a new database."""
        if sys.platform == "win32":
            raise errors.DatabaseUnavailable(
                "The embedded database runs on Linux and macOS: "
                "on Windows name a PostgreSQL server in database.url"
            )
        async with self._mutex:
            if self._users is None:
                with self._translated():
                    await self._join()

    async def stop(self) -> None:
        """Leave; the last user out stops the server."""
        async with self._mutex:
            if self._users is None:
                return
            try:
                with self._translated():
                    async with self._start_lock(LEAVE_DEADLINE):
                        await self._leave()
            except _Locked:
                log.info(
                    "Left the database to a process that is starting it", extra={"action": "leave_database"}
                )
            finally:
                self._drop_users_lock()

    async def ensure_running(self) -> bool:
        """Start the server again if it died; True when that was needed."""
        async with self._mutex:
            if self._users is None:
                raise errors.DatabaseUnavailable(f"The database in {self.folder} was not started")
            with self._translated():
                if await self._state() is not State.GONE:
                    return False
                async with self._start_lock(LOCK_DEADLINE):
                    return await self._bring_up()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise errors.DatabaseUnavailable(
                f"The embedded database in {self.folder} cannot be used: {error}. "
                "Run afterbell as the folder's owner, or choose another folder"
            ) from error

    async def _join(self) -> None:
        self._account = await asyncio.to_thread(self._make_folder)
        async with self._start_lock(LOCK_DEADLINE):
            # Nobody holds this one exclusively without start.lock, so it is free at once.
            self._users = _open_lock(self.folder / "users.lock")
            _try_lock(self._users, shared=True)
            try:
                await asyncio.to_thread(self._make_home)
                await self._bring_up()
            except BaseException:
                await self._leave()
                raise

    async def _leave(self) -> None:
        """Under start.lock."""
        try:
            if self._users is not None and _try_lock(self._users, shared=False):
                await self._shut_down()
        finally:
            self._drop_users_lock()

    def _drop_users_lock(self) -> None:
        if self._users is not None:
            os.close(self._users)
            self._users = None

    @contextlib.asynccontextmanager
    async def _start_lock(self, deadline: float) -> AsyncIterator[None]:
        lock = _open_lock(self.folder / "start.lock")
        try:
            await self._wait_for(lock, deadline)
            yield
        finally:
            os.close(lock)

    async def _wait_for(self, lock: int, deadline: float) -> None:
        try:
            async with asyncio.timeout(deadline):
                while not _try_lock(lock, shared=False):  # noqa: ASYNC110 - another process has no event
                    await asyncio.sleep(POLL_INTERVAL)
        except TimeoutError:
            raise _Locked(
                f"Another process has been starting or stopping the database in {self.folder} "
                f"for {deadline:.0f} s: look at the log of the other afterbell, or end it"
            ) from None

    async def _bring_up(self) -> bool:
        """Under start.lock: see to a server that answers; True when it was started here."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + LEFTOVERS_DEADLINE
        while await self._settled_state() is State.GONE:
            if not self._data.exists():
                await self._create()
            try:
                await self._launch()
            except _Leftovers:
                if loop.time() > give_up_at:
                    raise
                await asyncio.sleep(POLL_INTERVAL)
                continue
            await self._verify()
            return True
        return False

    async def _verify(self) -> None:
        if await self._settled_state() is not State.UP:
            raise errors.DatabaseUnavailable(
                f"PostgreSQL started but takes no connection at {self._sockets}. {self._last_words(0)}"
            )

    async def _settled_state(self) -> State:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_DEADLINE):
                while (state := await self._state()) is State.BUSY:  # noqa: ASYNC110 - the server has no event
                    await asyncio.sleep(POLL_INTERVAL)
                return state
        raise errors.DatabaseUnavailable(
            f"The database in {self.folder} is still starting up or shutting down after {START_DEADLINE} s. "
            f"{self._last_words(0)}"
        )

    async def _state(self) -> State:
        """Believes a real connection, never the pid file, which only says where to try."""
        pid_file = embedded_binaries.PidFile.read(self._data)
        if pid_file is None or pid_file.sockets is None or not pid_file.is_for(self._data):
            return State.GONE
        self._sockets = pid_file.sockets
        self._password = self._read_password()
        try:
            connection = await asyncpg.connect(self.dsn(), timeout=CONNECT_DEADLINE, ssl=False)
        except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
            raise errors.DatabaseUnavailable(
                f"The server in {self.folder} refuses the password in {self._home / 'password'}: "
                "put back the file that belongs to this database"
            ) from error
        except asyncpg.CannotConnectNowError:
            return State.BUSY
        except asyncpg.TooManyConnectionsError:
            return State.UP
        except LOST:
            return State.GONE
        with contextlib.suppress(*LOST):
            await connection.close(timeout=CONNECT_DEADLINE)
        return State.UP

    def _read_password(self) -> str:
        try:
            return (self._home / "password").read_text("utf-8", "replace").strip()
        except FileNotFoundError as error:
            raise errors.DatabaseUnavailable(
                f"{self._home / 'password'} is missing: put it back from a backup of the folder"
            ) from error

    def _make_folder(self) -> embedded_binaries.Account:
        """Make the folder if it is not there; an existing one, and every parent, keeps its mode."""
        if UNUSABLE.search(str(self.folder)):
            raise errors.DatabaseUnavailable(
                f"The database cannot live in {self.folder}: pg_ctl mistakes quotes, $, ` and \\ in a path"
            )
        account = embedded_binaries.account_for(self._home)
        closed = embedded_binaries.closed_folder(self.folder, account)
        if closed is not None:
            raise errors.DatabaseUnavailable(
                f"{closed} is closed to the user {account.name}, who runs PostgreSQL because root must not: "
                f"choose a folder outside it (such as {default_folder()}), "
                f"or open it yourself (chmod a+x {closed})"
            )
        missing = [folder for folder in (self.folder, *self.folder.parents) if not folder.exists()]
        for folder in reversed(missing):
            # Not by mkdir's argument, which the umask narrows; root's lets the server's user through.
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
                folder.chmod(0o711 if account.is_other else 0o700)
        return account

    def _make_home(self) -> None:
        for folder in (self._home, self._home / "run"):
            if not folder.exists():
                beside = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
                os.chown(beside, self._account.uid, self._account.gid, follow_symlinks=False)
                beside.rename(folder)

    async def _create(self) -> None:
        bin_dir = await asyncio.to_thread(self._programs)
        password = self._home / "password"
        # One left by an attempt that was cut short may be empty, and opens nothing.
        password.unlink(missing_ok=True)
        embedded_binaries.write_owned(password, secrets.token_urlsafe(32) + "\n", self._account)
        code, output = 1, ""
        for locale in ("C.UTF-8", "C"):  # older systems know only the second
            code, output = await self._initdb(bin_dir, locale, password)
            if code == 0 or "invalid locale" not in output:
                break
        if code != 0:
            raise errors.DatabaseUnavailable(
                f"PostgreSQL could not make a database in {self._home}: {output.strip()}"
            )
        # Only a finished one gets the name: one that was cut short never looks like a database.
        self._unfinished.rename(self._data)
        log.info("Made a new database in %s", self.folder, extra={"action": "create_database"})

    async def _initdb(self, bin_dir: Path, locale: str, password: Path) -> tuple[int, str]:
        await asyncio.to_thread(shutil.rmtree, self._unfinished, ignore_errors=True)
        return await embedded_binaries.run(
            [
                bin_dir / "initdb",
                f"--pgdata={self._unfinished}",
                f"--username={USER}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                f"--locale={locale}",
                "--data-checksums",
            ],
            self._account,
            CREATE_DEADLINE,
        )

    async def _launch(self) -> None:
        bin_dir = await asyncio.to_thread(self._programs)
        self._sockets = await asyncio.to_thread(self._socket_folder)
        await asyncio.to_thread(embedded_binaries.disown, self._data, self._socket, self._account)
        length = self._trimmed_log()
        options = ("-l", str(self._log), "-o", self._options())
        code, output = await self._pg_ctl(bin_dir, "start", START_DEADLINE, *options)
        if code == 0:
            log.info("Started PostgreSQL in %s", self.folder, extra={"action": "start_database"})
            return
        words = self._last_words(length)
        kind = _Leftovers if LEFTOVERS.search(words) else errors.DatabaseUnavailable
        raise kind(f"PostgreSQL did not start in {self.folder}: {output.strip()}. {words}")

    async def _pg_ctl(self, bin_dir: Path, action: str, deadline: int, *options: str) -> tuple[int, str]:
        # It keeps the deadline itself, with a better message; ours is for when it hangs.
        arguments = (action, "-w", "-t", str(deadline), "-D", str(self._data), *options)
        return await embedded_binaries.run([bin_dir / "pg_ctl", *arguments], self._account, deadline + 30)

    def _options(self) -> str:
        settings = self._settings | {
            "timezone": "UTC",
            "log_timezone": "UTC",
            "lc_messages": "C",  # its messages are recognised by their text
            "listen_addresses": "",
            "port": str(PORT),
            # A list: quoted, a space in the path stays part of it.
            "unix_socket_directories": f'"{self._sockets}"',
            "unix_socket_permissions": "0700",
        }
        return " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())

    def _programs(self) -> Path:
        """The bin folder for this data; another major version cannot open it."""
        try:
            major = int((self._data / "PG_VERSION").read_text("ascii"))
        except (FileNotFoundError, ValueError):
            major = None
        try:
            found = embedded_binaries.find_binaries(self._configured, major=major)
        except errors.DatabaseUnavailable as error:
            if major is None:
                raise
            raise errors.DatabaseUnavailable(f"{error}. {_how_to_move(self._home, major)}") from error
        return embedded_binaries.runnable(found, self._account, self.folder)

    def _socket_folder(self) -> Path:
        """The one next to the data; where that path is too long, a short one, kept while it is still ours.

        Other users of the server find it in the fifth line of postmaster.pid.
        """
        # The last one seen, from a stale postmaster.pid or an earlier start: with it, DSNs stay valid.
        for folder in (self._home / "run", self._sockets):
            if _fits(folder) and _is_private(folder, self._account):
                return folder
        # Not in TMPDIR, which may be long itself.
        short = Path(tempfile.mkdtemp(prefix=SHORT_PREFIX, dir="/tmp"))
        os.chown(short, self._account.uid, self._account.gid, follow_symlinks=False)
        return short

    async def _shut_down(self) -> None:
        pid_file = embedded_binaries.PidFile.read(self._data)
        if pid_file is None or not embedded_binaries.may_be_server(pid_file.pid, self._data):
            return
        bin_dir = await asyncio.to_thread(self._programs)
        code, output = await self._pg_ctl(bin_dir, "stop", STOP_DEADLINE, "-m", "fast")
        if code != 0 and embedded_binaries.may_be_server(pid_file.pid, self._data):
            raise errors.DatabaseUnavailable(
                f"PostgreSQL in {self.folder} (process {pid_file.pid}) did not stop: {output.strip()}. "
                f"{self._last_words(0)}"
            )
        if pid_file.sockets and pid_file.sockets.name.startswith(SHORT_PREFIX):
            with contextlib.suppress(OSError):
                pid_file.sockets.rmdir()
        log.info("Stopped PostgreSQL in %s", self.folder, extra={"action": "stop_database"})

    def _trimmed_log(self) -> int:
        """The log's length, after putting a long one aside: PostgreSQL only ever appends."""
        try:
            length = self._log.stat().st_size
        except FileNotFoundError:
            return 0
        if length < LARGEST_LOG:
            return length
        self._log.rename(self._log.with_name("log.1"))
        return 0

    def _last_words(self, after: int) -> str:
        try:
            with self._log.open("rb") as file:
                file.seek(max(after, self._log.stat().st_size - 20_000))
                lines = file.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            lines = []
        return f"The last lines of {self._log}:\n" + "\n".join(lines[-12:])


def _how_to_move(home: Path, major: int) -> str:
    return (
        f"The data in {home} were written by PostgreSQL {major}, which no other major version can open. "
        f"Either make PostgreSQL {major} available (its bin folder in database.binaries), or move the "
        f"data: dump them with the pg_dump of version {major} while its server runs, rename {home}, "
        "start afterbell once for a new database, and load the dump with psql; "
        "docs/embedded-database.md has the commands"
    )


def _fits(folder: Path) -> bool:
    # asyncpg and libpq take a comma for the end of a host's name.
    path = os.fsencode(_socket_in(folder))
    return len(path) <= LONGEST_SOCKET_PATH and b"," not in path


def _socket_in(folder: Path) -> Path:
    return folder / f".s.PGSQL.{PORT}"


def _is_private(folder: Path, account: embedded_binaries.Account) -> bool:
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == account.uid and not status.st_mode & 0o077


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def _try_lock(lock: int, *, shared: bool) -> bool:
    import fcntl  # not on Windows

    try:
        fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
