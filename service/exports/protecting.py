"""Chooses what is told of each school: the least coarse level at which the auditor finds the promise kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from service.model import protection

Progress = Callable[[str, int, int], None]  # what, done, of how many


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    width: int = protection.PROTECT_WIDTH
    is_strict: bool = False
    min_n: int = protection.SMALLEST_FREE
    seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A shareable release as the ledger has it: what it told, and the counts that it was made from."""

    rows: tuple[tuple[protection.Facts, protection.Published], ...]
    totals: Mapping[str, protection.Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """``totals``: of protection.MAIN and answered over schools of known need, and of lines and idle_lines; one that is
    absent is not told. ``cells_only``: totals that are sums of the schools' ranges and tell nothing new."""

    rows: tuple[protection.Published, ...]  # in the order of the facts
    totals: Mapping[str, protection.Cell]
    cells_only: frozenset[str] = frozenset()
    seconds: float = 0.0
    solved: int = 0  # integer programs
    unsettled: int = 0  # of the protected counts: coarsened, as time ran out
    notes: Mapping[str, int] = field(default_factory=dict)  # what was done, by name


def decide(
    facts: Sequence[protection.Facts],
    earlier: Sequence[Earlier] = (),
    *,
    money: Mapping[str, int] | None = None,
    terms: Terms | None = None,
    progress: Progress | None = None,
) -> Decision:
    """For one district and month. ``money``: lines and idle_lines. Deterministic but for what time does not allow."""
    raise NotImplementedError
