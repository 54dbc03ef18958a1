"""CSV as RFC 4180 has it: UTF-8, CRLF, a header.

Without a byte order mark: the RFC knows none, and most readers take it for a part of the first column's name. Who opens
a table in a spreadsheet has the workbook.
"""

import csv
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from service.exports import tables
from service.exports.writing import text, values


class File:
    def __init__(self, path: Path, table: tables.Table) -> None:
        self._table = table
        self._file = path.open("x", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\r\n")
        self._rows([table.names])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, columns: list[values.Values]) -> None:
        told = (text.cells(column, of) for column, of in zip(self._table.columns, columns, strict=True))
        self._rows(zip(*told, strict=True))

    def _rows(self, rows: Iterable[Iterable[object]]) -> None:
        self._writer.writerows(rows)
