"""Has a report's charts drawn and its PDF set by a process of its own."""

import base64
import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from service import errors
from service.exports import threads
from service.exports.report import document

DEADLINE = 180.0  # seconds, for all charts and the PDF of one report
_PULSE = 0.2  # seconds between two looks whether anybody still waits
_NEEDED = ("typst", "vl_convert")
_LONGEST = 500  # characters of what went wrong
_KEPT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "HOME")


class DrawingFailed(errors.AfterbellError):
    """The report could not be drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """``charts``: SVG by the name of the chart."""

    charts: Mapping[str, str]
    pdf: bytes


def drawn(
    report: document.Document, *, deadline: float = DEADLINE, pulse: Callable[[], None] = threads.nothing
) -> Drawn:
    """``pulse``: called now and then; what it raises ends the process that draws. Raises DrawingFailed."""
    for name in _NEEDED:
        if importlib.util.find_spec(name) is None:
            raise DrawingFailed(f'{name} is not installed: pip install "afterbell[exports]"')
    answer = _asked(job(report), deadline=deadline, pulse=pulse)
    names = [chart.name for chart in report.charts]
    return Drawn(charts=dict(zip(names, answer["charts"], strict=True)), pdf=base64.b64decode(answer["pdf"]))


def job(report: document.Document) -> dict[str, Any]:
    return {"charts": [chart.spec for chart in report.charts], "document": _plain(report)}


def _plain(report: document.Document) -> dict[str, Any]:
    """The report for the template: each block with its kind, a chart with its place among the drawings."""
    places = {chart.name: place for place, chart in enumerate(report.charts)}
    found = dataclasses.asdict(dataclasses.replace(report, sections=()))
    found["sections"] = [
        {"title": part.title, "blocks": [_block(block, places) for block in part.blocks]}
        for part in report.sections
    ]
    return found


def _block(block: document.Block, places: Mapping[str, int]) -> dict[str, Any]:
    if isinstance(block, document.Chart):
        told = {name: getattr(block, name) for name in ("title", "says", "caption")}
        return {"kind": "chart", "drawing": places[block.name], **told}
    return {"kind": type(block).__name__.lower(), **dataclasses.asdict(block)}


def _asked(asked: Mapping[str, Any], *, deadline: float, pulse: Callable[[], None]) -> dict[str, Any]:
    try:
        child = subprocess.Popen(
            [sys.executable, "-m", "service.exports.report.drawing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
        )
    except OSError as error:
        raise DrawingFailed(f"the process that draws the report did not start: {error}") from error
    with child:
        try:
            out, said = _said(child, json.dumps(asked).encode(), deadline=deadline, pulse=pulse)
        except BaseException:
            child.kill()
            raise
    if child.returncode != 0:
        raise DrawingFailed(f"the report could not be drawn: {_complaint(child.returncode, said)}")
    answer: dict[str, Any] = json.loads(out)
    return answer


def _said(
    child: subprocess.Popen[bytes], asked: bytes, *, deadline: float, pulse: Callable[[], None]
) -> tuple[bytes, bytes]:
    """What it wrote, and what it complained of."""
    until, given = time.monotonic() + deadline, asked
    while (left := until - time.monotonic()) > 0:
        pulse()
        try:
            return child.communicate(given, timeout=min(left, _PULSE))
        except subprocess.TimeoutExpired:
            given = b""  # it is being written: it is not to be told twice
    raise DrawingFailed(f"the report was not drawn within {deadline:.0f} s: try again")


def _environment() -> dict[str, str]:
    """No secret goes along, and nothing that a drawing could depend on, as language or time zone."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONIOENCODING": "utf-8"}


def _complaint(code: int, said: bytes) -> str:
    """What it said last."""
    lines = said.decode(errors="replace").strip().splitlines()
    if lines:
        return lines[-1][:_LONGEST]
    return f"its process ended with {code}" + (", perhaps for lack of memory" if code < 0 else "")
