"""Where a pilot's numbers are too small, or too different, to say anything."""

from collections.abc import Iterator, Sequence

from service.model import pilot_words, pilots

FEW_STUDENTS = 30  # in need, in a group: below, one family moves the figure by more than 3 points
FEW_DAYS = 10
NEED_SHIFT = 0.25  # a need count that changed by more than this changes coverage by itself


def of(result: pilots.Result, days: Sequence[pilots.Day]) -> Iterator[pilots.Warned]:
    """Those of the design, of the counts behind it, and of what came out, in this order."""
    yield from _of_design(result)
    yield from _of_counts(result)
    yield from _of_result(result, days)


def _of_design(result: pilots.Result) -> Iterator[pilots.Warned]:
    pilot = result.pilot
    if result.during_on[1] < result.during_on[0]:
        yield pilots.Warned("not_begun", "The pilot has not begun, or no day of it is complete yet.")
    if not pilot.comparison:
        yield pilots.Warned(
            "no_comparison",
            "There are no comparison schools: what would have happened without the pilot cannot be told.",
        )
    for side, schools in ((pilots.Side.PILOT, pilot.schools), (pilots.Side.COMPARISON, pilot.comparison)):
        if len(schools) == 1:
            yield pilots.Warned(
                "one_school", f"One {side} school only: whatever else happened there is in the figure."
            )
    if result.unknown_schools:
        listed = ", ".join(result.unknown_schools)
        yield pilots.Warned(
            "unknown_school", f"No school is imported with the NCES id {listed}: it is left out."
        )


def _of_counts(result: pilots.Result) -> Iterator[pilots.Warned]:
    for cell in result.cells:
        if cell.side is pilots.Side.COMPARISON and not result.pilot.comparison:
            continue
        where = f"{cell.side} schools, {cell.period}"
        if cell.days < FEW_DAYS:
            yield pilots.Warned(
                "few_days", f"Only {cell.days} day(s) can be used ({where}): at least {FEW_DAYS} are wanted."
            )
        if cell.days and cell.need < FEW_STUDENTS:
            yield pilots.Warned(
                "few_students",
                f"Only {cell.need:.0f} students in need ({where}): with fewer than {FEW_STUDENTS} "
                "a single family moves the figure by points.",
            )
    for side in pilots.Side:
        yield from _of_need(result, side)


def _of_need(result: pilots.Result, side: pilots.Side) -> Iterator[pilots.Warned]:
    before, during = result.cell(side, pilots.Period.BEFORE), result.cell(side, pilots.Period.DURING)
    if not before.days or not during.days:
        return
    if before.need_sources != during.need_sources:
        sources = [" and ".join(cell.need_sources) or "not told" for cell in (before, during)]
        yield pilots.Warned(
            "need_source",
            f"Need of the {side} schools was known by {sources[0]} before and by {sources[1]} during: "
            "the two cannot be compared.",
        )
    if abs(during.need - before.need) > NEED_SHIFT * before.need:
        yield pilots.Warned(
            "need_changed",
            f"The need of the {side} schools went from {before.need:.0f} to {during.need:.0f} students: "
            "that alone changes coverage.",
        )
    known = {
        period: {
            one.ncessch for one in result.schools if (one.side, one.period) == (side, period) and one.days
        }
        for period in pilots.Period
    }
    if odd := sorted(known[pilots.Period.BEFORE] ^ known[pilots.Period.DURING]):
        yield pilots.Warned("other_schools", f"Counted in one of the two periods only: {', '.join(odd)}.")


def _of_result(result: pilots.Result, days: Sequence[pilots.Day]) -> Iterator[pilots.Warned]:
    if days and not all(day.has_calendar for day in days):
        yield pilots.Warned("no_calendar", "Some days are in no calendar: they count as school days.")
    difference = result.difference.value
    if difference is None:
        return
    if result.lowest is None or result.highest is None:
        yield pilots.Warned(
            "unanswered_unknown", "How many have not answered is not known: the difference has no bounds."
        )
    elif result.lowest <= 0 <= result.highest:
        yield pilots.Warned(
            "within_bounds",
            f"With all that is unknown it could be anything from {pilot_words.points(result.lowest)} to "
            f"{pilot_words.points(result.highest)} points: not even its direction is known for certain.",
        )
    if result.by_chance is not None and abs(difference) <= result.by_chance:
        yield pilots.Warned(
            "within_chance",
            f"Among so few students a difference of up to {result.by_chance * 100:.0f} points either way "
            "would be no surprise if nothing had changed.",
        )
