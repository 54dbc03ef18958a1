"""Integer programs over counts, solved by HiGHS: how small and how large can a number be, and can it be just this?"""

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import highspy
import numpy as np

from service import errors

_SOLVE_SECONDS = 5.0
_TOLERANCE = 1e-6

Key = Hashable
World = Mapping[Key, int]


@dataclass(frozen=True, slots=True)
class Expression:
    """A sum of counts, each with its factor, and a constant."""

    factors: tuple[tuple[Key, int], ...]
    constant: int = 0

    def of(self, world: World) -> int:
        return self.constant + sum(factor * world[key] for key, factor in self.factors)


class Program:
    """Counts with bounds and linear constraints between them.

    Where every constraint is a difference of two counts, the corners of the feasible set are whole numbers, and so is
    everything between them: no branching is needed (``is_integral`` False).
    """

    def __init__(self, *, is_integral: bool) -> None:
        self._is_integral = is_integral
        self._places: dict[Key, int] = {}
        self._bounds: list[tuple[int, int]] = []
        self._rows: list[tuple[dict[Key, int], float, float]] = []
        self._solver: highspy.Highs | None = None
        self._probed: tuple[Key, ...] = ()
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
        solver = self._opened()
        self._probe(solver, None, 0)
        self._cost(solver, dict(asked.factors), is_most=is_most)
        return self._run(solver)

    def world(self, asked: Expression, value: int, *, or_less: bool = False) -> World | None:
        """A world in which the expression has just this value; None: there is none, or no time."""
        solver = self._opened()
        self._probe(solver, asked, value, or_less=or_less)
        self._cost(solver, self._leaning(), is_most=True)
        return self._run(solver)

    def _leaning(self) -> dict[Key, int]:
        """Another direction at each turn, so that worlds differ and one tells of many counts."""
        self._turn += 1
        return {
            key: 1 if (place * 2654435761 + self._turn * 40503) >> 7 & 1 else -1
            for key, place in self._places.items()
        }

    def _opened(self) -> highspy.Highs:
        if self._solver is None:
            self._solver = self._made()
        return self._solver

    def _made(self) -> highspy.Highs:
        solver = highspy.Highs()
        for option, value in {
            "output_flag": False,
            "threads": 1,
            "random_seed": 1,
            "time_limit": _SOLVE_SECONDS,
        }.items():
            solver.setOptionValue(option, value)
        size = len(self._bounds)
        lower = np.array([least for least, _ in self._bounds], dtype=np.double)
        upper = np.array([most for _, most in self._bounds], dtype=np.double)
        solver.addVars(size, lower, upper)
        if self._is_integral:
            kinds = np.full(size, int(highspy.HighsVarType.kInteger), dtype=np.uint8)
            solver.changeColsIntegrality(size, np.arange(size, dtype=np.int32), kinds)
        _add(solver, {}, -highspy.kHighsInf, highspy.kHighsInf)  # the first row is what is asked
        for factors, least, most in self._rows:
            _add(solver, {self._places[key]: factor for key, factor in factors.items()}, least, most)
        return solver

    def _probe(
        self, solver: highspy.Highs, asked: Expression | None, value: int, *, or_less: bool = False
    ) -> None:
        for key in self._probed:
            solver.changeCoeff(0, self._places[key], 0.0)
        if asked is None:
            self._probed = ()
            solver.changeRowBounds(0, -highspy.kHighsInf, highspy.kHighsInf)
            return
        for key, factor in asked.factors:
            solver.changeCoeff(0, self._places[key], float(factor))
        self._probed = tuple(key for key, _ in asked.factors)
        wanted = float(value - asked.constant)
        solver.changeRowBounds(0, -highspy.kHighsInf if or_less else wanted, wanted)

    def _cost(self, solver: highspy.Highs, factors: Mapping[Key, int], *, is_most: bool) -> None:
        costs = np.zeros(len(self._bounds), dtype=np.double)
        for key, factor in factors.items():
            costs[self._places[key]] = factor
        solver.changeColsCost(len(costs), np.arange(len(costs), dtype=np.int32), costs)
        sense = highspy.ObjSense.kMaximize if is_most else highspy.ObjSense.kMinimize
        solver.changeObjectiveSense(sense)

    def _run(self, solver: highspy.Highs) -> World | None:
        self.solved += 1
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        found = solver.getSolution().col_value
        rounded = [round(value) for value in found]
        if any(abs(value - whole) > _TOLERANCE for value, whole in zip(found, rounded, strict=True)):
            raise errors.AfterbellError(
                "the solver gave a count that is not whole: please report this with your version"
            )
        return dict(zip(self._places, itertools.islice(rounded, len(self._bounds)), strict=True))


def _add(solver: highspy.Highs, factors: Mapping[int, int], least: float, most: float) -> None:
    places = np.array(list(factors), dtype=np.int32)
    values = np.array(list(factors.values()), dtype=np.double)
    solver.addRow(least, most, len(places), places, values)
