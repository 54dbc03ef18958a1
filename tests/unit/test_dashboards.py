"""The dashboards are what the code makes, and what Grafana can load, lay out and explain."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog import encoder, plugins
from grafana_foundation_sdk.models import dashboard as model

import sql
from deploy.grafana import boards, generate, sketch
from tests import dashboards
from tests.unit import test_docs

DEPLOY = dashboards.FOLDER.parent
DOCS = DEPLOY.parents[1] / "docs"
BOARDS = dashboards.boards()
PANELS = [(name, panel) for name, board in BOARDS.items() for panel in dashboards.panels(board)]
EVERY_PANEL = pytest.mark.parametrize(
    ("board", "panel"), PANELS, ids=lambda value: value if isinstance(value, str) else value["title"]
)


def test_the_files_are_what_the_code_makes() -> None:
    files = {path.name: path.read_text("utf-8") for path in dashboards.FOLDER.iterdir()}
    assert set(files) == {"district.json", "school.json", "fleet.json", "collectors.json"}
    assert files == generate.texts(), "run python -m deploy.grafana.generate"


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_goes_through_the_sdk_and_comes_out_the_same(name: str) -> None:
    plugins.register_default_plugins()
    read = model.Dashboard.from_json(BOARDS[name])
    assert json.loads(json.dumps(read, cls=encoder.JSONEncoder)) == BOARDS[name]


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_has_a_stable_name_and_no_number(name: str) -> None:
    board = BOARDS[name]
    assert board["uid"] == f"afterbell-{name}"
    assert "id" not in board
    assert not [panel["id"] for panel in dashboards.panels(board) if panel.get("id")]
    assert (board["schemaVersion"], board["editable"]) == (boards.SCHEMA_VERSION, False)


def test_the_texts_that_people_read_can_be_sent_elsewhere() -> None:
    text = generate.texts("https://elsewhere.example/documents")["fleet.json"]
    assert '"query": "https://elsewhere.example/documents"' in text
    assert boards.DOCUMENTS not in text


@pytest.mark.parametrize("name", BOARDS)
def test_panels_lie_within_the_grid_and_none_on_another(name: str) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in BOARDS[name]["panels"]:
        at = panel["gridPos"]
        assert at["w"] >= 4
        assert at["x"] + at["w"] <= 24
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in taken, f"{panel['title']} lies on {taken[x, y]}"
                taken[x, y] = panel["title"]
    lines = {y for _, y in taken}
    assert lines == set(range(max(lines) + 1)), "there is a hole"


@EVERY_PANEL
def test_a_panel_has_a_unit_thresholds_a_description_and_a_source(board: str, panel: dict[str, Any]) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["unit"]
    assert defaults["thresholds"]["steps"][0]["value"] is None
    assert len(panel["description"]) > 15
    assert panel["description"].endswith(".")
    assert panel["datasource"]["uid"] in ("${database}", "${metrics}")
    assert {target["datasource"]["uid"] for target in panel["targets"]} == {panel["datasource"]["uid"]}


@EVERY_PANEL
def test_a_panel_links_to_a_page_that_is_there(board: str, panel: dict[str, Any]) -> None:
    (link,) = panel["links"]
    page, _, anchor = link["url"].removeprefix("${docs}/").partition("#")
    text = (DOCS / page).read_text("utf-8")
    assert not anchor or anchor in map(test_docs.slug, test_docs.HEADING.findall(text)), link["url"]


def test_titles_are_told_once_in_a_dashboard() -> None:
    for name, board in BOARDS.items():
        titles = [(panel["title"], panel["gridPos"]["y"]) for panel in dashboards.panels(board)]
        assert len(titles) == len(set(titles)), name


NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "query", dashboards.queries(), ids=lambda query: f"{query.board}, {query.panel}, {query.shape}"
)
def test_a_query_uses_only_what_is_safe(query: dashboards.Query) -> None:
    """Time macros, quoted variables, and nothing of the database but the views for readers."""
    values = {"school": "410192000001", "account": "kajeet", "district_id": "1"}
    if query.shape == "promql":
        dashboards.promql(query.text, values=values)
        assert set(re.findall(r"\[([^\]]+)\]", query.text)) <= {"$__rate_interval"}
        assert set(re.findall(r"\bafterbell_\w+\{([^}]*\}?\"?)", query.text)) == {'district="${district_id}"'}
        return
    dashboards.sql(query.text, starts_at=NOW, ends_at=NOW, values=values)
    tables = re.findall(
        r"\b(?:FROM|JOIN)\s+([a-z_.]+)", re.sub(r"extract\(epoch FROM [^)]*\)", "", query.text)
    )
    assert tables
    assert all(table.startswith("reporting.") for table in tables), tables
    if query.shape == "time_series":
        assert '"time"' in query.text
        assert "$__timeFilter" in query.text
        assert "ORDER BY 1" in query.text


@pytest.mark.parametrize(
    "text",
    [
        "SELECT $school",
        "SELECT ${school}",
        "SELECT ${school:raw}",
        "SELECT $__interval",
        "$__timeGroup(a,1d)",
    ],
)
def test_what_is_not_safe_is_refused(text: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        dashboards.sql(text, starts_at=NOW, ends_at=NOW, values={"school": "'; DROP TABLE schools"})


def test_a_quoted_variable_cannot_end_its_text() -> None:
    made = dashboards.sql(
        "SELECT ${school:sqlstring}", starts_at=NOW, ends_at=NOW, values={"school": "a'; DROP TABLE x; --"}
    )
    assert made == "SELECT 'a''; DROP TABLE x; --'"


# Provisioning


def provisioned(path: str) -> Any:
    return yaml.safe_load((DEPLOY / "provisioning" / path).read_text("utf-8"))


def test_the_data_sources_are_those_that_the_dashboards_look_for() -> None:
    sources = provisioned("datasources/afterbell.yaml")["datasources"]
    for board in BOARDS.values():
        for variable in board["templating"]["list"]:
            if variable["type"] == "datasource":
                pattern = re.compile(variable["regex"].strip("/"))
                assert [
                    one for one in sources if one["type"] == variable["query"] and pattern.search(one["name"])
                ]


def test_a_districts_source_has_its_own_role_and_no_password_in_the_file() -> None:
    sources = provisioned("datasources/afterbell.yaml")["datasources"]
    found = [one for one in sources if one["type"] == dashboards.POSTGRES]
    assert found
    for one in found:
        assert one["user"] == f"afterbell_reader_{one['uid'].rpartition('-')[2]}"
        assert re.fullmatch(r"\$__file\{/run/secrets/\w+\}", one["secureJsonData"]["password"])
        assert one["jsonData"]["maxOpenConns"] < 20
    assert len({one["user"] for one in found}) == len(found)
    assert len({one["uid"] for one in sources}) == len(sources)


def test_dashboards_are_read_from_where_they_are_mounted() -> None:
    (provider,) = provisioned("dashboards/afterbell.yaml")["providers"]
    assert provider["options"]["path"] == "/etc/grafana/dashboards"
    assert provider["allowUiUpdates"] is False


# The page


@pytest.mark.parametrize("name", BOARDS)
def test_the_page_draws_every_dashboard_as_it_is(name: str) -> None:
    assert f"```text\n{sketch.drawn(BOARDS[name])}\n```" in (DOCS / "grafana.md").read_text("utf-8")


def test_the_page_tells_of_every_view_and_of_no_other() -> None:
    schema = (DEPLOY.parents[1] / "sql" / "schema.sql").read_text("utf-8")
    rows = test_docs.table_with((DOCS / "grafana.md").read_text("utf-8"), "view in `reporting`")
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row["view in `reporting`"])}
    assert told == set(re.findall(r"^CREATE VIEW reporting\.(\w+)", schema, re.MULTILINE))


def test_the_role_that_an_administrator_makes_is_limited_as_the_commands() -> None:
    """What the page tells to type is among what the command does."""
    page, queries = (DOCS / "grafana.md").read_text("utf-8"), sql.queries()
    for setting in re.findall(r"ALTER ROLE afterbell_reader_1 SET (.*);", page):
        assert setting.replace("'", "''") in queries["limit_reader"]
    assert "LOGIN NOINHERIT" in queries["make_reader"]
    assert "CONNECTION LIMIT 20" in queries["make_reader"]
