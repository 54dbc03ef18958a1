"""The files of a OneRoster export: a zip or a folder, of which only the files that are named are ever opened."""

import contextlib
import hashlib
import io
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from service import errors
from service.imports import frame

LARGEST_FILE = 2 * 2**30  # bytes, unpacked: the enrollments of two million students
LONGEST_LINE = 1_000_000  # characters

_SPOILED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Package(ABC):
    """``files``: what each file is called here, by its name in lower case."""

    path: Path
    files: dict[str, str]

    def __contains__(self, name: str) -> bool:
        return name.lower() in self.files

    @contextlib.contextmanager
    def lines(self, name: str) -> Iterator[Iterator[str]]:
        """The lines of a file. Raises ImportRejected, here or while they are read."""
        with contextlib.ExitStack() as stack:
            with _readable(name):
                file = stack.enter_context(self._opened(self.files[name.lower()]))
            text = stack.enter_context(io.TextIOWrapper(file, encoding="utf-8-sig", newline=""))
            yield _lines(name, text)

    @abstractmethod
    def checksum(self, names: Sequence[str]) -> str:
        """SHA-256 of what the import reads."""

    @abstractmethod
    def _opened(self, file: str) -> contextlib.AbstractContextManager[IO[bytes]]: ...


@dataclass(frozen=True, slots=True)
class Folder(Package):
    def checksum(self, names: Sequence[str]) -> str:
        found = (self.path / self.files[name.lower()] for name in sorted(names) if name in self)
        parts = (f"{path.name.lower()} {frame.checksum(path)}\n" for path in found)
        return hashlib.sha256("".join(parts).encode()).hexdigest()

    def _opened(self, file: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        path = self.path / file
        _refuse_large(file, path.stat().st_size)
        return path.open("rb")


@dataclass(frozen=True, slots=True)
class Zip(Package):
    archive: zipfile.ZipFile

    def checksum(self, names: Sequence[str]) -> str:
        return frame.checksum(self.path)

    def _opened(self, file: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        member = self.archive.getinfo(file)
        _refuse_large(file, member.file_size)  # zipfile reads no byte beyond what the member says
        if member.flag_bits & 1:
            raise errors.ImportRejected(
                f"{self.path.name} is protected by a password: unpack it and name the folder"
            )
        return self.archive.open(member)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Package]:
    """Raises ImportRejected where the path is neither a folder nor a zip with files in its root."""
    if path.is_dir():
        yield Folder(path, _by_name(entry.name for entry in sorted(path.iterdir()) if entry.is_file()))
        return
    with contextlib.ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
        except zipfile.BadZipFile as error:
            raise errors.ImportRejected(
                f"{path.name} is no zip: name the zip of the export, or the folder that holds its files"
            ) from error
        except OSError as error:
            raise errors.ImportRejected(f"cannot read {path}: {error.strerror or error}") from error
        yield Zip(path, _in_root(archive, path.name), archive)


def _in_root(archive: zipfile.ZipFile, name: str) -> dict[str, str]:
    members = [member.filename for member in archive.infolist() if not member.is_dir()]
    found = _by_name(member for member in members if "/" not in member)
    nested = next(
        (member for member in members if member.lower().endswith(("/manifest.csv", "/users.csv"))), None
    )
    if nested and not found.keys() & {"manifest.csv", "users.csv"}:
        raise errors.ImportRejected(
            f"the files of {name} are in a folder of the zip: zip the files themselves, or unpack it and name "
            "the folder"
        )
    return found


def _by_name(names: Iterator[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        if name.lower().endswith(".csv") and found.setdefault(name.lower(), name) is not name:
            raise errors.ImportRejected(f"{name} is there twice: keep one of them")
    return found


def _refuse_large(name: str, size: int) -> None:
    if size > LARGEST_FILE:
        raise errors.ImportRejected(f"{name} has {size:,} bytes unpacked; at most {LARGEST_FILE:,} are read")


def _lines(name: str, file: io.TextIOWrapper) -> Iterator[str]:
    """Line by line, so that a file without line ends does not fill the memory."""
    with _readable(name):
        while line := file.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                raise errors.ImportRejected(
                    f"{name} has a line of more than {LONGEST_LINE:,} characters: it is no CSV"
                )
            yield line


@contextlib.contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise errors.ImportRejected(
            f"{name} is not UTF-8, as OneRoster files are: have the export made in UTF-8"
        ) from error
    except _SPOILED as error:
        raise errors.ImportRejected(
            f"{name} cannot be unpacked: make the export again, or copy it again"
        ) from error
    except OSError as error:
        raise errors.ImportRejected(f"cannot read {name}: {error.strerror or error}") from error
