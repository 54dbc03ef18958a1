"""What a package is made by: what the district has settled once, and what is asked for now, as plain values."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from service.model import months, pilots, protection, pseudonyms

Profile = Literal["shareable", "internal", "inventory"]
Progress = Callable[[str, int, int], None]  # a step, how much of it is done, of how much

PROFILES: tuple[Profile, ...] = ("shareable", "internal", "inventory")
PARTIAL = "PARTIAL: this month had not settled when it was told"

_OTHERS = re.compile(r"[^a-z0-9]+")
_LONGEST_SLUG = 40
_MARKS = ("partial", "strict", "deidentified")
# A pilot's name that would read as a mark or a revision.
_MISTAKEN = re.compile(rf"(.*-)?({'|'.join(_MARKS)}|r[0-9]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Of a district. ``folder`` has a folder for each district, with its packages."""

    district_id: int
    folder: Path
    settle_days: int = months.SETTLE_DAYS
    protect_width: int = protection.PROTECT_WIDTH
    is_strict: bool = False  # small counts are hidden in every shareable package
    min_n: int = protection.SMALLEST_FREE
    solver_seconds: float = 60.0
    languages: tuple[str, ...] = ("en", "es")
    floor: float = 0.9
    reclaim_days: int = 30
    thresholds: Mapping[str, object] = field(default_factory=dict)
    version: str = ""  # of afterbell

    @property
    def place(self) -> Path:
        return self.folder / str(self.district_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """``may_be_partial``: also before the month has settled. ``by``: command or schedule, for the ledger."""

    month: months.Month
    profile: Profile = "shareable"
    pilot: pilots.Pilot | None = None
    may_be_partial: bool = False
    is_strict: bool = False
    is_deidentified: bool = False
    rosters: tuple[Path, ...] = ()  # of an inventory: who is who; read now, and not kept
    pseudonymizer: pseudonyms.Pseudonymizer | None = field(default=None, repr=False)
    by: str = "command"

    @property
    def pilot_name(self) -> str:
        return "" if self.pilot is None else self.pilot.name


def folder_name(asked: Asked, *, is_partial: bool, revision: int) -> str:
    """As 2026-10-shareable-r1: what is in the folder, in letters that every file system has."""
    parts = [str(asked.month), asked.profile]
    if asked.pilot is not None:
        parts.append(slug(asked.pilot.name))
    is_so = (is_partial, asked.is_strict, asked.is_deidentified)
    parts += [mark for mark, is_marked in zip(_MARKS, is_so, strict=True) if is_marked]
    return "-".join([*parts, f"r{revision}"])


def slug(name: str) -> str:
    """A pilot's name in small letters, digits and dashes. Six digits of its hash tell what is lost by that, and keep
    apart from a mark or a revision what ends as one."""
    plain = _OTHERS.sub("-", name.lower()).strip("-")[:_LONGEST_SLUG].strip("-")
    if plain == name and not _MISTAKEN.fullmatch(plain):
        return plain
    return "-".join(filter(None, (plain, hashlib.sha256(name.encode()).hexdigest()[:6])))
