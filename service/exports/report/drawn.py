"""Has a report's charts drawn and its PDF set by a process of its own."""

import base64
import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service import errors
from service.exports.report import document

DEADLINE = 180.0  # seconds, for all charts and the PDF of one report
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


def drawn(report: document.Document, *, deadline: float = DEADLINE) -> Drawn:
    """Raises DrawingFailed."""
    for name in _NEEDED:
        if importlib.util.find_spec(name) is None:
            raise DrawingFailed(f'{name} is not installed: pip install "afterbell[exports]"')
    answer = _asked(job(report), deadline=deadline)
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


def _asked(asked: Mapping[str, Any], *, deadline: float) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "service.exports.report.drawing"],
            input=json.dumps(asked).encode(),
            capture_output=True,
            timeout=deadline,
            env=_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DrawingFailed(f"the report was not drawn within {deadline:.0f} s: try again") from error
    except OSError as error:
        raise DrawingFailed(f"the process that draws the report did not start: {error}") from error
    if done.returncode != 0:
        raise DrawingFailed(f"the report could not be drawn: {_complaint(done)}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _environment() -> dict[str, str]:
    """No secret goes along, and nothing that a drawing could depend on, as language or time zone."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONIOENCODING": "utf-8"}


def _complaint(done: subprocess.CompletedProcess[bytes]) -> str:
    """What it said last."""
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    if lines:
        return lines[-1][:_LONGEST]
    return f"its process ended with {done.returncode}" + (
        ", perhaps for lack of memory" if done.returncode < 0 else ""
    )
