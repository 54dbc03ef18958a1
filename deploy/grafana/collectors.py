"""The dashboard **Collectors**: how fresh the accounts are, what fails, what the vendors' budgets allow."""

from grafana_foundation_sdk.builders import dashboard

from deploy.grafana import boards, panels
from deploy.grafana.panels import About
from deploy.grafana.queries import metrics, series, table

HERE = 'district="${district_id}"'


def made(docs: str) -> dashboard.Dashboard:
    text = "Whether every account is read in time, what fails, and what waits."
    board = boards.with_metrics(boards.board("afterbell-collectors", "Collectors", text, docs=docs, days=7))
    board = boards.with_row(board, "Freshness", _freshness())
    board = boards.with_row(board, "Sweeps and requests", _sweeps())
    board = boards.with_row(board, "Budgets and work", _budgets())
    return boards.with_row(board, "Rules and messages", _rules())


def _freshness() -> list[panels.Panel]:
    page = "reading-the-page.md"
    return [
        panels.rows(
            About(
                title="Accounts",
                text="Each part of each account: when it was last read, and since when it fails.",
                page=page,
                unit=panels.PLAIN,
                no_value="",
                units={"Every": panels.SECONDS, "Age": panels.SECONDS},
                width=24,
            ),
            table("""
SELECT account AS "Account", collector AS "Collector", endpoint_group AS "Part", cadence_seconds AS "Every",
    extract(epoch FROM now() - last_success_at)::double precision AS "Age", last_success_at AS "Last read",
    last_attempt_at AS "Last tried", failing_since_at AS "Failing since", last_error AS "Error"
FROM reporting.accounts
ORDER BY failing_since_at NULLS LAST, account, endpoint_group
"""),
        ),
        panels.curves(
            About(
                title="Age of what was read last",
                text="Late for an alert at its cadence and two hours; its facts are unknown at twice its cadence.",
                page="metrics.md#accounts-work-and-the-snapshot",
                unit=panels.SECONDS,
                steps=((None, panels.GREEN), (10800, panels.ORANGE)),
            ),
            metrics(
                f"time() - afterbell_account_last_success_timestamp_seconds{{{HERE}}}", legend="{{account}}"
            ),
        ),
        panels.curves(
            About(
                title="Accounts that fail",
                text="1 while any part of the account failed at its last attempt.",
                page="metrics.md#accounts-work-and-the-snapshot",
                unit=panels.COUNT,
                steps=panels.ANY_IS_BAD,
            ),
            metrics(f"afterbell_account_failing{{{HERE}}}", legend="{{account}}"),
        ),
    ]


def _sweeps() -> list[panels.Panel]:
    page = "metrics.md#polling"
    return [
        panels.columns(
            About(
                title="Sweeps by outcome",
                text="By the day that they began on. Partial: some lines that the list promised were not in it.",
                page="reading-the-page.md",
                unit=panels.COUNT,
                no_value="none",
            ),
            series("""
SELECT day_at AS "time", outcome AS metric, sum(runs)::bigint AS value
FROM reporting.poll_days
WHERE $__timeFilter(on_day)
GROUP BY day_at, outcome
ORDER BY 1, 2
"""),
        ),
        panels.curves(
            About(
                title="Requests by outcome",
                text="Requests to vendors a second, by how they ended.",
                page=page,
                unit=panels.PER_SECOND,
                no_value="none",
            ),
            metrics(
                f"sum by (account, state) (rate(afterbell_requests_total{{{HERE}}}[$__rate_interval]))",
                legend="{{account}}, {{state}}",
            ),
        ),
        panels.curves(
            About(
                title="How long sweeps take",
                text="The 95th percentile.",
                page=page,
                unit=panels.SECONDS,
                no_value="none",
            ),
            metrics(
                "histogram_quantile(0.95, sum by (account, le) "
                f"(rate(afterbell_sweep_duration_seconds_bucket{{{HERE}}}[$__rate_interval])))",
                legend="{{account}}",
            ),
        ),
        panels.curves(
            About(
                title="Rows written and rejected",
                text="A second. A row that cannot be right is skipped and counted, never guessed.",
                page=page,
                unit="wps",
                no_value="none",
            ),
            metrics(
                f"sum by (account) (rate(afterbell_rows_written_total{{{HERE}}}[$__rate_interval]))",
                legend="{{account}}, written",
            ),
            metrics(
                f"sum by (account) (rate(afterbell_rows_rejected_total{{{HERE}}}[$__rate_interval]))",
                legend="{{account}}, rejected",
                ref="B",
            ),
        ),
    ]


def _budgets() -> list[panels.Panel]:
    page = "request-budgets.md"
    shares = ((None, panels.GREEN), (0.8, panels.ORANGE), (1, panels.RED))
    return [
        panels.curves(
            About(
                title="Budgets: planned",
                text="The share of its credential's budget that the sweeps take. Above 1 the plan cannot be kept.",
                page=page,
                unit=panels.RATIO,
                steps=shares,
                width=8,
            ),
            metrics(f"afterbell_account_budget_planned_ratio{{{HERE}}}", legend="{{account}}"),
        ),
        panels.curves(
            About(
                title="Budgets: used",
                text="Requests of the last minutes (more of them, the longer the time shown), of those allowed.",
                page=page,
                unit=panels.RATIO,
                steps=shares,
                width=8,
            ),
            metrics(
                f"sum by (account) (rate(afterbell_requests_total{{{HERE}}}[$__rate_interval])) / on (account) "
                f"max by (account) (afterbell_account_budget_requests_per_second{{{HERE}}})",
                legend="{{account}}",
            ),
        ),
        panels.curves(
            About(
                title="Days that wait to be computed",
                text="New data mark the days that they touch; once a minute these are computed again.",
                page="metrics.md#accounts-work-and-the-snapshot",
                unit=panels.COUNT,
                width=8,
            ),
            metrics(f"afterbell_work_waiting{{{HERE}}}", legend="days"),
        ),
    ]


def _rules() -> list[panels.Panel]:
    return [
        panels.rows(
            About(
                title="Alert rules",
                text="How each rule's last run went. Unjudged: too little is known of subjects of open alerts.",
                page="alert-rules.md",
                unit=panels.COUNT,
                no_value="",
                units={"Took": panels.SECONDS},
            ),
            table("""
SELECT rule AS "Rule", evaluated_at AS "Run at", to_char(judged_on, 'YYYY-MM-DD') AS "Judged day", seconds AS "Took",
    breached AS "In breach", unjudged AS "Unjudged", failing_since_at AS "Failing since", error AS "Error"
FROM reporting.rules
ORDER BY failing_since_at NULLS LAST, rule
"""),
        ),
        panels.rows(
            About(
                title="Channels",
                text="How each channel of messages fares. Refused: trying again will not help.",
                page="alert-rules.md",
                unit=panels.PLAIN,
                no_value="",
            ),
            table("""
SELECT channel AS "Channel", last_success_at AS "Last accepted", failing_since_at AS "Failing since",
    is_refused AS "Refused", error AS "Error"
FROM reporting.channels
ORDER BY failing_since_at NULLS LAST, channel
"""),
        ),
    ]
