"""Answers decoded so that a bad row spoils no other, and told of without the value that was bad."""

import re
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

import msgspec

from collectors import errors, readings

Key = Annotated[str, msgspec.Meta(max_length=64, pattern=r"\S")]  # a vendor's own id
Identifier = Annotated[str, msgspec.Meta(max_length=64)]  # IMEI, ICCID, MDN, serial as the vendor writes it
Word = Annotated[str, msgspec.Meta(max_length=200)]  # a status
ByteCount = Annotated[int, msgspec.Meta(ge=0, le=10**15)]  # a petabyte in a month is a fault, not a pupil

Instant = Annotated[datetime, msgspec.Meta(tz=True)]  # one without a zone is nobody's to guess

AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
MISSING = re.compile(r"missing required field `(?P<field>[^`]*)`")

Whole = TypeVar("Whole")
Row = TypeVar("Row")


def whole(decoder: msgspec.json.Decoder[Whole], body: bytes, what: str = "the list") -> Whole:
    """Decode an answer that must fit. Raises ResponseInvalid, with the path and what was expected there."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        path, reason = explain(error)
        raise errors.ResponseInvalid(
            f"{what} has another shape than expected: {path or 'all of it'}: {reason}"
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise errors.ResponseInvalid(f"{what} is not whole JSON: the answer was cut short") from error


class Rows(Generic[Row]):
    """Decodes the rows of a list: all at once, and only where that fails one by one.

    ``name`` is where the rows stand in the answer, for what is said of a bad one.
    """

    def __init__(self, kind: type[Row], name: str) -> None:
        self._name = name
        self._together = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]
        self._raw = msgspec.json.Decoder(list[msgspec.Raw])
        self._one = msgspec.json.Decoder(kind)

    def read(self, rows: bytes | msgspec.Raw, rejected: list[readings.Rejection]) -> list[Row]:
        """Return the rows that can be read; note the others in ``rejected``. Raises ResponseInvalid: no list."""
        try:
            return self._together.decode(rows)
        except msgspec.ValidationError:
            return self._one_by_one(whole(self._raw, bytes(rows), f"the list {self._name}"), rejected)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise errors.ResponseInvalid("the list is not whole JSON: the answer was cut short") from error

    def _one_by_one(self, raws: list[msgspec.Raw], rejected: list[readings.Rejection]) -> list[Row]:
        read = []
        for index, raw in enumerate(raws):
            try:
                read.append(self._one.decode(raw))
            except msgspec.MsgspecError as error:
                path, reason = explain(error)
                rejected.append(readings.Rejection(f"{self._name}[{index}]{path and '.'}{path}", reason))
        return read


def explain(error: msgspec.MsgspecError) -> tuple[str, str]:
    """Split an error into path and reason. msgspec names types and bounds, never the value it found."""
    text = str(error)
    at = AT.search(text)
    path = at["path"] if at else ""
    if missing := MISSING.search(text):
        return ".".join(filter(None, (path, missing["field"]))), "missing"
    reason = "blank" if "matching regex" in text else AT.sub("", text).replace("`", "").lower()
    return path, reason


def utc(at: datetime) -> datetime:
    """The instant in UTC, whatever zone the vendor wrote it in."""
    try:
        return at if at.tzinfo is UTC else at.astimezone(UTC)
    except OverflowError:  # within a day of the end of time: whoever stores it refuses it
        return at.replace(tzinfo=UTC)


def text(value: str | int | None) -> str | None:
    """An identifier as the vendor wrote it, trimmed; nothing where nothing is left."""
    return None if value is None else str(value).strip() or None
