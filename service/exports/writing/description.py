"""datapackage.json: what each file is, as the Frictionless standard has it.

Parquet and the workbook are listed as plain files, with size and sum: validators read Parquet only with further
libraries, and would refuse the package without them.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from service.exports import tables
from service.exports.writing import sums

NAME = "datapackage.json"
# A kind that is not here is called the same there.
_TYPES: Mapping[tables.Kind, str] = {
    "text": "string",
    "month": "yearmonth",
    "instant": "datetime",
}
_MEDIA = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

Described = dict[str, object]


def of(
    title: str,
    *,
    mark: str,
    about: Mapping[str, str],
    described: Sequence[tables.Table],
    files: Sequence[sums.File],
) -> bytes:
    """``described``: the tables; each lies in csv/."""
    by_path = {f"csv/{table.name}.csv": table for table in described}
    package = {
        "profile": "data-package",
        "name": _named(title),
        "title": title,
        "description": " ".join(
            filter(None, (mark, *(f"{name}: {value}." for name, value in about.items())))
        ),
        "resources": [_resource(file, by_path.get(file.path)) for file in files],
    }
    return (json.dumps(package, ensure_ascii=False, indent=1) + "\n").encode()


def _named(value: str) -> str:
    return re.sub(r"[^a-z0-9._]+", "-", value.lower()).strip("-") or "package"


def _resource(file: sums.File, table: tables.Table | None) -> Described:
    there: Described = {"path": file.path, "hash": f"sha256:{file.sha256}", "bytes": file.bytes}
    media = _MEDIA.get(PurePosixPath(file.path).suffix)
    if media:
        there["mediatype"] = media
    if table is None:
        return {"name": _named(file.path), "type": "file", **there}
    return {
        "name": _named(table.name),
        "type": "table",
        "profile": "tabular-data-resource",
        "title": table.title,
        "description": table.says,
        **there,
        "format": "csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True},
        "schema": _schema(table),
    }


def _schema(table: tables.Table) -> Described:
    return {
        "fields": [_field(column) for column in table.columns],
        "missingValues": [""],
        "primaryKey": list(table.key),
    }


def _field(column: tables.Column) -> Described:
    field: Described = {
        "name": column.name,
        "type": _TYPES.get(column.kind, column.kind),
        "description": column.says,
    }
    if column.unit:
        field["unit"] = column.unit
    constraints = _constraints(column)
    return field | ({"constraints": constraints} if constraints else {})


def _constraints(column: tables.Column) -> Described:
    told: Described = {
        "required": column.is_required or None,
        "minimum": column.minimum,
        "maximum": column.maximum,
        "enum": list(column.choices) or None,
        "pattern": column.pattern or None,
    }
    if column.kind == "integer":
        told |= {
            name: int(bound) for name in ("minimum", "maximum") if isinstance(bound := told[name], float)
        }
    return {name: value for name, value in told.items() if value is not None}
