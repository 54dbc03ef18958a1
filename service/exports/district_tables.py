"""The tables of the district: its month, groups of schools, and how coverage moved over the released months."""

from collections.abc import Iterator

from service.exports import columns, published, tables
from service.exports.tables import Column, Row, Table, Value
from service.model import high_needs
from service.model.protection import Level

_COUNTS = {
    "answered": "Students with a valid answer.",
    "need": "Answered students who cannot get online at home.",
    "loaned": "Students in need with an open loan of a hotspot.",
    "active_7": "Of these, those whose hotspot moved data in the last 7 days.",
    "active_30": "Of these, those whose hotspot moved data in the last 30 days.",
    "adequate": "Of these, those with a working connection.",
    "unknown": "Of these, those of whose hotspot too little is known.",
    "covered": "adequate without the surplus of any school over its need.",
    "unmet": "need less covered.",
}
_SHARES = {
    "coverage": "covered / need.",
    "coverage_low": "The least it can be: if all who have not answered were in need.",
    "coverage_high": "The most it can be: if every hotspot of unknown state worked.",
    "completeness": "Students with a loan that was heard from / students with a loan.",
    "response_ratio": "answered / enrolled.",
}
_MEASURES = {
    "coverage_gap": ("Coverage of the other schools less that of the high-needs schools.", tables.CHANGE),
    "coverage_ratio": ("Coverage of the high-needs schools / that of the others; below 1 is inequity.", ""),
    "aci": ("Absolute concentration index; above 0: coverage lies with the less needy schools.", ""),
    "rci": ("Relative concentration index: aci / mean coverage.", ""),
    "par": ("Coverage of the best band of need less that of the schools together.", tables.CHANGE),
}
_MONEY = {
    "cost": "What the lines cost in the month.",
    "idle_cost": "What those lines cost that moved no byte on any day of the month, all days being known.",
    "cost_per_covered_student": "cost / adequate; not where a school's need is not known.",
}
_LINES = {
    "lines": "Lines paid for.",
    "idle_lines": "Of these, those without a byte on any day, all days being known.",
}

_TOLD = {Level.TEN: "ten, or by the strict rule with something hidden"}
_SCHOOLS = (
    columns.whole("schools", "Schools of the district.", unit="schools"),
    columns.whole(
        "schools_without_need", "Of these, schools whose need is not known: in no total.", unit="schools"
    ),
    columns.whole(
        "schools_without_day", "Of these, schools without a figure day: they have no counts.", unit="schools"
    ),
    *(
        columns.whole(
            f"schools_{level}", f"Of these, schools told as: {_TOLD.get(level, level)}.", unit="schools"
        )
        for level in Level
    ),
)

MONTH = Table(
    name="district_month",
    title="The district in the month",
    says="Totals over the schools whose need is known, coverage, equity and cost.",
    columns=(
        columns.month(),
        columns.text("district_leaid", "The district's NCES id, where all its schools share one."),
        columns.text("district_name", "The district.", is_required=True),
        Column(name="figure_on", kind="date", says="The day the counts are of."),
        *_SCHOOLS,
        *(column for name, says in _COUNTS.items() for column in tables.count(name, says)),
        *(column for name, says in _SHARES.items() for column in columns.share(name, says)),
        *(
            column
            for name, (says, unit) in _MEASURES.items()
            for column in columns.index(name, says, unit=unit)
        ),
        *(column for name, says in _LINES.items() for column in tables.count(name, says, unit="lines")),
        *(column for name, says in _MONEY.items() for column in columns.money(name, says)),
        Column(
            name="is_partial", kind="boolean", says="Told before the month had settled.", is_required=True
        ),
        columns.version(),
    ),
    key=("month",),
)

_GROUPS = ("high-needs", "others", *high_needs.BANDS)
GROUPS = Table(
    name="need_groups",
    title="Schools by need",
    says="High-needs schools and the others, and the bands of one indicator of need. A figure with the symbol about is "
    "made of the middles of ranges.",
    columns=(
        columns.month(),
        columns.text("kind", "What the groups are of.", is_required=True, choices=("high_needs", "band")),
        columns.text(
            "name",
            "The group; bands from the least needy to the neediest.",
            is_required=True,
            choices=_GROUPS,
        ),
        columns.text("basis", "The indicator of the bands, and its year."),
        columns.whole("schools", "Schools that are counted.", unit="schools"),
        columns.whole(
            "left_out",
            "Schools that are not, as their counts are not told or need is not known.",
            unit="schools",
        ),
        *tables.count("need", "Students in need."),
        *tables.count("covered", "Of these, those with a working connection."),
        *tables.count("unknown", "Of these, those of whose hotspot too little is known."),
        *columns.share("coverage", "covered / need."),
        columns.version(),
    ),
    key=("month", "kind", "name"),
)

TREND = Table(
    name="trend",
    title="Coverage by month",
    says="Coverage of the district and of each school in every month released so far, as it was released last. A month "
    "that was not released is not there.",
    columns=(
        columns.month(),
        columns.text("place", "district, or the school's NCES id.", is_required=True),
        columns.text("name", "The district or the school.", is_required=True),
        *columns.share("coverage", "Coverage in that month."),
        columns.version(),
    ),
    key=("month", "place"),
)


def month_rows(told: published.Published) -> list[Row]:
    district, numbers = told.district, told.district.numbers
    plain: tuple[Value, ...] = (
        str(told.facts.month),
        told.facts.leaid,
        told.facts.district_name,
        None if told.facts.figure_on is None else told.facts.figure_on.isoformat(),
        district.schools,
        district.schools_without_need,
        district.schools_without_day,
        *(district.levels.get(level, 0) for level in Level),
    )
    return [
        (
            *plain,
            *(cell for name in _COUNTS for cell in columns.of_count(numbers[name])),
            *(cell for name in _SHARES for cell in columns.of_range(numbers[name])),
            *(cell for name in _MEASURES for cell in columns.of_range(numbers[name])),
            *(cell for name in _LINES for cell in columns.of_count(numbers[name])),
            *(cell for name in _MONEY for cell in columns.of_range(numbers[name])),
            told.is_partial,
            columns.VERSION,
        )
    ]


def group_rows(told: published.Published) -> list[Row]:
    kinds = (
        ("high_needs", None, told.district.groups),
        ("band", told.district.bands_basis, told.district.bands),
    )
    return [_group(told, kind, basis, group) for kind, basis, listed in kinds for group in listed]


def _group(told: published.Published, kind: str, basis: str | None, group: published.Group) -> Row:
    counts = (group.need, group.adequate, group.unknown)
    return (
        str(told.facts.month),
        kind,
        group.name,
        basis,
        group.schools,
        group.left_out,
        *(cell for number in counts for cell in columns.of_count(number)),
        *columns.of_range(group.coverage),
        columns.VERSION,
    )


def trend_rows(told: published.Published) -> list[Row]:
    return list(_trend(told))


def _trend(told: published.Published) -> Iterator[Row]:
    names = {one.school.ncessch: one.school.name for one in told.schools}
    now = published.EarlierMonth(
        month=told.facts.month,
        district=told.district.numbers,
        schools={one.school.ncessch: one.numbers["coverage"] for one in told.schools},
    )
    for month in (*told.earlier, now):
        if "coverage" in month.district:
            coverage = month.district["coverage"]
            yield _point(month, "district", told.facts.district_name, coverage)
        for ncessch, name in names.items():
            if ncessch in month.schools:
                yield _point(month, ncessch, name, month.schools[ncessch])


def _point(month: published.EarlierMonth, place: str, name: str, coverage: published.Number) -> Row:
    return str(month.month), place, name, *columns.of_range(coverage), columns.VERSION
