"""How long raw readings are kept: whole months, so that whole partitions can go."""

from datetime import date


def month(day: date, offset: int) -> date:
    """The first day of the month that is ``offset`` months away from a day's."""
    months = day.year * 12 + day.month - 1 + offset
    return date(months // 12, months % 12 + 1, 1)


def first_kept(today: date, reading_months: int) -> date:
    """The first day whose readings are kept."""
    return month(today, -reading_months)
