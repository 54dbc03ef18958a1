"""NCES's national files: only the rows of the district's own schools, whatever the file's size."""

import contextlib
import csv
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from service import errors
from service.imports import cells, columns, rows, tables

_BLOCK = 1 << 22  # bytes read at a time
_ENCODING = "latin-1"  # names have accents; the columns that are read have none
_BOM = b"\xef\xbb\xbf"
_LEAID = 7  # digits of the district in an NCESSCH
_FEW = 10  # districts: a state's file of schools has a thousand
_UNREADABLE = (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)


@contextlib.contextmanager
def opened(
    path: Path, schools: frozenset[str], progress: rows.Progress | None = None
) -> Iterator[tables.Table]:
    """The rows of the schools (NCESSCH). Raises ImportRejected, here or while rows are read."""
    with _refused(path), _file(path) as file:
        header = list(map(cells.text, _parsed(file.readline().removeprefix(_BOM))))
        place = columns.match(header, required=("NCESSCH",)).places["NCESSCH"]
        found = _lines(file, schools, progress)
        yield tables.Table(header, (one for one in found if place < len(one[1]) and one[1][place] in schools))


@contextlib.contextmanager
def _refused(path: Path) -> Iterator[None]:
    try:
        yield
    except _UNREADABLE as error:
        advice = ": unzip it first, and name the CSV file" if path.suffix.lower() == ".zip" else ""
        raise errors.ImportRejected(f"cannot read {path.name} ({error}){advice}") from error


@contextlib.contextmanager
def _file(path: Path) -> Iterator[IO[bytes]]:
    if path.suffix.lower() != ".zip":
        with path.open("rb") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive, archive.open(_member(path, archive)) as member:
        yield member


def _member(path: Path, archive: zipfile.ZipFile) -> str:
    """The one CSV file. Older years are a zip in a zip, or packed as Python cannot unpack."""
    names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
    if len(names) != 1:
        listed = ", ".join(archive.namelist()[:5]) or "nothing"
        raise errors.ImportRejected(
            f"{path.name} has {len(names)} CSV files, and one is wanted (it has {listed}): unzip it, and name the file"
        )
    return names[0]


def _lines(
    file: IO[bytes], schools: frozenset[str], progress: rows.Progress | None
) -> Iterator[tuple[int, tables.Cells]]:
    """The numbered lines that may be of the schools: found as bytes, as parsing every line takes minutes."""
    wanted, ours = _wanted(schools)
    number = 2
    for block in _blocks(file):
        done = 0
        for hit in wanted.finditer(block):
            if hit.start() < done or (ours and hit[1] not in ours):
                continue
            start = block.rfind(b"\n", 0, hit.start()) + 1
            end = block.find(b"\n", hit.start()) + 1 or len(block)
            number += block.count(b"\n", done, start)
            yield number, _parsed(block[start:end])
            number += 1
            done = end
        number += block.count(b"\n", done)
        if progress is not None:
            progress(number - 2)


def _wanted(schools: frozenset[str]) -> tuple[re.Pattern[bytes], frozenset[bytes]]:
    """What to look for, and which hits count (none told: all). Alternatives are slow where there are many."""
    districts = sorted({school[:_LEAID] for school in schools})
    if len(districts) <= _FEW:
        return re.compile("|".join(districts).encode()), frozenset()
    return re.compile(rb',"?(\d{12})"?(?=[,\r\n]|$)'), frozenset(school.encode() for school in schools)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Whole lines, some megabytes at a time."""
    rest = b""
    while block := file.read(_BLOCK):
        whole, newline, rest = (rest + block).rpartition(b"\n")
        if newline:
            yield whole + newline
    if rest:
        yield rest


def _parsed(line: bytes) -> tables.Cells:
    """The cells of one line: no field of these files goes over several lines."""
    return list(next(csv.reader([line.decode(_ENCODING).rstrip("\r\n")]), []))
