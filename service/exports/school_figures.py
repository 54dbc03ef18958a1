"""A school's month as published: what is told of its counts, and averages where enough stand behind them."""

from service.exports import published, shares, told
from service.exports.published import Number
from service.model import months, protection

FEW = "fewer than {} devices"
NOT_MEASURED = "not measured"


def of(school: months.School, row: protection.Published, *, terms: shares.Terms) -> published.School:
    known = told.of(school, row)
    numbers = told.numbers(known, terms)
    return published.School(
        school=told.public(school),
        level=row.level,
        numbers={**numbers, **_averages(school, known, terms)},
        flags=told.flags(known, numbers, terms),
        days_missing=told.days_missing(known, school.days_missing),
    )


def _averages(school: months.School, known: told.Told, terms: shares.Terms) -> dict[str, Number]:
    """Whether one is told must not tell of the students either, so their published range decides first."""
    gigabytes = (
        school.used_bytes / 1e9 / school.devices_used if school.used_bytes and school.devices_used else None
    )
    if school.used_bytes == 0:
        gigabytes = 0.0
    measured = {
        "gb_per_active_mean": (gigabytes, school.devices_used, 1),
        "hotspot_uptime_pct": (_percent(school.uptime), school.devices_online, 0),
        "pct_usage_outside_school_hours": (_percent(school.homework_share), school.devices_timed, 0),
    }
    refused = _refused(known, terms)
    return {
        name: refused or _average(value, devices, digits, terms)
        for name, (value, devices, digits) in measured.items()
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else share * 100


def _refused(known: told.Told, terms: shares.Terms) -> Number | None:
    active = known.cell("active_30")
    if active is None:
        return told.untold(known, ("active_30",), terms)
    return Number(symbol=FEW.format(terms.fewest)) if active.least < terms.fewest else None


def _average(value: float | None, devices: int, digits: int, terms: shares.Terms) -> Number:
    if value is None:
        return Number(symbol=NOT_MEASURED)
    if devices < terms.fewest:
        return Number(symbol=FEW.format(terms.fewest))
    return Number(value=shares.rounded(value, digits))
