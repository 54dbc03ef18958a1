"""No file of a shareable package, unpacked, holds a key of a device, a line, a loan or a borrower."""

import hashlib
import io
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import asyncpg
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
import typst
import xlsxwriter
from pyarrow import parquet

from service import app
from tests import exporting
from tests.privacy import unpacked

# Numbers that nothing else has by chance.
FIRST = {"devices.device_id": 713_300_000_000_001, "lines.line_id": 724_400_000_000_001}
FIRST |= {"loans.loan_id": 735_500_000_000_001, "plans.plan_id": 746_600_000_000_001}

KEYS = """
SELECT unnest(ARRAY[device_id::text, imei, serial]) FROM devices
UNION SELECT unnest(ARRAY[line_id::text, iccid, mdn, substr(mdn, 3)]) FROM lines
UNION SELECT unnest(ARRAY[loan_id::text, borrower, household]) FROM loans
UNION SELECT plan_id::text FROM plans
"""


async def distinctive(pool: asyncpg.Pool) -> list[str]:
    """A district whose keys can be told from everything else; and its keys."""
    for column, first in FIRST.items():
        table, _, name = column.partition(".")
        await pool.execute(f"ALTER TABLE {table} ALTER COLUMN {name} RESTART WITH {first}")
    await exporting.insert(pool)
    await pool.execute("UPDATE devices SET serial = 'SNQX' || (90817263 + device_id % 1000)::text || 'Z'")
    await pool.execute(
        "UPDATE loans SET borrower = encode(sha256(('b' || loan_id)::bytea), 'hex'), "
        "household = encode(sha256(('h' || loan_id)::bytea), 'hex')"
    )
    keys = [row[0] for row in await pool.fetch(KEYS)]
    return [key for key in keys if key]


def forms(key: str) -> Iterator[bytes]:
    """As a file may hold it: in either kind of letters, in wide ones, or as a number of eight bytes."""
    for text in {key, key.upper(), key.lower(), key.lstrip("+")}:
        yield text.encode()
        yield text.encode("utf-16-le")
        yield text.encode("utf-16-be")
    if key.isdigit() and int(key) < 2**63:
        yield int(key).to_bytes(8, "little")


def found(keys: Iterable[str], files: Iterable[tuple[str, bytes]]) -> list[str]:
    wanted = [(key, form) for key in keys for form in set(forms(key))]
    starts = np.unique(np.array([int.from_bytes(form[:8], sys.byteorder) for _, form in wanted], np.uint64))
    return [
        f"{name} holds {key}"
        for name, content in files
        if may_hold(content, starts)
        for key, form in wanted
        if form in content
    ]


def may_hold(content: bytes, starts: npt.NDArray[np.uint64]) -> bool:
    """Whether any eight bytes of it are the first eight of what is looked for: thousands of keys at once."""
    if len(content) < 8:
        return False
    windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(content, np.uint8), 8)
    return any(
        bool(np.isin(np.ascontiguousarray(part).view(np.uint64), starts).any())
        for part in (windows[at : at + 1_000_000] for at in range(0, len(windows), 1_000_000))
    )


@pytest.fixture(autouse=True)
def _the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "utc_now", lambda: exporting.NOW)


async def test_no_file_of_a_shareable_package_holds_a_key(
    pool: asyncpg.Pool, database: str, tmp_path: Path
) -> None:
    keys = await distinctive(pool)
    assert len(keys) > 400
    config_path = exporting.configured(tmp_path, database, languages=["en", "es"])
    for more in ([], ["--strict"], ["--pilot", exporting.PILOT]):
        assert (await exporting.run(config_path, "export", exporting.MONTH, *more)).exit_code == 0
    files = list(unpacked.folder(tmp_path / "packages"))
    kinds = {name.rpartition(".")[2].partition(" ")[0].partition("/")[0] for name, _ in files}
    assert {"csv", "parquet", "xlsx", "xml", "json", "html", "pdf", "zip"} <= kinds
    assert not found(keys, files)


async def test_the_same_search_finds_them_in_an_internal_package(
    pool: asyncpg.Pool, database: str, tmp_path: Path
) -> None:
    """It is pseudonymous: it has the keys of lines and devices that are the product's own."""
    keys = await distinctive(pool)
    config_path = exporting.configured(tmp_path, database)
    result = await exporting.run(config_path, "export", exporting.MONTH, "--profile", "internal")
    assert result.exit_code == 0
    holding = found(keys, unpacked.folder(tmp_path / "packages"))
    assert any("724400000000001" in line and ".csv" in line for line in holding)
    assert any("724400000000001" in line and ".parquet" in line for line in holding)


KEY = "860000000000017"
NUMBER = 713_300_000_000_001


def in_text() -> bytes:
    return f"school,device\r\nNorth,{KEY}\r\n".encode()


def in_a_workbook() -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        book.add_worksheet().write_string(0, 0, KEY)
    return content.getvalue()


def in_the_name_of_a_sheet() -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        book.add_worksheet(KEY)
    return content.getvalue()


def in_parquet() -> bytes:
    content = io.BytesIO()
    parquet.write_table(pa.table({"device": [KEY] * 100}), content, compression="zstd")
    return content.getvalue()


def in_the_metadata_of_parquet() -> bytes:
    content = io.BytesIO()
    parquet.write_table(pa.table({"n": [1]}).replace_schema_metadata({"of": KEY}), content)
    return content.getvalue()


def in_the_text_of_a_pdf() -> bytes:
    return bytes(typst.compile(f"North {KEY}".encode()))


def in_the_title_of_a_pdf() -> bytes:
    return bytes(typst.compile(f'#set document(title: "{KEY}")\nNorth'.encode()))


def in_an_archive_in_an_archive() -> bytes:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", KEY)
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.zip", inner.getvalue())
    return outer.getvalue()


@pytest.mark.parametrize(
    "planted",
    [
        in_text,
        in_a_workbook,
        in_the_name_of_a_sheet,
        in_parquet,
        in_the_metadata_of_parquet,
        in_the_text_of_a_pdf,
        in_the_title_of_a_pdf,
        in_an_archive_in_an_archive,
    ],
)
def test_a_planted_key_is_found(planted: Callable[[], bytes]) -> None:
    assert found([KEY], unpacked.file("planted", planted()))
    assert not found(["860000000000099"], unpacked.file("planted", planted()))


def test_a_key_that_is_kept_as_a_number_is_found() -> None:
    content = io.BytesIO()
    parquet.write_table(pa.table({"device_id": [NUMBER]}), content, compression="zstd")
    assert found([str(NUMBER)], unpacked.file("planted", content.getvalue()))


def test_a_pseudonym_in_capital_letters_is_found() -> None:
    pseudonym = hashlib.sha256(b"student").hexdigest()
    assert found([pseudonym], [("planted", pseudonym.upper().encode())])
