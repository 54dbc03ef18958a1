"""Integer programs over counts, solved by HiGHS: how small and how large can a number be, and can it be just this?"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import highspy
import numpy as np
from numpy import typing as npt

_SOLVE_SECONDS = 5.0
_TOLERANCE = 1e-6
_ANY_GAP = 1e6  # the first whole solution is as good as the best

Key = Hashable
Numbers = npt.NDArray[np.double]


@dataclass(frozen=True, slots=True)
class World:
    """A whole number for each count of a program."""

    places: Mapping[Key, int]
    values: npt.NDArray[np.int64]

    def __getitem__(self, key: Key) -> int:
        return int(self.values[self.places[key]])


@dataclass(frozen=True, slots=True)
class Expression:
    """A sum of counts, each with its factor, and a constant."""

    factors: tuple[tuple[Key, int], ...]
    constant: int = 0

    def of(self, world: World) -> int:
        return self.constant + sum(factor * world[key] for key, factor in self.factors)


class Program:
    """Counts with bounds and linear constraints between them.

    It is solved without asking for whole numbers first, which is far quicker and mostly gives them: where every
    constraint is a difference of two counts, always. Only where it does not, HiGHS branches.
    """

    def __init__(self) -> None:
        self._places: dict[Key, int] = {}
        self._bounds: list[tuple[int, int]] = []
        self._rows: list[tuple[dict[Key, int], float, float]] = []
        self._solvers: dict[bool, _Solver] = {}  # by whether whole numbers are asked for
        self._checked: _Checked | None = None
        self._turn = 0
        self.solved = 0

    def count(self, key: Key, least: int, most: int) -> None:
        """A count; told again, both bounds hold."""
        if key in self._places:
            before = self._bounds[self._places[key]]
            self._bounds[self._places[key]] = max(before[0], least), min(before[1], most)
        else:
            self._places[key] = len(self._bounds)
            self._bounds.append((least, most))

    def has(self, key: Key) -> bool:
        return key in self._places

    def bounds(self, key: Key) -> tuple[int, int]:
        return self._bounds[self._places[key]]

    def between(self, factors: Mapping[Key, int], least: float, most: float) -> None:
        """The sum of counts times factors lies between two numbers."""
        self._rows.append((dict(factors), least, most))

    def at_most(self, smaller: Sequence[Key], larger: Key) -> None:
        factors = dict.fromkeys(smaller, 1)
        factors[larger] = factors.get(larger, 0) - 1
        self.between(factors, -highspy.kHighsInf, 0)

    def extreme(self, asked: Expression, *, is_most: bool) -> World | None:
        """A world in which the expression is as small, or as large, as it can be; None: there is none, or no time."""
        sign = 1 if is_most else -1
        wanted = np.zeros(len(self._bounds))
        wanted[[self._places[key] for key, _ in asked.factors]] = [
            sign * factor for _, factor in asked.factors
        ]
        return self._found(_Question({}, -highspy.kHighsInf, highspy.kHighsInf, wanted, 0.0))

    def world(self, asked: Expression, value: int, *, or_less: bool = False) -> World | None:
        """A world in which the expression has just this value; None: there is none, or no time."""
        wanted = float(value - asked.constant)
        factors = {self._places[key]: factor for key, factor in asked.factors}
        least = -highspy.kHighsInf if or_less else wanted
        found = self._found(_Question(factors, least, wanted, self._leaning(), _ANY_GAP))
        is_so = found is not None and (asked.of(found) == value or (or_less and asked.of(found) < value))
        return found if is_so else None

    def _leaning(self) -> Numbers:
        """Another direction at each turn, so that worlds differ and one tells of many counts."""
        self._turn += 1
        mixed = np.arange(len(self._bounds)) * 2654435761 + self._turn * 40503
        return np.where(mixed >> 7 & 1, 1.0, -1.0)

    def _found(self, question: "_Question") -> World | None:
        self.solved += 1
        values = self._solver(is_whole=False).answer(question)
        if values is not None and np.abs(values - np.rint(values)).max(initial=0.0) > _TOLERANCE:
            values = self._solver(is_whole=True).answer(question)
        world = None if values is None else np.rint(values).astype(np.int64)
        return None if world is None or not self._fits(world) else World(self._places, world)

    def _fits(self, world: npt.NDArray[np.int64]) -> bool:
        """In whole numbers, as a solver's own word holds within its tolerances."""
        if self._checked is None:
            self._checked = _Checked(self._bounds, self._by_place())
        return self._checked.holds(world)

    def _solver(self, *, is_whole: bool) -> "_Solver":
        if is_whole not in self._solvers:
            self._solvers[is_whole] = _Solver(self._bounds, self._by_place(), is_whole=is_whole)
        return self._solvers[is_whole]

    def _by_place(self) -> list[tuple[dict[int, int], float, float]]:
        return [
            ({self._places[key]: factor for key, factor in factors.items()}, least, most)
            for factors, least, most in self._rows
        ]


class _Checked:
    """The bounds and constraints of a program, to be looked at without a solver."""

    def __init__(
        self, bounds: Sequence[tuple[int, int]], rows: Sequence[tuple[Mapping[int, int], float, float]]
    ) -> None:
        self._bounds = np.array(bounds, dtype=np.double).reshape(-1, 2)
        told = [row for row in rows if row[0]]
        self._places = np.array([place for factors, _, _ in told for place in factors], dtype=np.int64)
        self._factors = np.array(
            [factor for factors, _, _ in told for factor in factors.values()], dtype=np.int64
        )
        self._starts = np.cumsum([0, *(len(factors) for factors, _, _ in told)])[:-1]
        self._ends = np.array([(least, most) for _, least, most in told], dtype=np.double).reshape(-1, 2)

    def holds(self, world: npt.NDArray[np.int64]) -> bool:
        if not self._is_between(world, self._bounds):
            return False
        if not len(self._starts):
            return True
        sums = np.add.reduceat(world[self._places] * self._factors, self._starts)
        return self._is_between(sums, self._ends)

    @staticmethod
    def _is_between(values: npt.NDArray[np.int64], ends: Numbers) -> bool:
        return bool(np.all((ends[:, 0] <= values) & (values <= ends[:, 1])))


@dataclass(frozen=True, slots=True)
class _Question:
    """A sum that lies between two numbers, and what is to be as large as it can, as near as ``gap`` says."""

    factors: Mapping[int, int]
    least: float
    most: float
    wanted: Numbers
    gap: float


class _Solver:
    def __init__(
        self,
        bounds: Sequence[tuple[int, int]],
        rows: Sequence[tuple[Mapping[int, int], float, float]],
        *,
        is_whole: bool,
    ) -> None:
        self._size = len(bounds)
        self._places = np.arange(self._size, dtype=np.int32)
        self._asked: tuple[int, ...] = ()
        self._highs = _opened()
        lower = np.array([least for least, _ in bounds], dtype=np.double)
        upper = np.array([most for _, most in bounds], dtype=np.double)
        self._highs.addVars(self._size, lower, upper)
        if is_whole:
            kinds = np.full(self._size, int(highspy.HighsVarType.kInteger), dtype=np.uint8)
            self._highs.changeColsIntegrality(self._size, self._places, kinds)
        _add(self._highs, {}, -highspy.kHighsInf, highspy.kHighsInf)  # the first row is what is asked
        for factors, least, most in rows:
            _add(self._highs, factors, least, most)

    def answer(self, question: _Question) -> Numbers | None:
        """The counts in their order; None: there are none, or not within the time."""
        for place in self._asked:
            self._highs.changeCoeff(0, place, 0.0)
        for place, factor in question.factors.items():
            self._highs.changeCoeff(0, place, float(factor))
        self._asked = tuple(question.factors)
        self._highs.changeRowBounds(0, question.least, question.most)
        self._highs.changeColsCost(self._size, self._places, question.wanted)
        self._highs.setOptionValue("mip_rel_gap", question.gap)
        self._highs.run()
        is_solved = self._highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return np.array(self._highs.getSolution().col_value) if is_solved else None


def _opened() -> highspy.Highs:
    highs = highspy.Highs()
    options: dict[str, bool | int | float] = {
        "output_flag": False,
        "threads": 1,
        "random_seed": 1,
        "time_limit": _SOLVE_SECONDS,
        "mip_heuristic_run_feasibility_jump": False,  # takes five times as long as these small programs do
    }
    for option, value in options.items():
        highs.setOptionValue(option, value)
    highs.changeObjectiveSense(highspy.ObjSense.kMaximize)
    return highs


def _add(highs: highspy.Highs, factors: Mapping[int, int], least: float, most: float) -> None:
    places = np.array(list(factors), dtype=np.int32)
    values = np.array(list(factors.values()), dtype=np.double)
    highs.addRow(least, most, len(places), places, values)
