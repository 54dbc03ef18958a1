"""Takes out of a district what the database and the definitions are not at one about."""

from dataclasses import replace

from tests.reference import days, described, fleet

# On once both say the same.
CONTRADICTED_FILES = False  # a portal's bytes in a period whose every day a better source knows
SIMS_THAT_DIFFER = False  # several lines in a device, of different states or allowances


def only(district: described.District) -> described.District:
    if not CONTRADICTED_FILES:
        district = _without_contradicted_files(district)
    if not SIMS_THAT_DIFFER and _has_shared_device(district):
        district = _without_suspensions_and_allowances(district)
    return district


def _has_shared_device(district: described.District) -> bool:
    held = {(link.device, link.line) for link in district.links}
    return len({device for device, _ in held}) < len(held)


def _without_suspensions_and_allowances(district: described.District) -> described.District:
    return replace(
        district,
        limits=(),
        plans=tuple(replace(plan, at_allowance="charge") for plan in district.plans),
        states=tuple(
            state if state.status is None else replace(state, status="active", suspended_by=None)
            for state in district.states
        ),
    )


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
