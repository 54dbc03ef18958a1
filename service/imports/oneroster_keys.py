"""Which number of a OneRoster user is the student's number in the other records of the district."""

import re
from dataclasses import dataclass

from service import errors
from service.imports import cells, oneroster_tables

SOURCED_ID = "sourcedId"
_NAMES = re.compile(r"sourcedId|identifier|userId:([^{}:,\s]+)")
_USER_ID = re.compile(r"\{?\s*([^{}:,\s]+)\s*:\s*([^{},]*?)\s*\}?\s*(?:,|$)")


@dataclass(frozen=True, slots=True)
class StudentKey:
    """``user_id_type``: of the entry of userIds that counts; '' where a column of its own does."""

    column: str
    user_id_type: str = ""

    def of(self, row: oneroster_tables.Row) -> str:
        """The row's key; '' where it has none. A number that a spreadsheet has spoiled is a problem of the row."""
        if not self.user_id_type:
            return row.read(self.column, cells.identifier, is_personal=True) or ""
        told = _USER_ID.findall(row.text(self.column))
        found = (value for kind, value in told if kind.lower() == self.user_id_type.lower())
        try:
            return cells.identifier(next(found, ""))
        except cells.REASONS as error:
            row.refuse(self.column, str(error), is_personal=True)
            return ""


def named(text: str) -> StudentKey:
    """Of ``sourcedId``, ``identifier`` or ``userId:TYPE``. Raises ConfigError for another."""
    found = _NAMES.fullmatch(text)
    if found is None:
        raise errors.ConfigError(
            f"{text!r} is no student key: write sourcedId, identifier or userId:TYPE, such as userId:SIS"
        )
    return StudentKey("userIds", found[1]) if found[1] else StudentKey(text)
