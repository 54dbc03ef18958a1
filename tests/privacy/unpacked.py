"""Every file of a package, unpacked until nothing is packed any more."""

import base64
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pikepdf
from pyarrow import parquet

_DATA_URI = re.compile(rb"data:[\w/+.-]+;base64,([A-Za-z0-9+/=]+)")
_CODES = re.compile(r"<([0-9A-Fa-f]+)>")


def folder(path: Path) -> Iterator[tuple[str, bytes]]:
    """Below a folder: each file, what is in it, and its name."""
    for found in sorted(path.rglob("*")):
        name = found.relative_to(path).as_posix()
        yield f"{name} (its name)", name.encode()
        if found.is_file():
            yield from file(name, found.read_bytes())


def file(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield name, content
    if content.startswith(b"PK\x03\x04"):
        yield from _archive(name, content)
    elif content.startswith(b"%PDF"):
        yield from _pdf(name, content)
    elif content.startswith(b"PAR1"):
        yield from _parquet(name, content)
    for at, packed in enumerate(_DATA_URI.findall(content)):
        yield from file(f"{name} data {at}", base64.b64decode(packed))


def _archive(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        yield f"{name} (comment)", archive.comment
        for member in archive.infolist():
            yield (
                f"{name}/{member.filename} (its name)",
                member.filename.encode() + member.comment + member.extra,
            )
            yield from file(f"{name}/{member.filename}", archive.read(member))


def _parquet(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    opened = parquet.ParquetFile(io.BytesIO(content))
    yield f"{name} (metadata)", repr((opened.metadata.metadata, opened.schema_arrow.metadata)).encode()
    yield f"{name} (rows)", repr(opened.read().to_pylist()).encode()


def _pdf(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Its streams, the strings of its objects, and the text as it is read: a font's codes are no letters."""
    with pikepdf.open(io.BytesIO(content)) as opened:
        for at, found in enumerate(opened.objects):
            yield f"{name} object {at}", _strings(found).encode()
            if isinstance(found, pikepdf.Stream):
                yield f"{name} stream {at}", _stream(found)
                yield f"{name} text {at}", _text(found, found.get("/Resources")).encode()
        for at, page in enumerate(opened.pages):
            yield f"{name} page {at + 1}", _text(page.obj, page.obj.get("/Resources")).encode()


def _stream(found: pikepdf.Stream) -> bytes:
    try:
        return found.read_bytes()
    except pikepdf.PdfError:  # an image that is packed as a photograph
        return found.read_raw_bytes()


def _strings(found: pikepdf.Object) -> str:
    if isinstance(found, pikepdf.String):
        return str(found)
    if isinstance(found, pikepdf.Array):
        return "\n".join(_strings(one) for one in found if not _is_elsewhere(one))
    if isinstance(found, pikepdf.Dictionary | pikepdf.Stream):
        held = found.stream_dict if isinstance(found, pikepdf.Stream) else found
        return "\n".join(f"{name} {_strings(one)}" for name, one in held.items() if not _is_elsewhere(one))
    return str(found) if isinstance(found, pikepdf.Name) else ""


def _is_elsewhere(found: object) -> bool:
    """An object that is looked at by itself, or a plain number."""
    return not isinstance(found, pikepdf.Object) or found.is_indirect


def _text(found: pikepdf.Object, resources: pikepdf.Object | None) -> str:
    fonts = None if resources is None else resources.get("/Font")
    if fonts is None:
        return ""
    letters = {name: _letters(font) for name, font in fonts.items()}
    read, current = [], {}
    for instruction in pikepdf.parse_content_stream(found):
        operands, operator = instruction.operands, instruction.operator
        if str(operator) == "Tf":
            current = letters.get(str(operands[0]), {})
        elif str(operator) in {"Tj", "TJ", "'", '"'}:
            read.append(_read(operands[-1], current))
        elif str(operator) in {"ET", "Td", "TD", "T*", "Tm"}:
            read.append("")
    return "".join(read)


def _read(shown: pikepdf.Object, letters: dict[int, str]) -> str:
    pieces = shown if isinstance(shown, pikepdf.Array) else [shown]
    packed = [bytes(piece) for piece in pieces if isinstance(piece, pikepdf.String)]
    return "".join(
        letters.get(int.from_bytes(codes[at : at + 2], "big"), "")
        for codes in packed
        for at in range(0, len(codes), 2)
    )


def _letters(font: pikepdf.Object) -> dict[int, str]:
    """From a font's own table of what its codes mean."""
    table = font.get("/ToUnicode")
    if not isinstance(table, pikepdf.Stream):
        return {}
    found: dict[int, str] = {}
    is_range = False
    for line in table.read_bytes().decode("ascii", "replace").splitlines():
        is_range = is_range if "begin" not in line else "beginbfrange" in line
        codes = _CODES.findall(line)
        if len(codes) == 2:
            found[int(codes[0], 16)] = _letter(codes[1])
        elif len(codes) == 3 and is_range:
            first = int(codes[2], 16)
            found |= {
                code: chr(first + at)
                for at, code in enumerate(range(int(codes[0], 16), int(codes[1], 16) + 1))
            }
    return found


def _letter(code: str) -> str:
    return bytes.fromhex(code).decode("utf-16-be", "replace")
