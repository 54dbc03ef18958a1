"""The kinds of panels, each with a unit, thresholds, a description and a link to the page that explains it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog import builder
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model

from deploy.grafana import queries

RATIO = "percentunit"
COUNT = "short"
BYTES = "decbytes"
MONEY = "currencyUSD"
SECONDS = "s"
DBM = "dBm"
INSTANT = "dateTimeAsIso"
PER_SECOND = "reqps"
PLAIN = "none"

GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "yellow", "orange", "red", "blue", "text"
NEUTRAL: tuple[tuple[float | None, str], ...] = ((None, BLUE),)
# The targets of the alert rules: 80 %, and 60 % that nobody should be below.
COVERAGE: tuple[tuple[float | None, str], ...] = ((None, RED), (0.6, ORANGE), (0.8, GREEN))
COMPLETENESS: tuple[tuple[float | None, str], ...] = ((None, ORANGE), (0.9, GREEN))
ANY_IS_BAD: tuple[tuple[float | None, str], ...] = ((None, GREEN), (1, ORANGE))

Panel = builder.Builder[model.Panel]


@dataclass(frozen=True, kw_only=True)
class About:
    """What every panel has. ``page`` is a page of docs/, with its anchor."""

    title: str
    text: str
    page: str
    unit: str
    steps: Sequence[tuple[float | None, str]] = NEUTRAL
    width: int = 12
    height: int = 8
    no_value: str = "unknown"
    units: Mapping[str, str] = field(default_factory=dict)  # of single columns, where they differ
    most: float | None = None


def stats(about: About, *targets: queries.Target) -> Panel:
    return _shown(
        stat.Panel()
        .graph_mode(common_model.BigValueGraphMode.NONE)
        .color_mode(common_model.BigValueColorMode.VALUE)
        .reduce_options(_last()),
        about,
        targets,
    )


def bars(about: About, *targets: queries.Target) -> Panel:
    """A bar for each column of the one row."""
    return _shown(
        bargauge.Panel()
        .orientation(common_model.VizOrientation.HORIZONTAL)
        .display_mode(common_model.BarGaugeDisplayMode.BASIC)
        .value_mode(common_model.BarGaugeValueMode.TEXT)
        .min(0)
        .reduce_options(_last()),
        about,
        targets,
    )


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().values(False).calcs(["lastNotNull"]).fields("/.*/")


def curves(about: About, *targets: queries.Target, is_stacked: bool = False) -> Panel:
    """Lines over time; a day that is not known is a gap, not a line across it."""
    made = (
        timeseries.Panel()
        .line_width(2)
        .fill_opacity(30 if is_stacked else 0)
        .span_nulls(False)
        .show_points(common_model.VisibilityMode.AUTO)
        .legend(
            common.VizLegendOptions()
            .display_mode(common_model.LegendDisplayMode.LIST)
            .placement(common_model.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs([])
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(common_model.TooltipDisplayMode.MULTI)
            .sort(common_model.SortOrder.DESCENDING)
        )
    )
    if about.unit != DBM:
        made = made.min(0)
    if is_stacked:
        made = made.stacking(common.StackingConfig().mode(common_model.StackingMode.NORMAL).group("A"))
    return _shown(made, about, targets)


def columns(about: About, *targets: queries.Target) -> Panel:
    """Stacked columns, one for each day or month."""
    made = (
        timeseries.Panel()
        .draw_style(common_model.GraphDrawStyle.BARS)
        .fill_opacity(80)
        .line_width(1)
        .min(0)
        .stacking(common.StackingConfig().mode(common_model.StackingMode.NORMAL).group("A"))
    )
    return _shown(made, about, targets)


def rows(about: About, *targets: queries.Target) -> Panel:
    return _shown(table.Panel().filterable(True), about, targets)


def _shown(
    made: stat.Panel | bargauge.Panel | timeseries.Panel | table.Panel,
    about: About,
    targets: Sequence[queries.Target],
) -> Panel:
    steps = [model.Threshold(value=value, color=colour) for value, colour in about.steps]
    is_metrics = all(isinstance(target, prometheus.Dataquery) for target in targets)
    made = (
        made.title(about.title)
        .description(about.text)
        .datasource(queries.METRICS if is_metrics else queries.DATABASE)
        .targets(list(targets))
        .unit(about.unit)
        .no_value(about.no_value)
        .thresholds(dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps))
        .links([_link(about.page)])
        .span(about.width)
        .height(about.height)
    )
    if about.most is not None:
        made = made.max(about.most)
    for name, unit in about.units.items():
        made = made.override_by_name(name, [model.DynamicConfigValue(id_val="unit", value=unit)])
    return made


def _link(page: str) -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("What this means")
        .type(model.DashboardLinkType.LINK)
        .url("${docs}/" + page)
        .target_blank(True)
    )
