"""The school calendar, a school's own days before the district's."""

from datetime import date

from tests.reference import described


class Calendar:
    def __init__(self, district: described.District):
        self._kinds = {(day.school, day.on): day.kind for day in district.calendar}
        listed = [day.on for day in district.calendar if day.school is None]
        self._first, self._last = min(listed, default=None), max(listed, default=None)

    def kind(self, school: int, day: date) -> str | None:
        return self._kinds.get((school, day)) or self._kinds.get((None, day))

    def is_instructional(self, school: int, day: date) -> bool | None:
        """A day that is not listed has no school, between the first and the last listed one."""
        kind = self.kind(school, day)
        if kind is not None:
            return kind in ("instructional", "half_day")
        if self._first is None or self._last is None or not self._first <= day <= self._last:
            return None
        return False

    def is_out_of_session(self, school: int, day: date) -> bool:
        return self.kind(school, day) == "break"
