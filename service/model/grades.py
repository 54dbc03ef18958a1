"""Grade codes of CEDS and OneRoster, and the bands that they are counted in."""

from enum import StrEnum


class Band(StrEnum):
    """In the order in which they are shown."""

    ELEMENTARY = "K-5"
    MIDDLE = "6-8"
    HIGH = "9-12"
    OTHER = "other"  # before kindergarten, after grade 12, ungraded
    NOT_TOLD = "not told"


_NUMBERED = [f"{grade:02}" for grade in range(1, 14)]
_NAMED = ("IT", "PR", "PK", "TK", "KG", "PS", "UG", "OTHER")
CODES = (*_NAMED, *_NUMBERED)
_ALSO = {"K": "KG", "0": "KG", "00": "KG", "OT": "OTHER"} | {
    str(grade): f"{grade:02}" for grade in range(1, 10)
}

_BANDS = (
    dict.fromkeys(("TK", "KG", *_NUMBERED[:5]), Band.ELEMENTARY)
    | dict.fromkeys(_NUMBERED[5:8], Band.MIDDLE)
    | dict.fromkeys(_NUMBERED[8:12], Band.HIGH)
)


def code(text: str) -> str | None:
    """The code as it is kept, such as KG or 05; None where the text is no grade code."""
    shown = text.strip().upper()
    shown = _ALSO.get(shown, shown)
    return shown if shown in CODES else None


def band(grade: str | None) -> Band:
    """The band of a code that is kept; None: not told."""
    return Band.NOT_TOLD if grade is None else _BANDS.get(grade, Band.OTHER)
