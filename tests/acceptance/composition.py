"""docker-compose.yml as docker-compose reads it, and its services as containers on this machine's programs."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from tests import conftest
from tests.acceptance import containers, dockerfile

ROOT = Path(__file__).parents[2]
DATA = "/var/lib/postgresql/data"
_PROGRAMS = "/usr/local/bin:/usr/bin:/bin"
_IMAGES = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager"}  # the entrypoint of each
_LOOK_SECONDS = 0.2
_HEALTHY_SECONDS = 120.0

Done = subprocess.CompletedProcess[str]


def compose() -> str:
    found = shutil.which("docker-compose")
    if found is None:
        conftest.missing_program("docker-compose", "apt-get install docker-compose")
    assert found is not None
    return found


def read(*more: Path, env_file: Path = ROOT / ".env.example") -> dict[str, Any]:
    """What docker-compose makes of the file, of those that follow it, and of the environment."""
    files = [ROOT / "docker-compose.yml", *more]
    named = [word for path in files for word in ("--file", str(path))]
    known = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    told = subprocess.run(
        [compose(), "--project-directory", str(ROOT), "--env-file", str(env_file), *named, "config"],
        capture_output=True,
        text=True,
        check=False,
        env=known,
    )
    assert told.returncode == 0, told.stderr
    assert "WARNING" not in told.stderr, told.stderr
    parsed: dict[str, Any] = yaml.safe_load(told.stdout)
    return parsed


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Its services, their volumes and secrets in ``folder``; nothing is started yet."""

    told: Mapping[str, Any]
    folder: Path
    image: dockerfile.Image
    network: containers.Network
    started: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def secret(self, name: str) -> Path:
        return self.folder / "secrets" / name

    def service(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.told["services"][name]
        return found

    def container(self, name: str) -> containers.Container:
        """As the file tells of it; a root of its own."""
        of = self.service(name)
        root = self.image.root if self._is_ours(name) else self.folder / f"root-{name}"
        if not root.exists():
            containers.made_root(root)
        return containers.Container(
            root=root,
            environment=self._environment(name),
            user=of["user"],
            folder=self.image.folder if self._is_ours(name) else "/",
            mounts=[*self._volumes(of), *self._secrets(of)],
            tmpfs=of["tmpfs"],
            is_read_only=of["read_only"],
            network=self.network,
        )

    def _is_ours(self, name: str) -> bool:
        return str(self.service(name)["image"]).startswith("afterbell:")

    def _environment(self, name: str) -> dict[str, str]:
        own = self.image.environment if self._is_ours(name) else _environment_of(name)
        return {
            **own,
            **{key: str(value) for key, value in self.service(name).get("environment", {}).items()},
        }

    def _volumes(self, of: Mapping[str, Any]) -> Iterator[containers.Mount]:
        for told in of["volumes"]:
            source, target, mode = told.split(":")
            is_folder = source.startswith("/")
            path = Path(source) if is_folder else self._volume(source, of["user"])
            yield containers.Mount(source=path, target=target, is_read_only=mode == "ro")

    def _volume(self, name: str, user: str) -> Path:
        """A new volume takes after the image's folder, which is its user's."""
        path = self.folder / "volumes" / name
        if not path.exists():
            path.mkdir(parents=True, mode=0o750)
            os.chown(path, *map(int, user.split(":")))
        return path

    def _secrets(self, of: Mapping[str, Any]) -> Iterator[containers.Mount]:
        for told in of.get("secrets", ()):
            yield containers.Mount(
                source=self.secret(told["source"]), target=f"/run/secrets/{told['source']}"
            )

    def command(self, name: str) -> list[str]:
        """The entrypoint of the image, and the command of the file."""
        entrypoint = self.image.entrypoint if self._is_ours(name) else []
        return [*entrypoint, *([_IMAGES[name]] if name in _IMAGES else []), *self.service(name)["command"]]

    def is_healthy(self, name: str) -> bool:
        """What its health check says, run where Docker would run it."""
        kind, *test = self.service(name)["healthcheck"]["test"]
        assert kind == "CMD"
        return self.container(name).run(*test, seconds=60).returncode == 0

    def run(self, name: str, *arguments: str, volumes: Sequence[str] = ()) -> Done:
        """``docker compose run --rm NAME ARGUMENTS``, for a service of ours."""
        at = self.container(name)
        more = [containers.Mount(source=Path(one.split(":")[0]), target=one.split(":")[1]) for one in volumes]
        return replace(at, mounts=[*at.mounts, *more]).run(*self.image.entrypoint, *arguments, seconds=120)

    def exec(self, name: str, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """``docker compose exec -T NAME ARGUMENTS``, for a service that runs."""
        inside = self.container(name).inside(self.started[name].pid, arguments)
        return subprocess.run(inside, input=given, capture_output=True, check=False, timeout=120)

    def start(self, name: str) -> None:
        """Until it is healthy."""
        log = self.folder / f"{name}.log"
        with log.open("ab") as output:
            arguments = self.container(name).command(self.command(name))
            process = subprocess.Popen(arguments, stdout=output, stderr=output)
        self.started[name] = process
        self._wait(name, process, log)

    def stop(self, name: str) -> int:
        """Told to stop as Docker tells it; its exit code."""
        process = self.started.pop(name)
        process.terminate()
        try:
            return process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise

    def stop_all(self) -> None:
        for name in reversed(list(self.started)):
            self.stop(name)

    def _wait(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        deadline = time.monotonic() + _HEALTHY_SECONDS
        while not self.is_healthy(name):
            assert process.poll() is None, f"{name} ended:\n{log.read_text('utf-8', 'replace')}"
            assert time.monotonic() < deadline, f"{name} is not healthy:\n{log.read_text('utf-8', 'replace')}"
            time.sleep(_LOOK_SECONDS)

    def make_database(self) -> None:
        """What the image's entrypoint does once: the data, a server that only its socket reaches, the scripts."""
        at = self.container("database")
        script = f"""
            initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" $POSTGRES_INITDB_ARGS
            pg_ctl --wait --options="-c listen_addresses=''" start
            for script in /docker-entrypoint-initdb.d/*; do "$script"; done
            pg_ctl --wait --mode=fast stop
            chmod 700 {DATA}
        """
        done = at.run("/bin/sh", "-euc", script, seconds=120)
        assert done.returncode == 0, done.stdout + done.stderr


def _environment_of(name: str) -> dict[str, str]:
    """As others' images have it."""
    if name == "database":
        return {"PATH": f"{_postgres()}:{_PROGRAMS}", "PGDATA": DATA}
    return {"PATH": _PROGRAMS}


def _postgres() -> Path:
    """Debian's programs, the newest."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/psql"), key=lambda path: int(path.parts[-3]))
    if not found:
        conftest.missing_program("postgres", "apt-get install postgresql")
    return found[-1].parent


@contextlib.contextmanager
def stack(folder: Path, image: dockerfile.Image) -> Iterator[Stack]:
    subprocess.run([ROOT / "deploy" / "make-secrets", folder / "secrets"], check=True, capture_output=True)
    with containers.network() as network:
        made = Stack(told=read(), folder=folder, image=image, network=network)
        try:
            yield made
        finally:
            made.stop_all()


def programs(names: Sequence[str]) -> None:
    """Skip the test where a program is missing; in CI it fails."""
    for name in names:
        if shutil.which(name) is None:
            package = {"prometheus": "prometheus", "wget": "wget", "curl": "curl"}.get(name, name)
            conftest.missing_program(name, f"apt-get install {package}")
