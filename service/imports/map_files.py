"""Maps of files: TOML, shipped by name or written by the district."""

import tomllib
from collections.abc import Sequence
from importlib import resources
from importlib.resources import abc
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from service import errors

Map = TypeVar("Map", bound=BaseModel)


def shipped(folder: str) -> list[str]:
    """The names of the maps of a kind: a folder of ``maps``."""
    files = _folder(folder).iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def load(kind: type[Map], folder: str, name: str) -> Map:
    """A shipped map by name, or a file's. Raises ConfigError that lists every mistake in it."""
    try:
        return kind(**_read(folder, name))
    except ValidationError as error:
        raise errors.ConfigError(_explained(name, error)) from error


def _read(folder: str, name: str) -> dict[str, Any]:
    known = shipped(folder)
    shipped_file = _folder(folder) / f"{name}.toml"
    text = shipped_file.read_text("utf-8") if name in known else _text(Path(name), known)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise errors.ConfigError(f"the map {name} is not valid TOML: {error}") from error


def _folder(folder: str) -> abc.Traversable:
    return resources.files("service.imports") / "maps" / folder


def _text(path: Path, known: Sequence[str]) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise errors.ConfigError(
            f"there is no map {path}: name a file, or one of {', '.join(known)}"
        ) from error


def _explained(name: str, error: ValidationError) -> str:
    lines = [f"the map {name} has {error.error_count()} mistake(s)"]
    for item in error.errors(include_url=False, include_input=False):
        where = ".".join(str(part) for part in item["loc"]) or "the map"
        what = "there is no such setting" if item["type"] == "extra_forbidden" else item["msg"]
        lines.append(f"  {where}: {what.removeprefix('Value error, ')}")
    return "\n".join(lines)
