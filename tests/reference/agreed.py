"""Takes out of a district what the database and the definitions are not at one about."""

from dataclasses import replace

from tests.reference import days, described, fleet

# On once both say the same.
CONTRADICTED_FILES = False  # a portal's bytes in a period whose every day a better source knows
CAPS_REACHED_BEFORE = True  # a daily cap that was reached before the loan began
USED_UP_AND_TAKEN_OUT = True  # a line that was used up when it left the device


def only(district: described.District) -> described.District:
    if not CONTRADICTED_FILES:
        district = _without_contradicted_files(district)
    if not CAPS_REACHED_BEFORE and any(loan.checked_out_on > district.first_on for loan in district.loans):
        district = _without_daily_caps(district)
    if not USED_UP_AND_TAKEN_OUT and any(link.ends_at is not None for link in district.links):
        district = _without_allowances(district)
    return district


def _without_daily_caps(district: described.District) -> described.District:
    return replace(
        district,
        limits=tuple(replace(limit, day_bytes=None) for limit in district.limits),
        plans=tuple(
            replace(plan, period="month") if plan.period == "day" else plan for plan in district.plans
        ),
    )


def _without_allowances(district: described.District) -> described.District:
    plans = tuple(replace(plan, at_allowance="charge") for plan in district.plans)
    return replace(district, limits=(), plans=plans)


def _without_contradicted_files(district: described.District) -> described.District:
    known = fleet.Fleet(replace(district, spans=()), district.first_on)
    return replace(
        district,
        spans=tuple(
            span
            for span in district.spans
            if span.total_bytes == 0
            or any(
                known.used(span.line, day) is None for day in days.between(span.first, span.until - days.DAY)
            )
        ),
    )
