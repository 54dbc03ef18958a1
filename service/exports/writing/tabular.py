"""A table as CSV and as Parquet, written side by side as its rows come."""

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from service.exports import tables
from service.exports.writing import csv_files, parquet, values

BATCH = 10_000  # rows; the files do not depend on how they came


class Files:
    def __init__(self, work: Path, table: tables.Table) -> None:
        self.table = table
        self.rows = 0
        self._waiting: list[tables.Row] = []
        csv_path, self.parquet = _place(work, "csv", table), _place(work, "parquet", table)
        with contextlib.ExitStack() as stack:
            self._csv = stack.enter_context(csv_files.File(csv_path, table))
            self._parquet = stack.enter_context(parquet.File(self.parquet, table))
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if error is None:
                self.flush()

    def add(self, rows: Iterable[tables.Row]) -> None:
        for row in rows:
            self._waiting.append(row)
            if len(self._waiting) == BATCH:
                self.flush()

    def flush(self) -> None:
        """When a batch is full, and at the end."""
        if self._waiting:
            self._write(self._waiting)
            self._waiting = []

    def _write(self, rows: Sequence[tables.Row]) -> None:
        columns = values.settled(self.table, rows)
        self._csv.add(columns)
        self._parquet.add(columns)
        self.rows += len(rows)


def _place(work: Path, kind: str, table: tables.Table) -> Path:
    folder = work / kind
    folder.mkdir(exist_ok=True)
    return folder / f"{table.name}.{kind}"
