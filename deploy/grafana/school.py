"""The dashboard **School**: one school, day by day."""

from grafana_foundation_sdk.builders import dashboard

from deploy.grafana import boards, panels
from deploy.grafana.panels import About
from deploy.grafana.queries import series, table

COUNTED = "how-coverage-is-counted.md"
SCHOOL = "ncessch = ${school:sqlstring}"
DAY = "(SELECT max(on_day) FROM reporting.district_days WHERE $__timeFilter(on_day))"


def made(docs: str) -> dashboard.Dashboard:
    text = "One school. Where few of its students are in need, its figures are withheld and the panels stay empty."
    board = boards.board("afterbell-school", "School", text, docs=docs).with_variable(
        boards.choice(
            "school",
            "SELECT ncessch AS __value, name AS __text FROM reporting.schools ORDER BY name, ncessch",
            "School",
        )
    )
    board = boards.with_row(board, "On the last reported day", _day())
    board = boards.with_row(board, "Over time", _trend())
    return boards.with_row(board, "Alerts and money", _beside())


def _figure(
    title: str, column: str, text: str, unit: str, page: str, steps: object = panels.NEUTRAL
) -> panels.Panel:
    return panels.stats(
        About(
            title=title,
            text=text,
            unit=unit,
            page=page,
            steps=steps,  # type: ignore[arg-type]
            width=4,
            height=4,
            no_value="unknown or withheld",
        ),
        table(f'SELECT {column} AS "{title}" FROM reporting.school_days WHERE {SCHOOL} AND on_day = {DAY}'),
    )


def _day() -> list[panels.Panel]:
    page = f"{COUNTED}#coverage-of-a-school"
    return [
        _figure(
            "Status",
            "CASE WHEN coverage_status IS NULL THEN 'withheld' ELSE replace(coverage_status, '_', ' ') END",
            "Whether coverage is known; withheld where few students are in need.",
            panels.PLAIN,
            page,
        ),
        _figure(
            "Coverage",
            "coverage",
            "Students in need with an adequate connection at home, of all in need.",
            panels.RATIO,
            page,
            panels.COVERAGE,
        ),
        _figure(
            "At least",
            "coverage_low",
            "If all who have not answered were in need.",
            panels.RATIO,
            page,
            panels.COVERAGE,
        ),
        _figure(
            "At most",
            "coverage_high",
            "If every loan of unknown state were adequate.",
            panels.RATIO,
            page,
            panels.COVERAGE,
        ),
        _figure(
            "In need",
            "need",
            "Students who cannot get online at home without a loan.",
            panels.COUNT,
            f"{COUNTED}#need-who-counts",
        ),
        _figure(
            "Answered",
            "response_ratio",
            "Students with a valid answer about their connection at home, of all enrolled.",
            panels.RATIO,
            f"{COUNTED}#need-who-counts",
            ((None, panels.ORANGE), (0.7, panels.GREEN)),
        ),
        panels.bars(
            About(
                title="From need to connection",
                text="How many of the school's students in need get as far as each step.",
                page=page,
                unit=panels.COUNT,
            ),
            table(
                'SELECT need AS "In need", loaned AS "With a loan", active_30 AS "Used in 30 days",'
                ' active_7 AS "Used in 7 days", adequate AS "Adequate connection"'
                f" FROM reporting.school_days WHERE {SCHOOL} AND on_day = {DAY}"
            ),
        ),
        panels.bars(
            About(
                title="Students with a loan, by state",
                text="A student takes the best state of their loans. Unknown is not unused.",
                page=f"{COUNTED}#one-state-for-each-loan-and-day",
                unit=panels.COUNT,
            ),
            table(
                'SELECT adequate AS "Adequate", unknown AS "Unknown", weak AS "Weak", exhausted AS "Exhausted",'
                ' idle AS "Idle", never_used AS "Never used", suspended AS "Suspended"'
                f" FROM reporting.school_days WHERE {SCHOOL} AND on_day = {DAY}"
            ),
        ),
    ]


def _trend() -> list[panels.Panel]:
    return [
        panels.curves(
            About(
                title="Coverage with its bounds",
                text="Day by day. A gap: too few loans were heard from, or the school was withheld.",
                page=f"{COUNTED}#coverage-of-a-school",
                unit=panels.RATIO,
                steps=panels.COVERAGE,
                most=1,
            ),
            series(f"""
SELECT day_at AS "time", coverage AS "Coverage", coverage_low AS "At least", coverage_high AS "At most"
FROM reporting.school_days
WHERE {SCHOOL} AND $__timeFilter(on_day)
ORDER BY 1
"""),
        ),
        panels.curves(
            About(
                title="Students with a loan, by state",
                text="The school's students in need with a loan, by their best loan's state.",
                page=f"{COUNTED}#one-state-for-each-loan-and-day",
                unit=panels.COUNT,
            ),
            series(f"""
SELECT day_at AS "time", adequate AS "Adequate", unknown AS "Unknown", weak AS "Weak", exhausted AS "Exhausted",
    idle AS "Idle", never_used AS "Never used", suspended AS "Suspended"
FROM reporting.school_days
WHERE {SCHOOL} AND $__timeFilter(on_day)
ORDER BY 1
"""),
            is_stacked=True,
        ),
    ]


def _beside() -> list[panels.Panel]:
    return [
        panels.rows(
            About(
                title="Alerts that stand",
                text="Of the school, by rule.",
                page="alert-rules.md",
                unit=panels.COUNT,
                steps=panels.ANY_IS_BAD,
                no_value="",
            ),
            table(f"""
SELECT rule AS "Rule", severity AS "Severity", state AS "State", sum(alerts)::bigint AS "Alerts",
    to_char(min(since_on), 'YYYY-MM-DD') AS "Since"
FROM reporting.alerts
WHERE {SCHOOL}
GROUP BY rule, severity, state
ORDER BY sum(alerts) DESC, rule
"""),
        ),
        panels.rows(
            About(
                title="What its lines cost",
                text="By complete month: the lines that the school lent last.",
                page="equity.md",
                unit=panels.COUNT,
                no_value="",
                units={"Idle": panels.MONEY, "All": panels.MONEY},
            ),
            table(f"""
SELECT to_char(month_on, 'YYYY-MM') AS "Month", lines AS "Lines", lines_idle AS "Idle lines", idle_cost AS "Idle",
    cost AS "All", without_cost AS "Price unknown"
FROM reporting.school_cost_months
WHERE {SCHOOL} AND $__timeFilter(month_on)
ORDER BY month_on DESC
"""),
        ),
    ]
