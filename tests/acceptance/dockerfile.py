"""The Dockerfile, carried out on this machine's Python: every RUN runs, every COPY copies, in a root of its own."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import conftest
from tests.acceptance import containers

ROOT = Path(__file__).parents[2]
PATH = "/opt/python/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MINUTES = 10
_HOME = "/opt/builder"
_AWAY = re.compile(
    r"Temporary failure in name resolution|NewConnectionError|ConnectTimeout|No matching distribution found"
)


@dataclass
class Image:
    """What a stage has come to."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    folder: str = "/"
    user: str | None = None
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)
    ports: list[str] = field(default_factory=list)


def parsed(text: str) -> list[tuple[str, str]]:
    """Every instruction with what it is given."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\n", " ", "\n".join(lines))
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in whole.splitlines())]


def built(folder: Path) -> Image:
    """The last stage of the project's Dockerfile."""
    context = _context(folder / "context")
    stages: dict[str, Image] = {}
    image = Image(folder)
    for word, given in parsed((ROOT / "Dockerfile").read_text("utf-8")):
        if word == "FROM":
            _, _, name = given.partition(" AS ")
            image = Image(containers.made_root(folder / f"stage-{len(stages)}"))
            stages[name or str(len(stages))] = image
        else:
            _carried_out(word, given, image, context=context, stages=stages)
    return image


def _context(folder: Path) -> Path:
    """What is left of the checkout by .dockerignore, as docker-compose itself reads that."""
    reading = (
        "import pathlib, sys; from docker.utils.build import exclude_paths\n"
        "told = pathlib.Path('.dockerignore').read_text().splitlines()\n"
        "print(*sorted(exclude_paths('.', [it for it in told if it and not it.startswith('#')])), sep='\\n')"
    )
    done = subprocess.run(
        ["/usr/bin/python3", "-c", reading], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        conftest.missing_program("docker-compose", "apt-get install docker-compose")
    for name in done.stdout.split("\n"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def _carried_out(word: str, given: str, image: Image, *, context: Path, stages: dict[str, Image]) -> None:
    match word:
        case "ENV":
            for name, _, value in (told.partition("=") for told in shlex.split(given)):
                image.environment[name] = value.replace("$PATH", image.environment["PATH"])
        case "WORKDIR":
            image.folder = given
            (image.root / given.lstrip("/")).mkdir(parents=True, exist_ok=True)
        case "COPY":
            _copy(given.split(), image, context=context, stages=stages)
        case "RUN":
            _run(given, image)
        case _:
            _told(word, given, image)


def _told(word: str, given: str, image: Image) -> None:
    """What an image says of how it is run."""
    match word:
        case "USER":
            image.user = given
        case "EXPOSE":
            image.ports.append(given)
        case "HEALTHCHECK":
            image.healthcheck = _list(given.partition("CMD ")[2])
        case "ENTRYPOINT":
            image.entrypoint = _list(given)
        case "CMD":
            image.command = _list(given)
        case _:
            raise AssertionError(f"the test does not know {word}")


def _list(given: str) -> list[str]:
    told: Any = json.loads(given)
    return [str(word) for word in told]


def _copy(words: Sequence[str], image: Image, *, context: Path, stages: dict[str, Image]) -> None:
    source = context
    if words[0].startswith("--from="):
        source, words = stages[words[0].removeprefix("--from=")].root, words[1:]
    *names, last = words
    target = image.root / str(Path(image.folder, last)).lstrip("/")
    for name in names:
        found = source / name.lstrip("/")
        assert found.exists(), f"COPY {name}: it is not there, or .dockerignore leaves it out"
        if found.is_dir():
            shutil.copytree(found, target, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy(found, target / found.name if last.endswith("/") else target)


def _run(line: str, image: Image) -> None:
    environment = {**_index(), **image.environment, "HOME": _HOME}
    environment.pop("PIP_NO_CACHE_DIR", None)  # it keeps the image small; here the cache saves minutes
    at = containers.Container(
        root=image.root, environment=environment, folder=image.folder, mounts=[*_index_mounts()]
    )
    done = at.run("/bin/sh", "-c", line, seconds=60 * _MINUTES)
    said = done.stdout + done.stderr
    if done.returncode and _AWAY.search(said):
        conftest.missing_program("the package index", "pip cannot reach one from here")
    assert done.returncode == 0, f"RUN {line}\n{said}"


def _index() -> dict[str, str]:
    """How pip reaches packages on this machine."""
    names = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    return {
        name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.upper() in names
    }


def _index_mounts() -> Iterator[containers.Mount]:
    for path in Path("/opt").iterdir():
        if path.is_dir() and path.name not in ("afterbell", "builder", "python"):
            yield containers.Mount(source=path, target=str(path))
    if (settings := Path.home() / ".config" / "pip").is_dir():
        yield containers.Mount(source=settings, target=f"{_HOME}/.config/pip")
    if (cache := Path.home() / ".cache" / "pip").is_dir():
        yield containers.Mount(source=cache, target=f"{_HOME}/.cache/pip", is_read_only=False)
