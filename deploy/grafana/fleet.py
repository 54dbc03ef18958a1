"""The dashboard **Fleet**: lines by status, carriers, allowances, signal."""

from grafana_foundation_sdk.builders import dashboard

from deploy.grafana import boards, panels
from deploy.grafana.panels import About
from deploy.grafana.queries import series, table

ACCOUNT = "account = ${account:sqlstring}"
FLEET = "one-fleet.md"
PLANS = "plans-and-supports.md"
DAY = "(SELECT max(on_day) FROM reporting.fleet_days WHERE $__timeFilter(on_day))"


def made(docs: str) -> dashboard.Dashboard:
    text = "Lines, as the accounts tell of them. Two accounts may tell of one line: nothing is summed over accounts."
    board = boards.board("afterbell-fleet", "Fleet", text, docs=docs).with_variable(
        boards.choice(
            "account",
            "SELECT DISTINCT account AS __value FROM reporting.accounts ORDER BY account",
            "Account",
        )
    )
    board = boards.with_row(board, "All accounts, on the last reported day", _accounts())
    board = boards.with_row(board, "The chosen account", _account())
    board = boards.with_row(board, "Allowances", _allowances())
    return boards.with_row(board, "Signal", _signal())


def _accounts() -> list[panels.Panel]:
    return [
        panels.rows(
            About(
                title="Lines by account and status",
                text="On the last reported day. Used: it moved bytes that day; idle: it is known to have moved none.",
                page=FLEET,
                unit=panels.COUNT,
                no_value="",
                width=24,
                units={"Data": panels.BYTES},
            ),
            table(f"""
SELECT account AS "Account", collector AS "Collector", status AS "Status", lines AS "Lines", lines_used AS "Used",
    lines_idle AS "Idle", lines_unknown AS "Unknown", lines_at_limit AS "At their limit", used_bytes AS "Data"
FROM reporting.fleet_days
WHERE on_day = {DAY}
ORDER BY account, lines DESC, status
"""),
        )
    ]


def _account() -> list[panels.Panel]:
    return [
        panels.curves(
            About(
                title="Lines by status",
                text="As the account told at the end of each day; unknown where it told nothing in time.",
                page=FLEET,
                unit=panels.COUNT,
            ),
            series(f"""
SELECT day_at AS "time", status AS metric, lines AS value
FROM reporting.fleet_days
WHERE {ACCOUNT} AND $__timeFilter(on_day)
ORDER BY 1, 2
"""),
            is_stacked=True,
        ),
        panels.curves(
            About(
                title="Lines in use",
                text="Lines that moved bytes on the day, that moved none, and of which it is not known.",
                page=FLEET,
                unit=panels.COUNT,
            ),
            series(f"""
SELECT day_at AS "time", sum(lines_used) AS "Used", sum(lines_idle) AS "Idle", sum(lines_unknown) AS "Unknown"
FROM reporting.fleet_days
WHERE {ACCOUNT} AND $__timeFilter(on_day)
GROUP BY day_at
ORDER BY 1
"""),
            is_stacked=True,
        ),
        panels.columns(
            About(
                title="Data a day",
                text="Of the lines whose day is known.",
                page=FLEET,
                unit=panels.BYTES,
            ),
            series(f"""
SELECT day_at AS "time", sum(used_bytes) AS "Data"
FROM reporting.fleet_days
WHERE {ACCOUNT} AND $__timeFilter(on_day)
GROUP BY day_at
ORDER BY 1
"""),
        ),
        panels.curves(
            About(
                title="Lines at their limit",
                text="Lines that reached the limit of a day or of a billing cycle.",
                page=PLANS,
                unit=panels.COUNT,
                steps=panels.ANY_IS_BAD,
            ),
            series(f"""
SELECT day_at AS "time", sum(lines_at_limit) AS "At their limit"
FROM reporting.fleet_days
WHERE {ACCOUNT} AND $__timeFilter(on_day)
GROUP BY day_at
ORDER BY 1
"""),
        ),
    ]


def _allowances() -> list[panels.Panel]:
    return [
        panels.rows(
            About(
                title="Plans",
                text="Each plan's lines, price and allowance, and how far yearly and pooled allowances are used.",
                page=PLANS,
                unit=panels.COUNT,
                no_value="",
                units={"Allowance": panels.BYTES, "A month": panels.MONEY, "Used": panels.RATIO},
            ),
            table("""
SELECT plan AS "Plan", provider AS "Provider", lines AS "Lines", monthly_cost AS "A month",
    allowance_bytes AS "Allowance", allowance_period AS "Period", is_pooled AS "Pool", at_allowance AS "Then",
    lines_at_limit AS "At their limit", used_ratio AS "Used"
FROM reporting.plan_days
WHERE on_day = (SELECT max(on_day) FROM reporting.plan_days WHERE $__timeFilter(on_day))
ORDER BY plan
"""),
        ),
        panels.curves(
            About(
                title="Yearly and pooled allowances used",
                text="What the lines have used of their period, of what they may use in it; each period begins anew.",
                page=PLANS,
                unit=panels.RATIO,
                steps=((None, panels.GREEN), (0.75, panels.YELLOW), (0.9, panels.ORANGE), (1, panels.RED)),
                no_value="no plan has one",
            ),
            series("""
SELECT day_at AS "time", plan AS metric, used_ratio AS value
FROM reporting.plan_days
WHERE $__timeFilter(on_day) AND used_ratio IS NOT NULL
ORDER BY 1, 2
"""),
        ),
    ]


def _signal() -> list[panels.Panel]:
    steps = ((None, panels.RED), (-110, panels.YELLOW), (-100, panels.GREEN))
    return [
        panels.curves(
            About(
                title="Signal (RSRP)",
                text="Of the medians of all lines that were measured on a day: the median, and what a tenth is below.",
                page="how-coverage-is-counted.md#one-state-for-each-loan-and-day",
                unit=panels.DBM,
                steps=steps,
                no_value="no account measures it",
            ),
            series("""
SELECT day_at AS "time", account || ', median' AS metric, median_rsrp_dbm AS value
FROM reporting.signal_days
WHERE $__timeFilter(on_day)
UNION ALL
SELECT day_at, account || ', a tenth is below', lowest_rsrp_dbm
FROM reporting.signal_days
WHERE $__timeFilter(on_day)
ORDER BY 1, 2
"""),
        ),
        panels.curves(
            About(
                title="Lines with a weak signal",
                text="Lines whose median of the day is below the floor (-110 dBm).",
                page="how-coverage-is-counted.md#one-state-for-each-loan-and-day",
                unit=panels.COUNT,
                steps=panels.ANY_IS_BAD,
                no_value="no account measures it",
            ),
            series("""
SELECT day_at AS "time", account AS metric, lines_weak AS value
FROM reporting.signal_days
WHERE $__timeFilter(on_day)
ORDER BY 1, 2
"""),
        ),
    ]
