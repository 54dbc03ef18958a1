"""Parquet with typed columns, a row group per batch."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow
from pyarrow import parquet

from service.exports import tables
from service.exports.writing import values

_TYPES: Mapping[tables.Kind, pyarrow.DataType] = {
    "text": pyarrow.string(),
    "integer": pyarrow.int64(),
    "number": pyarrow.float64(),
    "boolean": pyarrow.bool_(),
    "date": pyarrow.date32(),
    "month": pyarrow.string(),
    "instant": pyarrow.timestamp("us", tz="UTC"),
}
_FROM_TEXT = frozenset({"date", "instant"})


class File:
    def __init__(self, path: Path, table: tables.Table) -> None:
        self._table = table
        self._schema = pyarrow.schema([_field(column) for column in table.columns])
        self._writer = parquet.ParquetWriter(path, self._schema, version="2.6", compression="zstd")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def add(self, columns: list[values.Values]) -> None:
        arrays = [_array(column, of) for column, of in zip(self._table.columns, columns, strict=True)]
        self._writer.write_batch(pyarrow.record_batch(arrays, schema=self._schema))


def rows(path: Path) -> Iterator[tuple[object, ...]]:
    """As they were written, a few at a time: dates as dates, instants in UTC."""
    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=2_000):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _field(column: tables.Column) -> pyarrow.Field:
    told = {"description": column.says, "unit": column.unit}
    return pyarrow.field(
        column.name,
        _TYPES[column.kind],
        nullable=not column.is_required,
        metadata={name: value for name, value in told.items() if value},
    )


def _array(column: tables.Column, of: values.Values) -> pyarrow.Array:
    if column.kind in _FROM_TEXT:
        return pyarrow.array(of, pyarrow.string()).cast(_TYPES[column.kind])
    return pyarrow.array(of, _TYPES[column.kind])
