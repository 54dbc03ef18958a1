"""One ZIP of a package: sorted, dated 1980, the same modes, so that the same files give the same bytes."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from service.exports import threads
from service.exports.writing import sums

_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a ZIP knows
_MODE = 0o100640 << 16  # a regular file, as in the folder
_IS_UNIX = 3
_PACKED = frozenset({".parquet", ".pdf", ".xlsx", ".zip", ".png"})  # deflating them again gains nothing
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    path: Path
    bytes: int
    sha256: str


def beside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.zip")


def write(folder: Path, pulse: Callable[[], None] = threads.nothing) -> Written:
    """Beside the folder; it unpacks into a folder of the same name. ``pulse``: called now and then, and may raise."""
    target = beside(folder)
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*")):
            if path.is_file():
                _add(archive, f"{folder.name}/{name}", path, pulse)
    return Written(path=target, bytes=target.stat().st_size, sha256=sums.digest(target))


def _add(archive: zipfile.ZipFile, name: str, path: Path, pulse: Callable[[], None]) -> None:
    entry = zipfile.ZipInfo(name, _DATE)
    entry.create_system = _IS_UNIX
    entry.external_attr = _MODE
    entry.compress_type = zipfile.ZIP_STORED if path.suffix in _PACKED else zipfile.ZIP_DEFLATED
    entry.file_size = path.stat().st_size  # decides on ZIP64
    with path.open("rb") as source, archive.open(entry, "w") as target:
        while chunk := source.read(_CHUNK):
            pulse()
            target.write(chunk)
