"""What came of an import: counts, and the rows that were refused."""

from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_KEPT = 10_000  # problems; beyond that they are counted only, as a file may have a million rows


@dataclass(frozen=True, slots=True)
class Problem:
    """A cell that cannot be right. ``value`` is for the terminal only; None: not to be shown."""

    row: int  # as a spreadsheet numbers it: the header is row 1
    column: str
    reason: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """``accepted`` rows were good: each is ``added``, ``changed``, ``unchanged`` or ``repeated`` in the file.

    A calendar counts days, not rows, in ``added``, ``changed``, ``unchanged`` and ``removed``.
    """

    kind: str
    sha256: str
    is_dry_run: bool
    accepted: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    removed: int = 0
    closed: int = 0  # loans absent from a full file
    rejected: int = 0
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()  # row 0: about the whole file
    ignored_columns: tuple[str, ...] = ()
    said: tuple[str, ...] = ()  # what it did, in the words of its kind


@dataclass(slots=True)
class Tally:
    """Problems as they turn up, and the rows they are in."""

    problems: list[Problem] = field(default_factory=list)
    rows: int = 0
    rejected: int = 0

    @property
    def accepted(self) -> int:
        return self.rows - self.rejected

    def reject(self, problems: Iterable[Problem]) -> None:
        """Refuse one row, for one reason or several."""
        self.rejected += 1
        room = MOST_KEPT - len(self.problems)
        self.problems.extend(list(problems)[: max(0, room)])

    def in_order(self) -> tuple[Problem, ...]:
        return tuple(sorted(self.problems, key=lambda problem: problem.row))
