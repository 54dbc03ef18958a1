"""The files of a folder with their SHA-256, as ``sha256sum -c`` reads them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

NAME = "SHA256SUMS"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    path: str  # relative, with /
    bytes: int
    sha256: str


def of(folder: Path) -> tuple[File, ...]:
    """By path; whatever lies in the folder."""
    found = sorted(
        (path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file()
    )
    return tuple(File(path=name, bytes=path.stat().st_size, sha256=digest(path)) for name, path in found)


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lines(files: Iterable[File]) -> bytes:
    return "".join(f"{file.sha256}  {file.path}\n" for file in files).encode()
