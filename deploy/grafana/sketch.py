"""A dashboard as text, for people who cannot open it here: ``python -m deploy.grafana.sketch``."""

import json
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from deploy.grafana import generate

_COLUMN = 5  # characters for each of the grid's 24


def drawn(board: Mapping[str, Any]) -> str:
    """Rows of panels as they lie on the grid, each with its kind."""
    placed = sorted(board["panels"], key=lambda panel: (panel["gridPos"]["y"], panel["gridPos"]["x"]))
    lines = [f"{board['title']}"]
    for _, panels in groupby(placed, key=lambda panel: panel["gridPos"]["y"]):
        lines.extend(_line(list(panels)))
    return "\n".join(lines)


def _line(panels: list[Mapping[str, Any]]) -> Iterator[str]:
    if panels[0]["type"] == "row":
        yield f"-- {panels[0]['title']} --"
        return
    for texts in ([panel["title"] for panel in panels], [f"({panel['type']})" for panel in panels]):
        widths = [int(panel["gridPos"]["w"]) * _COLUMN - 1 for panel in panels]
        cells = [f" {text}"[:width].ljust(width) for text, width in zip(texts, widths, strict=True)]
        yield f"|{'|'.join(cells)}|"


def main() -> None:
    sys.stdout.write("\n\n".join(drawn(json.loads(text)) for text in generate.texts().values()) + "\n")


if __name__ == "__main__":
    main()
