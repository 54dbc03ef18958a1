"""The dashboard **District**: how many students in need are connected, where, and what idle lines cost."""

from grafana_foundation_sdk.builders import dashboard

from deploy.grafana import boards, panels
from deploy.grafana.panels import About
from deploy.grafana.queries import series, table

COUNTED = "how-coverage-is-counted.md"
# The last reported day of the chosen time.
DAY = "(SELECT max(on_day) FROM reporting.district_days WHERE $__timeFilter(on_day))"


def made(docs: str) -> dashboard.Dashboard:
    text = "Which students in need have a working connection at home? Figures of the last reported day that is chosen."
    board = boards.board("afterbell-district", "District", text, docs=docs)
    for title, shown in (
        ("On the last reported day", _day()),
        ("Over time", _trend()),
        ("Schools", _schools()),
        ("Money", _money()),
        ("Alerts", _alerts()),
    ):
        board = boards.with_row(board, title, shown)
    return board


def _figure(title: str, column: str, text: str, **more: object) -> panels.Panel:
    settings = {"unit": panels.RATIO, "width": 4, "height": 4, "page": COUNTED} | more
    return panels.stats(
        About(title=title, text=text, **settings),  # type: ignore[arg-type]
        table(f'SELECT {column} AS "{title}" FROM reporting.district_days WHERE on_day = {DAY}'),
    )


def _day() -> list[panels.Panel]:
    return [
        _figure(
            "Reported day",
            "extract(epoch FROM day_at)::double precision * 1000",
            "The latest day that every account has told of, within the chosen time: all figures of this row are of it.",
            unit=panels.INSTANT,
            page=f"{COUNTED}#which-day",
        ),
        _figure(
            "Coverage",
            "coverage",
            "Students in need with an adequate connection at home, of all in need. Unknown where too few loans "
            "have been heard from.",
            steps=panels.COVERAGE,
            page=f"{COUNTED}#coverage-of-the-district",
        ),
        _figure(
            "At least",
            "coverage_low",
            "Coverage if everybody who has not answered were in need and had no connection.",
            steps=panels.COVERAGE,
            page=f"{COUNTED}#coverage-of-the-district",
        ),
        _figure(
            "At most",
            "coverage_high",
            "Coverage if every loan of unknown state were an adequate connection.",
            steps=panels.COVERAGE,
            page=f"{COUNTED}#coverage-of-the-district",
        ),
        _figure(
            "Completeness",
            "completeness",
            "Students with a loan whose state is known, of all with a loan. Below the floor (0.9) coverage is unknown.",
            steps=panels.COMPLETENESS,
            page=f"{COUNTED}#coverage-of-the-district",
        ),
        _figure(
            "Not connected",
            "CASE WHEN coverage IS NOT NULL THEN unmet END",  # else who is not heard from would be taken for offline
            "Students in need without an adequate connection at home. Unknown where coverage is.",
            unit=panels.COUNT,
            page=f"{COUNTED}#coverage-of-the-district",
        ),
        panels.bars(
            About(
                title="From need to connection",
                text="How many of the students in need get as far as each step.",
                page=f"{COUNTED}#coverage-of-the-district",
                unit=panels.COUNT,
                width=8,
            ),
            table(
                'SELECT need AS "In need", loaned AS "With a loan", active_30 AS "Used in 30 days",'
                ' active_7 AS "Used in 7 days", adequate AS "Adequate connection"'
                f" FROM reporting.district_days WHERE on_day = {DAY}"
            ),
        ),
        panels.bars(
            About(
                title="Students with a loan, by state",
                text="A student takes the best state of their loans. Unknown is not unused.",
                page=f"{COUNTED}#one-state-for-each-loan-and-day",
                unit=panels.COUNT,
                width=8,
            ),
            table(
                'SELECT adequate AS "Adequate", unknown AS "Unknown", weak AS "Weak", exhausted AS "Exhausted",'
                ' idle AS "Idle", never_used AS "Never used", suspended AS "Suspended"'
                f" FROM reporting.district_days WHERE on_day = {DAY}"
            ),
        ),
        panels.rows(
            About(
                title="High-needs schools and others",
                text="The two groups beside each other. A group with few students in need is withheld.",
                page="equity.md",
                unit=panels.RATIO,
                steps=panels.COVERAGE,
                width=8,
                units={"In need": panels.COUNT, "Schools": panels.COUNT},
            ),
            table(
                "SELECT CASE school_group WHEN 'high_needs' THEN 'High-needs' WHEN 'others' THEN 'Others'"
                " ELSE 'Not told' END AS \"Group\","
                ' schools_with_need AS "Schools", need AS "In need", coverage AS "Coverage",'
                ' coverage_low AS "At least", coverage_high AS "At most"'
                f" FROM reporting.group_days WHERE on_day = {DAY} ORDER BY school_group"
            ),
        ),
    ]


def _trend() -> list[panels.Panel]:
    return [
        panels.curves(
            About(
                title="Coverage with its bounds",
                text="Day by day. A gap: too few loans were heard from, so that only the bounds are known.",
                page=f"{COUNTED}#coverage-of-the-district",
                unit=panels.RATIO,
                steps=panels.COVERAGE,
                most=1,
            ),
            series("""
SELECT day_at AS "time", coverage AS "Coverage", coverage_low AS "At least", coverage_high AS "At most"
FROM reporting.district_days
WHERE $__timeFilter(on_day)
ORDER BY 1
"""),
        ),
        panels.curves(
            About(
                title="High-needs schools against others",
                text="Coverage of the two groups of schools, by today's list of high-needs schools.",
                page="equity.md",
                unit=panels.RATIO,
                steps=panels.COVERAGE,
                most=1,
            ),
            series("""
SELECT day_at AS "time", max(coverage) FILTER (WHERE school_group = 'high_needs') AS "High-needs",
    max(coverage) FILTER (WHERE school_group = 'others') AS "Others"
FROM reporting.group_days
WHERE $__timeFilter(on_day)
GROUP BY day_at
ORDER BY 1
"""),
        ),
        panels.curves(
            About(
                title="Students with a loan, by state",
                text="All students in need with a loan, by their best loan's state.",
                page=f"{COUNTED}#one-state-for-each-loan-and-day",
                unit=panels.COUNT,
            ),
            series("""
SELECT day_at AS "time", adequate AS "Adequate", unknown AS "Unknown", weak AS "Weak", exhausted AS "Exhausted",
    idle AS "Idle", never_used AS "Never used", suspended AS "Suspended"
FROM reporting.district_days
WHERE $__timeFilter(on_day)
ORDER BY 1
"""),
            is_stacked=True,
        ),
        panels.curves(
            About(
                title="Need and loans",
                text="Students in need, those of them with a loan, and those with an adequate connection.",
                page=f"{COUNTED}#need-who-counts",
                unit=panels.COUNT,
            ),
            series("""
SELECT day_at AS "time", need AS "In need", loaned AS "With a loan", covered AS "Connected"
FROM reporting.district_days
WHERE $__timeFilter(on_day)
ORDER BY 1
"""),
        ),
    ]


def _schools() -> list[panels.Panel]:
    return [
        panels.rows(
            About(
                title="Coverage by school, the lowest first",
                text="Schools with few students in need are withheld, and those whose need nobody has told: their "
                "figures are empty. Where one alone would be withheld, the next larger is too.",
                page="reading-the-page.md",
                unit=panels.RATIO,
                steps=panels.COVERAGE,
                width=24,
                height=12,
                no_value="",
                units=dict.fromkeys(
                    ("In need", "With a loan", "Adequate", "Without a connection"), panels.COUNT
                ),
            ),
            table(f"""
SELECT school AS "School", ncessch AS "NCES id", is_high_needs AS "High-needs", coverage AS "Coverage",
    coverage_low AS "At least", coverage_high AS "At most", completeness AS "Completeness", need AS "In need",
    loaned AS "With a loan", adequate AS "Adequate",
    CASE WHEN coverage IS NOT NULL THEN unmet END AS "Without a connection", response_ratio AS "Answered",
    CASE WHEN is_withheld THEN 'withheld' ELSE coverage_status END AS "Status"
FROM reporting.school_days
WHERE on_day = {DAY}
ORDER BY coverage NULLS LAST, unmet DESC NULLS LAST, school
"""),
        )
    ]


def _money() -> list[panels.Panel]:
    return [
        panels.columns(
            About(
                title="What lines cost, and idle ones of it",
                text="By complete month. An idle line moved no byte on any day of the month, and every day is known.",
                page="equity.md",
                unit=panels.MONEY,
                no_value="no month is complete yet",
                width=8,
            ),
            series("""
SELECT month_at AS "time", idle_cost AS "Idle", cost - idle_cost AS "Other"
FROM reporting.cost_months
WHERE $__timeFilter(month_on)
ORDER BY 1
"""),
        ),
        panels.rows(
            About(
                title="Idle cost by school, latest month",
                text="The lines that no school lent, and those of schools that are withheld, are in one row.",
                page="equity.md",
                unit=panels.COUNT,
                no_value="",
                width=8,
                units={"Idle": panels.MONEY, "All": panels.MONEY},
            ),
            table("""
SELECT coalesce(school, 'No school, or withheld') AS "School", lines AS "Lines", lines_idle AS "Idle lines",
    idle_cost AS "Idle", cost AS "All", without_cost AS "Price unknown"
FROM reporting.school_cost_months
WHERE month_on = (SELECT max(month_on) FROM reporting.cost_months WHERE month_on <= $__timeTo()::date)
ORDER BY idle_cost DESC, lines_idle DESC, school
"""),
        ),
        panels.rows(
            About(
                title="Contradictions",
                text="Where loans, lines and the roster contradict each other, as last counted.",
                page="reconciliation.md",
                unit=panels.COUNT,
                no_value="",
                width=8,
                units={"A month": panels.MONEY},
            ),
            table("""
SELECT replace(kind, '_', ' ') AS "Kind", findings AS "Findings", monthly_cost AS "A month",
    to_char(oldest_on, 'YYYY-MM-DD') AS "Oldest"
FROM reporting.reconciliation
ORDER BY findings DESC, kind
"""),
        ),
    ]


def _alerts() -> list[panels.Panel]:
    return [
        panels.rows(
            About(
                title="Alerts that stand",
                text="By rule. Held: it came and went so often that it is held back. Schools that are withheld are not "
                "counted among the schools.",
                page="alert-rules.md",
                unit=panels.COUNT,
                steps=panels.ANY_IS_BAD,
                no_value="",
            ),
            table("""
SELECT rule AS "Rule", severity AS "Severity", state AS "State", sum(alerts)::bigint AS "Alerts",
    count(DISTINCT ncessch) AS "Schools", to_char(min(since_on), 'YYYY-MM-DD') AS "Since"
FROM reporting.alerts
GROUP BY rule, severity, state
ORDER BY sum(alerts) DESC, rule
"""),
        ),
        panels.columns(
            About(
                title="Alerts that fired",
                text="By day and rule.",
                page="alert-rules.md",
                unit=panels.COUNT,
                no_value="none",
            ),
            series("""
SELECT day_at AS "time", rule AS metric, sum(flips)::bigint AS value
FROM reporting.alert_days
WHERE $__timeFilter(on_day) AND kind = 'fired'
GROUP BY day_at, rule
ORDER BY 1, 2
"""),
        ),
    ]
