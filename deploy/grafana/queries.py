"""What panels ask: SQL of the views in the schema ``reporting``, and PromQL."""

from typing import Literal

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog import builder, runtime, variants
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models import prometheus as prometheus_model

POSTGRES = "grafana-postgresql-datasource"
PROMETHEUS = "prometheus"
DATABASE = dashboard.DataSourceRef(type_val=POSTGRES, uid="${database}")
METRICS = dashboard.DataSourceRef(type_val=PROMETHEUS, uid="${metrics}")

Target = builder.Builder[variants.Dataquery]


class _Sql(Target):
    """The SDK has no builder for PostgreSQL's queries: their form is that of Grafana's own query editor."""

    def __init__(self, text: str, *, ref: str, shape: str) -> None:
        self._made = {
            "refId": ref,
            "datasource": {"type": POSTGRES, "uid": "${database}"},
            "editorMode": "code",
            "format": shape,
            "rawQuery": True,
            "rawSql": text.strip(),
        }

    def build(self) -> variants.Dataquery:
        return runtime.UnknownDataquery(dict(self._made))


def table(text: str, *, ref: str = "A") -> Target:
    return _Sql(text, ref=ref, shape="table")


def series(text: str, *, ref: str = "A") -> Target:
    """Columns: time; then one for each series, or metric (its name) and value."""
    return _Sql(text, ref=ref, shape="time_series")


def metrics(
    expression: str, *, legend: str, ref: str = "A", at: Literal["range", "instant"] = "range"
) -> Target:
    made = (
        prometheus.Dataquery()
        .expr(expression)
        .legend_format(legend)
        .ref_id(ref)
        .datasource(METRICS)
        .editor_mode(prometheus_model.QueryEditorMode.CODE)
    )
    return made.range() if at == "range" else made.instant().format(prometheus_model.PromQueryFormat.TABLE)
