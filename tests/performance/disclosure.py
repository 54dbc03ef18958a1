"""How useful a shareable package stays: the levels that schools are told at, and whether they can still be ranked.

python -m tests.performance.disclosure [--districts 5] [--months 3] [--strict]
"""

import argparse
import random
import statistics
from collections import Counter
from collections.abc import Sequence

from service.exports import protecting
from service.model import protection
from tests import protected

SHAPES = ((12, 15, 60), (12, 30, 120), (60, 15, 60), (60, 30, 120))  # schools, need from, to


def district(
    dice: random.Random, schools: int, need: tuple[int, int], months: int
) -> list[list[protection.Facts]]:
    """Need is the same in all months, as one survey tells it; loans and use move."""
    needs = [dice.randint(*need) for _ in range(schools)]
    sizes = [count * dice.randint(5, 12) for count in needs]
    answered = [
        max(count, int(size * dice.uniform(0.6, 0.98))) for count, size in zip(needs, sizes, strict=True)
    ]
    return [
        [
            _school(dice, at, month, size, {"need": count, "answered": told})
            for at, (count, size, told) in enumerate(zip(needs, sizes, answered, strict=True), start=1)
        ]
        for month in range(1, months + 1)
    ]


def _school(
    dice: random.Random, school: int, month: int, enrolled: int, counts: dict[str, int]
) -> protection.Facts:
    loaned = int(counts["need"] * dice.uniform(0.5, 1))
    unknown = int(loaned * max(0.0, dice.uniform(-0.1, 0.1)))
    active_30 = int((loaned - unknown) * dice.uniform(0.75, 1))
    active_7 = int(active_30 * dice.uniform(0.85, 1))
    idle_30 = loaned - unknown - active_30
    told = {
        "loaned": loaned, "unknown": unknown, "active_30": active_30, "active_7": active_7,
        "adequate": int(active_7 * dice.uniform(0.85, 1)), "idle_30": idle_30, "idle_60": int(idle_30 * 0.6),
        "idle_90": int(idle_30 * 0.3), "waitlist": dice.randint(0, 8), "lost": dice.randint(0, 1),
    }  # fmt: skip
    return protected.facts(school, month, enrolled=enrolled, **counts, **told)


def coverage(one: protection.Facts) -> float:
    return (one.covered or 0) / (one.counts["need"] or 1)


def middle(told: protection.Published) -> float | None:
    """Coverage as a reader estimates it."""
    need, adequate = told.cells.get("need"), told.cells.get("adequate")
    if need is not None and adequate is not None and need.middle:
        return min(1.0, adequate.middle / need.middle)
    return None if told.band is None else (told.band.low + told.band.high) / 2


def agreement(truths: Sequence[float], guesses: Sequence[float]) -> float:
    """Spearman's rank correlation."""
    return statistics.correlation(_ranks(truths), _ranks(guesses)) if len(set(guesses)) > 1 else 0.0


def _ranks(values: Sequence[float]) -> list[float]:
    """Ties share their mean."""
    return [sum(v < value for v in values) + (sum(v == value for v in values) - 1) / 2 for value in values]


def measure(schools: int, need: tuple[int, int], *, seed: int, months: int, strict: bool) -> None:
    earlier: list[protecting.Earlier] = []
    before: list[tuple[float, float | None]] = []
    for rows in district(random.Random(seed), schools, need, months):
        decision = protecting.decide(
            rows, earlier, money=_money(rows), terms=protecting.Terms(is_strict=strict)
        )
        earlier.append(protected.earlier(rows, decision))
        pairs = [(coverage(one), middle(told)) for one, told in zip(rows, decision.rows, strict=True)]
        _print(schools, need, decision, pairs, before)
        before = pairs


def _money(rows: Sequence[protection.Facts]) -> dict[str, int]:
    return {
        "lines": sum(r.counts["loaned"] or 0 for r in rows),
        "idle_lines": sum(r.counts["idle_30"] or 0 for r in rows),
    }


def _print(
    schools: int,
    need: tuple[int, int],
    decision: protecting.Decision,
    pairs: Sequence[tuple[float, float | None]],
    before: Sequence[tuple[float, float | None]],
) -> None:
    levels = Counter(str(row.level) for row in decision.rows)
    shares = " ".join(f"{name} {levels[name] / schools:4.0%}" for name in protection.Level)
    told = [(truth, guess) for truth, guess in pairs if guess is not None]
    ranks = agreement([t for t, _ in told], [g for _, g in told]) if len(told) > 1 else float("nan")
    errors = [abs(truth - guess) for truth, guess in told]
    totals = next((name for name in decision.notes if name.startswith("totals")), "")
    print(
        f"{schools:3} schools, need {need[0]:3}-{need[1]:3}: {shares} | {totals:16} | ranks {ranks:5.2f} | "
        f"error {statistics.mean(errors) if errors else float('nan'):5.1%} | changes {_moves(before, pairs)} | "
        f"{decision.seconds:5.1f} s, {decision.solved} programs, {decision.unsettled} unsettled",
        flush=True,
    )


def _moves(before: Sequence[tuple[float, float | None]], now: Sequence[tuple[float, float | None]]) -> str:
    """Of the changes of 10 points and more, how many are seen in the right direction."""
    large = [
        (truth - old, guess - seen)
        for (old, seen), (truth, guess) in zip(before, now, strict=False)
        if abs(truth - old) >= 0.1 and seen is not None and guess is not None
    ]
    return f"{sum(a * b > 0 for a, b in large)}/{len(large)}" if large else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--districts", type=int, default=5)
    parser.add_argument("--months", type=int, default=3)
    parser.add_argument("--strict", action="store_true")
    told = parser.parse_args()
    for schools, low, high in SHAPES:
        for seed in range(told.districts):
            measure(schools, (low, high), seed=seed, months=told.months, strict=told.strict)


if __name__ == "__main__":
    main()
