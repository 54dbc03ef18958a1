"""The order in which lines are asked for what they used: the same in every sweep, however the list moves.

Page numbers mean nothing a while later, so a sweep that was interrupted goes on by this order, not by the list's.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PLACE = re.compile(r"[0-9a-f]{16}")
LINES_A_PORTION = 50


@dataclass(frozen=True)
class Portion:
    """Lines that make a page together; a sweep goes on after them from ``cursor``."""

    iccids: Sequence[str]
    cursor: str


def portions(iccids: Iterable[str], cursor: str | None) -> list[Portion]:
    """The lines behind the cursor; all of them where it is none of ours."""
    after = cursor if cursor is not None and PLACE.fullmatch(cursor) else ""
    placed = sorted((at, iccid) for iccid in iccids if (at := place(iccid)) > after)
    parts = (placed[start : start + LINES_A_PORTION] for start in range(0, len(placed), LINES_A_PORTION))
    return [Portion([iccid for _, iccid in part], part[-1][0]) for part in parts]


def place(iccid: str) -> str:
    """Where a line stands: a digest, as a cursor may be seen where no identifier may be."""
    return hashlib.blake2b(iccid.encode(), digest_size=8).hexdigest()
