"""Grafana's dashboards as files, and their queries as Grafana would send them."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "deploy" / "grafana" / "dashboards"
POSTGRES, PROMETHEUS = "grafana-postgresql-datasource", "prometheus"

_MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")  # as Grafana's PostgreSQL data source finds them
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}")


@dataclass(frozen=True, kw_only=True)
class Query:
    """``shape``: table, time_series, variable; of PromQL promql."""

    board: str
    panel: str
    kind: str  # of the panel
    shape: str
    text: str


def boards() -> dict[str, dict[str, Any]]:
    return {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}


def panels(board: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Without the rows, which only group."""
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel.get("panels", ())
        else:
            yield panel


def queries() -> list[Query]:
    return [*_of_panels(), *_of_variables()]


def _of_panels() -> Iterator[Query]:
    for name, board in boards().items():
        for panel in panels(board):
            for target in panel["targets"]:
                is_sql = target["datasource"]["type"] == POSTGRES
                yield Query(
                    board=name,
                    panel=panel["title"],
                    kind=panel["type"],
                    shape=target["format"] if is_sql else "promql",
                    text=target["rawSql"] if is_sql else target["expr"],
                )


def _of_variables() -> Iterator[Query]:
    for name, board in boards().items():
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                yield Query(
                    board=name,
                    panel=f"variable {variable['name']}",
                    kind="variable",
                    shape="variable",
                    text=variable["query"],
                )


def sql(text: str, *, starts_at: datetime, ends_at: datetime, values: Mapping[str, str]) -> str:
    """The statement that reaches PostgreSQL: variables as the browser fills them in, then the data source's macros.

    Raises ValueError for a variable that is not quoted and for a macro that dashboards here do not use.
    """

    def variable(found: re.Match[str]) -> str:
        if found[2] != "sqlstring":
            raise ValueError(f"{found[0]} is not quoted")
        return "'" + values[found[1]].replace("'", "''") + "'"

    def macro(found: re.Match[str]) -> str:
        name, argument = found[1], found[2].strip()
        if name == "__timeFilter" and argument:
            return f"{argument} BETWEEN '{_text(starts_at)}' AND '{_text(ends_at)}'"
        if name in ("__timeFrom", "__timeTo") and not argument:
            return f"'{_text(starts_at if name == '__timeFrom' else ends_at)}'"
        raise ValueError(f"${name}({argument}) is not used here")

    expanded = _MACRO.sub(macro, _VARIABLE.sub(variable, text))
    if "$" in expanded:
        raise ValueError(f"something is left to fill in: {expanded}")
    return expanded


def promql(text: str, *, values: Mapping[str, str], rate_interval: str = "4m") -> str:
    """The expression that reaches Prometheus."""
    filled = text.replace("$__rate_interval", rate_interval)
    expanded = _VARIABLE.sub(lambda found: values[found[1]], filled)
    if "$" in expanded:
        raise ValueError(f"something is left to fill in: {expanded}")
    return expanded


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
