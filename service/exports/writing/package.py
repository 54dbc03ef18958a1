"""A package: its tables in every format, what else it holds, its description and its sums."""

import functools
import re
import tempfile
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from service import errors
from service.exports import tables, threads
from service.exports.writing import description, sums

try:
    from service.exports.writing import tabular, workbook
except ModuleNotFoundError as missing:
    raise errors.ExportRefused(
        f'packages need {missing.name}, which is not installed: pip install "afterbell[exports]"'
    ) from missing

WORKBOOK = "workbook.xlsx"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


class Writer:
    """Fills an empty folder. ``mark`` goes onto every sheet and printed page; ``about`` onto the first sheet.

    The same tables, files and words give the same bytes.
    """

    def __init__(
        self, work: Path, *, title: str, mark: str = "", about: Mapping[str, str] | None = None
    ) -> None:
        self._work = work
        self._told = workbook.Told(title=title, mark=mark, lines=about or {})
        self._sources: list[workbook.Source] = []
        self._charts: list[tables.Chart] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held open between its methods."""

    def table(self, table: tables.Table, rows: Iterable[tables.Row]) -> None:
        with tabular.Files(self._work, table) as files:
            files.add(rows)
        self._wrote(files)

    async def stream(self, table: tables.Table, batches: AsyncIterable[Sequence[tables.Row]]) -> None:
        """Of any number of rows, in the memory of a few; the event loop stays free."""
        files = await threads.run(lambda: tabular.Files(self._work, table))
        with files:
            async for batch in batches:
                await threads.run(functools.partial(files.add, batch))
            await threads.run(files.flush)
        self._wrote(files)

    def _wrote(self, files: tabular.Files) -> None:
        self._sources.append(workbook.Source(table=files.table, parquet=files.parquet, rows=files.rows))

    def file(self, name: str, content: bytes) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a name of a file in a package: {name}")
        path = self._work / name
        _folder(self._work, path.parent)
        with path.open("xb") as file:
            file.write(content)

    def charts(self, charts: Iterable[tables.Chart]) -> None:
        """For the workbook."""
        self._charts.extend(charts)

    def finish(self, pulse: Callable[[], None] = threads.nothing) -> tuple[sums.File, ...]:
        """Every file of the package but for the sums themselves. ``pulse``: called now and then; raises to end it."""
        with tempfile.TemporaryDirectory(dir=self._work, prefix=".scratch-") as scratch:
            workbook.write(
                self._work / WORKBOOK,
                self._sources,
                told=self._told,
                charts=self._charts,
                scratch=Path(scratch),
                pulse=pulse,
            )
        pulse()
        self.file(description.NAME, self._described())
        files = sums.of(self._work)
        self.file(sums.NAME, sums.lines(files))
        return files

    def _described(self) -> bytes:
        return description.of(
            self._told.title,
            mark=self._told.mark,
            about=self._told.lines,
            described=[source.table for source in self._sources],
            files=sums.of(self._work),
        )


def _folder(work: Path, folder: Path) -> None:
    """Never ``work`` itself: where that was cleared up, nothing is made anew."""
    missing = [one for one in (folder, *folder.parents) if one.is_relative_to(work) and one != work]
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
