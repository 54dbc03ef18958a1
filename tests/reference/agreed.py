"""Takes out of a district what the database and the definitions are not at one about."""

from dataclasses import replace

from tests.reference import days, described, fleet

CONTRADICTED_FILES = (
    False  # a portal's bytes in a period whose every day a better source knows: on once both agree
)


def only(district: described.District) -> described.District:
    return district if CONTRADICTED_FILES else _without_contradicted_files(district)


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
