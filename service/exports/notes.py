"""The notes of a shareable package: what it is, what its figures mean, what is not known, what was coarsened."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from service.exports import columns, published
from service.exports.tables import Row, Table
from service.exports.writing import text
from service.model import protection

TABLE = Table(
    name="notes",
    title="Notes",
    says="What the figures mean, the thresholds in force, what is not known, and what was done to protect students.",
    columns=(
        columns.text("section", "What the note is about.", is_required=True),
        columns.text("name", "Its name in the section.", is_required=True),
        columns.text("value", "The value in force, where there is one."),
        columns.text("says", "What it means.", is_required=True),
        columns.version(),
    ),
    key=("section", "name"),
)

DEFINITIONS: Mapping[str, str] = {
    "need": "Answered students who cannot get online at home on the device they learn with.",
    "answered": "Students with a valid answer to whether they can. Who has not answered is neither in need nor not.",
    "loaned": "Students in need with an open loan of a hotspot.",
    "adequate": "Students in need whose hotspot moved data in the last 7 days, and is not suspended, not at the end of "
    "its plan and not measured as too weak.",
    "unknown": "Students in need of whose hotspot too little is known to say. Never counted as not used.",
    "coverage": "Students in need with an adequate connection / need; no more than 1 at each school.",
    "coverage_low": "adequate / (need + students who have not answered).",
    "coverage_high": "(adequate + unknown) / need.",
    "completeness": "Share of the students with a loan whose hotspot was heard from. Below the floor, coverage is not "
    "told, only its bounds.",
    "month": "A month's counts are those of its last school day on which enough was heard from.",
    "high_needs": "Schools by the district's list or rule. Bands never mix indicators.",
    "aci": "Sum over schools of p (2 X - 1) y: p share of the students in need, X the middle of the school's place "
    "from neediest (0) to least needy (1), y its coverage.",
    "idle_cost": "Cost of lines with a known 0 on every day of the month. A line of which nothing is known is "
    "not in it.",
    "supports": "Library hours and activity buses stand beside coverage, never in it.",
}
SYMBOLS: Mapping[str, str] = {
    "5 to 9": "A range: the count is one of these numbers. Its least and most are in the columns beside it.",
    "60% to 70%": "A range of a share. At the level ten and band it is 60% or more and less than 70%.",
    "<5%": "Less than 5%.",
    ">95%": "More than 95%.",
    "about": "Made of the middles of ranges, or of the schools that are told. What it lies between is beside it, where "
    "that can be said of the schools that are counted.",
    "about, direction unknown": "As about, of a difference or an index that may lie on either side of none: which side "
    "is better off cannot be said. What it lies between is beside it, where no school is left out.",
    "about $N": "An amount whose number of lines is told as a range, to two figures.",
    "$150 to $1,520": "An amount of lines of several prices: of how many lines each price is, is not told.",
    "at least $12": "An amount per student where it is not told that there is one.",
    "withheld": "Not told, so that no student can be found.",
    "n<10": "Strict: a count below the number. 0 is among them.",
    "at most 75": "Strict: a number made of hidden counts. It may be 0.",
    "*": "Strict: not told, as it would give a small count away.",
    "unknown": "Not known. Never 0.",
    "no figure day": "No school day of the month was heard from enough, or the school had no figures on the one that "
    "was: there are no counts.",
    "incomplete": "Too few hotspots were heard from to tell coverage; its bounds are told.",
    "not applicable": "No student is in need, or nobody is covered by what a figure is divided by.",
    "undefined": "The measure has no value here; the section undefined says why.",
    "not measured": "No source measures it.",
    "fewer than 10 devices": "Too few devices or students for an average; strict: fewer than its smallest count.",
}
FLAGS: Mapping[str, str] = {
    "ranges_of_five": "Counts are ranges of five: 0 to 4, 5 to 9 and so on.",
    "ranges_of_ten": "Counts are ranges of ten, coverage is a band.",
    "band_only": "Coverage is a band; counts are not told.",
    "withheld": "Too small to show: of the month nothing is told.",
    "some_ranges": "The main counts are exact, others are ranges.",
    "small_counts_hidden": "Strict: small counts, and what would give them away, are hidden.",
    "no_figure_day": "No school day of the month was heard from enough, or the school had no figures on the one that "
    "was, as after it closed.",
    "need_unknown": "How many students are in need is not known.",
    "no_need": "No student is in need.",
    "need_exceeded": "More working connections than students in need, or loans where nobody is: the need is old.",
    "incomplete": "Too few hotspots were heard from.",
    "maybe_incomplete": "From the ranges it cannot be said whether enough hotspots were heard from.",
    "low_response": "Fewer than 70% of the students have answered.",
}
WARNINGS: Mapping[str, str] = {
    "one_school": "One side is a single school: whatever else happened there is in the figure.",
    "no_comparison": "Without comparison schools it cannot be said what would have happened without the pilot.",
    "months_missing": "Months of a period were not released, and are not in its figures.",
    "few_months": "A period has fewer than two months.",
    "left_out_schools": "Schools are left out whose counts are not told, or not heard from, in every month.",
    "small_need": "Fewer than 30 students in need on a side: a single family moves the figure by points.",
}
PROMISE = (
    "For each count of 1 to 9 students, and each difference of counts of 1 to 9 students, at least five consecutive "
    "values stay possible for whoever reads everything that was ever released. A protected count is told as one of "
    "fixed ranges, the school by its band of coverage, or not at all."
)


class Note(NamedTuple):
    section: str
    name: str
    value: str | None
    says: str


def rows(told: published.Published) -> list[Row]:
    found = (
        *_package(told),
        *_figures(told),
        *_meanings(told),
        *_protection(told),
        *_sources(told),
        *_unknown(told),
    )
    return [(*note, columns.VERSION) for note in (*found, *_of_pilot(told))]


def _package(told: published.Published) -> Iterator[Note]:
    facts = told.facts
    yield Note("package", "district", facts.district_name, "The district.")
    yield Note("package", "month", str(facts.month), f"The calendar month in {facts.time_zone}.")
    yield Note(
        "package", "revision", str(told.revision), "What changed since the revision before is in changes."
    )
    settled = "no: told before the month had settled" if told.is_partial else "yes"
    yield Note("package", "settled", settled, "Whether carriers had time to correct their figures.")
    yield Note(
        "package", "rules", f"afterbell {told.version}", "The version whose rules the figures are made by."
    )
    yield Note("package", "columns", columns.VERSION, "The version of the tables' columns.")
    for name, says in zip(("apostrophes", "characters", "numbers", "empty cells"), text.SAYS, strict=True):
        yield Note("files", name, None, says)


def _figures(told: published.Published) -> Iterator[Note]:
    facts, district = told.facts, told.district
    day = None if facts.figure_on is None else facts.figure_on.isoformat()
    says = "The day the counts are of: the last school day of the month on which enough was heard from."
    yield Note(
        "figures", "day", day, says if day else "No school day of the month was heard from enough: no counts."
    )
    yield Note("figures", "through", facts.through_on.isoformat(), "The last day with figures.")
    days = facts.instructional_days
    calendar = (
        "School days in the month, by the calendar." if days is not None else "No calendar: every day counts."
    )
    yield Note("figures", "school_days", None if days is None else str(days), calendar)
    mode = "How need is counted: by student or by household."
    yield Note("figures", "need_mode", facts.need_mode, mode)
    missing = "Schools whose need is not known: they are in no total."
    yield Note("figures", "schools_without_need", str(district.schools_without_need), missing)
    for source in sorted({one.school.need_source for one in told.schools if one.school.need_source}):
        schools = sum(one.school.need_source == source for one in told.schools)
        yield Note("need basis", source, str(schools), "Schools whose need is known by it.")
    for basis in sorted({one.school.high_needs_basis for one in told.schools if one.school.high_needs_basis}):
        yield Note("high-needs basis", basis, None, "By what schools are on the list of high-needs schools.")


def _meanings(told: published.Published) -> Iterator[Note]:
    for name, says in DEFINITIONS.items():
        yield Note("definitions", name, None, says)
    for name, value in sorted(told.thresholds.items()):
        yield Note("thresholds", name, _in_force(name, value), "A threshold in force.")
    for symbol, says in SYMBOLS.items():
        yield Note("symbols", symbol, None, says)
    for flag, says in FLAGS.items():
        yield Note("flags", flag, None, says)
    for measure, reason in sorted(told.district.undefined.items()):
        yield Note("undefined", measure, None, f"It has no value: {reason}.")


def _in_force(name: str, value: object) -> str:
    """A floor of a signal is below 0: in words, it is a number to no spreadsheet."""
    return f"below {value:g} dBm" if name.endswith("_dbm") and isinstance(value, int | float) else str(value)


def _protection(told: published.Published) -> Iterator[Note]:
    yield Note("protection", "promise", None, PROMISE)
    for at, says in enumerate(told.protection_notes, start=1):
        yield Note("protection", str(at), None, says)
    for level, schools in told.district.levels.items():
        if schools:
            is_hidden = told.is_strict and level is protection.Level.TEN
            says = "Schools with something hidden." if is_hidden else f"Schools told at the level {level}."
            yield Note("protection", f"schools {level}", str(schools), says)


def _sources(told: published.Published) -> Iterator[Note]:
    for source in told.facts.sources:
        lag = (
            f"{source.collector}; complete {source.lag_days} day(s) later"
            if source.lag_days
            else source.collector
        )
        days = sum((last - first).days + 1 for first, last in source.gaps)
        says = (
            f"Nothing was heard from it on {days} day(s) of the month."
            if days
            else "Heard from on every day."
        )
        yield Note("sources", source.account_key, lag, says)


def _unknown(told: published.Published) -> Iterator[Note]:
    money = told.facts.money
    if money.unknown_lines:
        says = "Of some lines nothing is known in the month: they are in no figure of idle cost."
        yield Note("not known", "lines", "some", says)
    if money.without_price:
        says = "The price of some lines is not known, so no amount is told."
        yield Note("not known", "prices", "some", says)
    dayless = [one for one in told.schools if "no_figure_day" in one.flags]
    if dayless and told.facts.figure_on is not None:
        says = (
            f"There were no figures on the month's day of: {', '.join(one.school.name for one in dayless)}."
        )
        yield Note("not known", "figures", str(len(dayless)), says)
    missing = [one for one in told.schools if one.flags and "need_unknown" in one.flags]
    if missing:
        says = f"Need is not known at: {', '.join(one.school.name for one in missing)}."
        yield Note("not known", "need", str(len(missing)), says)


def _of_pilot(told: published.Published) -> Iterator[Note]:
    pilot = told.pilot
    if pilot is None:
        return
    ends = "it goes on" if pilot.ends_on is None else f"until {pilot.ends_on.isoformat()}"
    yield Note("pilot", "name", pilot.name, pilot.question or "No question is told.")
    yield Note("pilot", "from", pilot.starts_on.isoformat(), f"Its first day; {ends}.")
    for code in pilot.warnings:
        yield Note("pilot", code, None, WARNINGS[code])
