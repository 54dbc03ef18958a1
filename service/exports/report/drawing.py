"""Draws the charts of a report and sets its PDF, in a process of its own, as that takes much memory.

Run as `python -m service.exports.report.drawing`: reads a job as JSON on stdin, answers in JSON on stdout. It reaches
no network and uses only the fonts inside its libraries: the same job gives the same bytes on every machine.
"""

import base64
import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import typst
import vl_convert

VEGA_LITE = "5.21"
MOST_PAGES = 4
SCALES = (1.0, 0.95, 0.9, 0.85)  # of the size of type
_NO_GLYPH = "could not be displayed with font"
_STANDS_IN = "?"  # for what the report's font lacks; the page and the tables have the text as it is
_LAST_LATIN = "\u017f"
_BEYOND = frozenset("\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026\u20ac\u2212")


def main() -> None:
    try:
        json.dump(answered(json.load(sys.stdin)), sys.stdout)
    except (ValueError, typst.TypstError) as error:
        sys.exit(next(iter(str(error).splitlines()), type(error).__name__))


def answered(job: Mapping[str, Any]) -> dict[str, Any]:
    """``charts``: specs. ``document``: what the template shows. ``pictures``: its pages as PNG too, at so many ppi."""
    charts = [draw(spec) for spec in job["charts"]]
    answer: dict[str, Any] = {"charts": charts}
    if "document" in job:
        document = fitting({**job["document"], "drawings": charts})
        answer["pdf"] = _text(pdf(document))
        if ppi := job.get("pictures"):
            answer["pictures"] = [_text(page) for page in pictures(document, ppi=ppi)]
    return answer


def draw(spec: Mapping[str, Any]) -> str:
    """A chart as SVG. No address is allowed, as a chart has its data inside."""
    return vl_convert.vegalite_to_svg(dict(spec), vl_version=VEGA_LITE, allowed_base_urls=[])


def fitting(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same, at the largest type at which it has no more pages than a report should have."""
    for scale in SCALES:
        found = {**document, "scale": scale}
        if len(pictures(found, ppi=1)) <= MOST_PAGES:
            break
    return found


def pdf(document: Mapping[str, Any]) -> bytes:
    """PDF/UA-1. Text that the font lacks is left out only where there is some: that standard refuses it."""
    try:
        return _compiled(document, pdf_standards=["ua-1"])[0]
    except typst.TypstError as error:
        if _NO_GLYPH not in error.message:
            raise
    return _compiled(_readable(document), pdf_standards=["ua-1"])[0]


def pictures(document: Mapping[str, Any], *, ppi: int) -> list[bytes]:
    """The pages as PNG, to look at."""
    return _compiled(_readable(document), format="png", ppi=ppi)


def _compiled(document: Mapping[str, Any], **how: Any) -> list[bytes]:
    source = resources.files("service.exports.report").joinpath("templates/report.typ").read_bytes()
    made = typst.compile(
        source,
        font_paths=typst.Fonts(include_system_fonts=False),
        sys_inputs={"document": json.dumps(document)},
        timestamp=0,
        **how,
    )
    return list(made) if isinstance(made, list) else [made]


def _readable(part: Any) -> Any:
    """The same document, with a sign for each character that the font may lack."""
    if isinstance(part, str):
        return "".join(map(_character, unicodedata.normalize("NFC", part)))
    if isinstance(part, Mapping):
        return {name: _readable(inside) for name, inside in part.items()}
    if isinstance(part, Sequence):
        return [_readable(inside) for inside in part]
    return part


def _character(one: str) -> str:
    if one <= _LAST_LATIN or one in _BEYOND:
        return one if one.isprintable() or one == "\n" else ""
    return "" if unicodedata.category(one).startswith(("C", "M")) else _STANDS_IN


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


if __name__ == "__main__":
    main()
