"""What every dashboard has: its variables, its links, its rows of panels."""

from collections.abc import Iterable

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from deploy.grafana import panels, queries

DOCUMENTS = "https://afterbell.district.example/docs"  # where people can read docs/
SCHEMA_VERSION = 41  # Grafana 11.6; a later one brings it up to date when it loads it
TAG = "afterbell"


def board(uid: str, title: str, text: str, *, docs: str, days: int = 90) -> dashboard.Dashboard:
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(text)
        .tags([TAG])
        .timezone("browser")
        .readonly()
        .time(f"now-{days}d", "now")
        .refresh("5m")
        .version(1)
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .with_variable(_sources("database", "District", queries.POSTGRES, "/^afterbell/"))
        .with_variable(dashboard.ConstantVariable("docs").value(docs))
        .link(_others())
    )


def _sources(name: str, label: str, kind: str, names: str) -> dashboard.DatasourceVariable:
    """A choice of data sources: of the databases there is one for each district."""
    return (
        dashboard.DatasourceVariable(name)
        .label(label)
        .type(kind)
        .regex(names)
        .multi(False)
        .include_all(False)
    )


def with_metrics(made: dashboard.Dashboard) -> dashboard.Dashboard:
    return made.with_variable(
        _sources("metrics", "Prometheus", queries.PROMETHEUS, "/^afterbell/")
    ).with_variable(
        choice("district_id", "SELECT district_id::text AS __value FROM reporting.districts", "").hide(
            model.VariableHide.HIDE_VARIABLE
        )
    )


def choice(name: str, text: str, label: str) -> dashboard.QueryVariable:
    """What can be chosen, as the database tells it: columns __value, and __text where it is shown by another."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(queries.DATABASE)
        .query(text)
        .refresh(model.VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(model.VariableSort.DISABLED)
        .multi(False)
        .include_all(False)
    )


def _others() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("afterbell")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(False)
        .include_vars(True)
        .keep_time(True)
    )


def with_row(made: dashboard.Dashboard, title: str, shown: Iterable[panels.Panel]) -> dashboard.Dashboard:
    made = made.with_row(dashboard.Row(title))
    for panel in shown:
        made = made.with_panel(panel)
    return made
