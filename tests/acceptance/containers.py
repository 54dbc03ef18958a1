"""A container without an image: a root folder of its own on this machine's programs, by namespaces. Needs root, Linux.

What a container is held to holds here: its user, no capability, a root that cannot be written, its mounts and no
others. Those of one ``Network`` share a loopback device that nobody else has, so that ports are as they are written.
"""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests import conftest

HOSTS = ("database", "service", "prometheus", "alertmanager", "grafana")
_PROGRAMS = ("usr", "bin", "sbin", "lib", "lib32", "lib64")
_COPIED = (
    "alternatives",
    "ca-certificates",
    "default",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "login.defs",
    "pip.conf",
    "pki",
    "resolv.conf",
    "ssl",
)
_USERS = {"root": 0, "postgres": 999, "nobody": 65534}
_LOOPBACK = (
    "import fcntl, socket, struct, time\n"
    "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh14x', b'lo', 0x41))\n"  # SIOCSIFFLAGS: up, running
    "print('up', flush=True)\n"
    "time.sleep(86400)\n"
)


def required() -> None:
    """Skip the test where namespaces cannot be made; in CI it fails."""
    tried = subprocess.run(["unshare", "--mount", "--net", "true"], capture_output=True, check=False)
    if os.geteuid() != 0 or tried.returncode != 0:
        conftest.missing_program(
            "a namespace", "run the tests as root, on Linux, where unshare(2) is allowed"
        )


@dataclass(frozen=True)
class Network:
    """A network that has a loopback device, and nothing else."""

    pid: int

    def command(self, arguments: Sequence[str]) -> list[str]:
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", *arguments]

    def ask(self, url: str, *, token: str | None = None) -> tuple[int, str]:
        """The status and the body of a page; redirects are not followed."""
        asked = ["curl", "--silent", "--max-time", "10", "--write-out", "\n%{http_code}"]
        asked += [] if token is None else ["--header", f"Authorization: Bearer {token}"]
        told = subprocess.run(
            self.command([*asked, url]), capture_output=True, text=True, check=False, timeout=20
        )
        body, _, status = told.stdout.rpartition("\n")
        return int(status or 0), body


@contextlib.contextmanager
def network() -> Iterator[Network]:
    with subprocess.Popen(
        ["unshare", "--net", sys.executable, "-c", _LOOPBACK], stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "up\n"
            yield Network(holder.pid)
        finally:
            holder.kill()


@dataclass(frozen=True, kw_only=True)
class Mount:
    source: Path
    target: str
    is_read_only: bool = True


@dataclass(frozen=True, kw_only=True)
class Container:
    """``root`` as ``made_root`` made it; ``user`` "uid:gid", None: root with all that it may."""

    root: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    folder: str = "/"
    mounts: Sequence[Mount] = ()
    tmpfs: Sequence[str] = ()  # PATH:OPTIONS
    is_read_only: bool = False
    network: Network | None = None

    def command(self, arguments: Sequence[str]) -> list[str]:
        """What runs the arguments in the container; the process that it starts becomes theirs."""
        script = "\n".join(
            ["set -e", "mount --make-rprivate /", *self._mounting(), self._entering(arguments)]
        )
        alone = ["unshare", "--mount", "/bin/sh", "-c", script]
        return alone if self.network is None else self.network.command(alone)

    def inside(self, pid: int, arguments: Sequence[str]) -> list[str]:
        """What runs the arguments beside a process of the container, as ``docker exec`` does."""
        entered = ["nsenter", f"--target={pid}", "--mount", "--net", "--root"]
        return [*entered, *self._held(), *arguments]

    def run(self, *arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(arguments), capture_output=True, text=True, check=False, timeout=seconds
        )

    def _mounting(self) -> Iterator[str]:
        root = shlex.quote(str(self.root))
        yield f"mount --bind {root} {root}"
        for source, target, is_read_only in [*_machine(), *_told(self.mounts)]:
            yield from _bound(source, self._place(target, is_file=source.is_file()), is_read_only)
        yield from (f"mount --rbind /{name} {root}/{name}" for name in ("dev", "proc"))
        for told in self.tmpfs:
            path, _, options = told.partition(":")
            yield f"mount -t tmpfs -o {shlex.quote(options or 'rw')} tmpfs {shlex.quote(str(self._place(path)))}"
        if self.is_read_only:
            yield f"mount -o remount,bind,ro {root}"

    def _place(self, target: str, *, is_file: bool = False) -> Path:
        """Where something is mounted; links lead on inside the root."""
        place = self.root
        for part in Path(target).parts[1:]:
            place = place / part
            if place.is_symlink():
                place = self.root / place.readlink().as_posix().lstrip("/")
        (place.parent if is_file else place).mkdir(parents=True, exist_ok=True)
        if is_file:
            place.touch()
        return place

    def _entering(self, arguments: Sequence[str]) -> str:
        return f"exec {shlex.join(['chroot', str(self.root), *self._held(), *arguments])}"

    def _held(self) -> list[str]:
        """What holds a process to the container's user, without any capability, and to its environment."""
        known = [f"{name}={value}" for name, value in self.environment.items()]
        entered = ["env", "-i", "-C", self.folder, *known]
        if self.user is None:
            return entered
        uid, gid = self.user.split(":")
        ids = [f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]
        return ["setpriv", *ids, "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", *entered]


def _told(mounts: Sequence[Mount]) -> list[tuple[Path, str, bool]]:
    return [(one.source, one.target, one.is_read_only) for one in mounts]


def _machine() -> list[tuple[Path, str, bool]]:
    """This machine's programs."""
    own = [Path(sys.base_prefix)] if not sys.base_prefix.startswith("/usr") else []
    found = [Path("/", name) for name in _PROGRAMS]
    return [(path, str(path), True) for path in [*found, *own] if path.is_dir() and not path.is_symlink()]


def _bound(source: Path, place: Path, is_read_only: bool) -> Iterator[str]:
    at = shlex.quote(str(place))
    yield f"mount --bind {shlex.quote(str(source))} {at}"
    if is_read_only:
        yield f"mount -o remount,bind,ro {at}"


def made_root(root: Path) -> Path:
    """A new root folder: this machine's programs will be mounted into it, and nothing else of the machine is there."""
    for name in ("dev", "proc", "etc", "run", "tmp", "var/tmp", "usr", "opt/python/bin"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    (root / "var" / "run").symlink_to("/run")
    for name in _PROGRAMS:
        if (path := Path("/", name)).is_symlink():
            (root / name).symlink_to(path.readlink())
    (root / "opt/python/bin/python").symlink_to(
        Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
    )
    _fill_etc(root / "etc")
    return root


def _fill_etc(etc: Path) -> None:
    for name in _COPIED:
        source = Path("/etc", name)
        if source.is_dir():
            shutil.copytree(source, etc / name, symlinks=True)
        elif source.exists():
            shutil.copy(source, etc / name)
    users = "".join(f"{name}:x:{number}:{number}::/:/bin/sh\n" for name, number in _USERS.items())
    (etc / "passwd").write_text(users)
    (etc / "group").write_text("".join(f"{name}:x:{number}:\n" for name, number in _USERS.items()))
    (etc / "nsswitch.conf").write_text("hosts: files dns\n")
    (etc / "hosts").write_text("".join(f"127.0.0.1 {name}\n" for name in ("localhost", *HOSTS)))
