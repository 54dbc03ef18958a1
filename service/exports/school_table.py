"""The table of schools: one row per school."""

from service.exports import columns, published, tables
from service.exports import told as telling
from service.exports.tables import Row, Table, Value
from service.model.protection import Level

_COUNTS = {
    "answered": "Students of the school with a valid answer to: can you get online at home?",
    "need": "Answered students who cannot.",
    "loaned": "Students in need with an open loan of a hotspot.",
    "active_7": "Of these, those whose hotspot moved data in the last 7 days.",
    "active_30": "Of these, those whose hotspot moved data in the last 30 days.",
    "adequate": "Of these, those with a working connection: used in 7 days, not stopped by a plan, not too weak.",
    "unknown": "Of these, those of whose hotspot too little is known.",
}
_SIDE = {
    "waitlist": "Requests of the school that nobody has filled yet.",
    "idle_30": "Open loans without any use for at least 30 known days.",
    "idle_60": "Open loans without any use for at least 60 known days.",
    "idle_90": "Open loans without any use for at least 90 known days.",
}
_SHARES = {
    "coverage": "Students in need with a working connection / need; each school's surplus left out.",
    "coverage_low": "The least it can be: if all who have not answered were in need.",
    "coverage_high": "The most it can be: if every hotspot of unknown state worked.",
    "completeness": "Students with a loan that was heard from / students with a loan. Below the floor in the notes, "
    "coverage is not told.",
}
_AVERAGES = {
    "gb_per_active_mean": (
        "Data moved in the month / hotspots that moved any; of 10 devices or more.",
        "GB",
        1,
    ),
    "hotspot_uptime_pct": (
        "Of the times a fixed home router was looked at, those on which it was online; of 10 devices or more.",
        tables.PERCENT,
        0,
    ),
    "pct_usage_outside_school_hours": (
        "Data moved in the homework window, 16:00 to 22:00, of all data; of 10 devices or more.",
        tables.PERCENT,
        0,
    ),
}
_FLAGS = (
    "What to know of the row: ranges_of_five, ranges_of_ten, band_only, withheld, some_ranges, small_counts_hidden, "
    "no_figure_day, need_unknown, no_need, need_exceeded, incomplete, maybe_incomplete, low_response; separated by "
    "spaces. The notes explain them."
)


def _plain() -> tuple[tables.Column, ...]:
    return (
        columns.month(),
        columns.text("district_leaid", "The district's NCES id, where all its schools share one."),
        columns.text("school_ncessch", "The school's NCES id.", is_required=True),
        columns.text("school_name", "The school.", is_required=True),
        tables.Column(
            name="high_needs_flag",
            kind="boolean",
            says="On the district's list of high-needs schools; empty: not told.",
        ),
        columns.text("need_basis", "By what it is on the list, or not."),
        tables.Column(
            name="need_value", kind="number", says="The indicator's value.", unit="share", minimum=0
        ),
        columns.text("need_year", "The indicator's school year."),
        tables.Column(
            name="enrolled", kind="integer", says="Students of the school.", unit="students", minimum=0
        ),
    )


def _supports() -> tuple[tables.Column, ...]:
    says = {
        "library_hours": "Hours a week of library access at the school: beside coverage, never in it.",
        "activity_bus": "Hours a week of activity buses with Wi-Fi: beside coverage, never in it.",
    }
    return tuple(
        tables.Column(
            name=f"other_support_{name}",
            kind="number",
            says=sentence,
            unit="hours",
            minimum=0,
            decimals=2,
        )
        for name, sentence in says.items()
    )


def _missing_and_flags() -> tuple[tables.Column, ...]:
    return (
        tables.Column(
            name="data_days_missing",
            kind="integer",
            says="Days of the month on which no open loan of the school was heard from; empty: not told.",
            unit="days",
            minimum=0,
            maximum=31,
        ),
        columns.text("suppression_flags", _FLAGS),
    )


def _end() -> tuple[tables.Column, ...]:
    return (
        *tables.count("unmet", "Students in need without a working connection."),
        tables.Column(
            name="figure_on",
            kind="date",
            says="The day the counts are of: the last school day of the month that was heard from enough.",
        ),
        columns.text(
            "level",
            "How exactly the row is told; empty: the school has no figure day.",
            choices=tuple(str(level) for level in Level),
        ),
        tables.Column(
            name="is_partial", kind="boolean", says="Told before the month had settled.", is_required=True
        ),
        columns.version(),
    )


def _counts(says: dict[str, str]) -> tuple[tables.Column, ...]:
    return tuple(column for name, sentence in says.items() for column in tables.count(name, sentence))


def _shares(says: dict[str, str]) -> tuple[tables.Column, ...]:
    return tuple(column for name, sentence in says.items() for column in columns.share(name, sentence))


TABLE = Table(
    name="school_month",
    title="Schools in the month",
    says="One row per school: students in need, loans, coverage and its bounds, as exactly as protects every student.",
    columns=(
        *_plain(),
        *tables.count("answered", _COUNTS["answered"]),
        *columns.share("response_ratio", "answered / enrolled."),
        *_counts({name: says for name, says in _COUNTS.items() if name != "answered"}),
        *_shares(_SHARES),
        *_counts(_SIDE),
        *tables.count("lost_month", "Loans reported lost in the month."),
        *(
            column
            for name, (says, unit, decimals) in _AVERAGES.items()
            for column in columns.measure(name, says, unit=unit, decimals=decimals)
        ),
        *_supports(),
        *_missing_and_flags(),
        *_end(),
    ),
    key=("month", "school_ncessch"),
)


def rows(told: published.Published) -> list[Row]:
    return [_row(told, school) for school in told.schools]


def _row(told: published.Published, one: published.School) -> Row:
    numbers, school = one.numbers, one.school
    plain: tuple[Value, ...] = (
        str(told.facts.month),
        told.facts.leaid,
        school.ncessch,
        school.name,
        school.is_high_needs,
        school.high_needs_basis,
        school.indicator_value,
        school.indicator_year,
        school.enrolled,
    )
    return (
        *plain,
        *columns.of_count(numbers["answered"]),
        *columns.of_range(numbers["response_ratio"]),
        *(cell for name in _COUNTS if name != "answered" for cell in columns.of_count(numbers[name])),
        *(cell for name in _SHARES for cell in columns.of_range(numbers[name])),
        *(cell for name in (*_SIDE, "lost") for cell in columns.of_count(numbers[name])),
        *(cell for name in _AVERAGES for cell in columns.of_measure(numbers[name])),
        *_row_end(told, one),
    )


def _row_end(told: published.Published, one: published.School) -> tuple[Value, ...]:
    school = one.school
    return (
        school.library_hours,
        school.activity_bus_hours,
        one.days_missing,
        " ".join(one.flags) or None,
        *columns.of_count(one.numbers["unmet"]),
        None if told.facts.figure_on is None else told.facts.figure_on.isoformat(),
        None if telling.NO_FIGURE_DAY in one.flags else str(one.level),
        told.is_partial,
        columns.VERSION,
    )
