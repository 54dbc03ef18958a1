"""Loads the named queries of ``queries/*.sql``: a line ``-- name --``, a sentence, and the statement."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

_HEADING = re.compile(r"^-- ([a-z0-9_]+) --$", re.MULTILINE)


@cache
def queries() -> Mapping[str, str]:
    """Every named query. A name that is used twice is a mistake and raises ValueError."""
    found: dict[str, str] = {}
    for file in sorted((resources.files("sql") / "queries").iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".sql"):
            continue
        _, *parts = _HEADING.split(file.read_text("utf-8"))
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            if name in found:
                raise ValueError(f"sql/queries/{file.name}: the name {name} is taken")
            found[name] = text.strip()
    return MappingProxyType(found)


def migrations() -> list[tuple[str, str]]:
    """The (file name, text) of every migration, in the order they apply."""
    folder = resources.files("sql") / "migrations"
    files = (file for file in folder.iterdir() if file.name.endswith(".sql"))
    return [(file.name, file.read_text("utf-8")) for file in sorted(files, key=lambda file: file.name)]


def alert_rules() -> dict[str, str]:
    """The text of every alert rule of the product, by its name."""
    folder = resources.files("sql") / "alerts"
    return {
        file.name.removesuffix(".sql"): file.read_text("utf-8")
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".sql")
    }
