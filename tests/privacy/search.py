"""Finds worlds: whole numbers for every unknown, such that everything known holds. Exhaustive: it halves the ranges of
the unknowns until each is one number, and drops a half only when a rule cannot hold anywhere in it."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Name = tuple[str, ...]  # of an unknown: moment, school, count
World = dict[Name, int]

MOST_STEPS = 200_000  # of one search


class Undecided(Exception):
    """A search took more steps than it may."""


@dataclass(frozen=True, slots=True)
class Linear:
    """``least`` <= the sum of factor times unknown <= ``most``; None: no bound."""

    terms: tuple[tuple[Name, int], ...]
    least: int | None = None
    most: int | None = None

    def holds(self, world: Mapping[Name, int]) -> bool:
        total = sum(factor * world[name] for name, factor in self.terms)
        return (self.least is None or total >= self.least) and (self.most is None or total <= self.most)

    @property
    def names(self) -> tuple[Name, ...]:
        return tuple(name for name, _ in self.terms)


@dataclass(frozen=True, slots=True)
class Check:
    """A rule that is no sum: looked at when all its unknowns are numbers."""

    names: tuple[Name, ...]
    holds: Callable[[Mapping[Name, int]], bool]


Rule = Linear | Check


@dataclass
class Knowledge:
    """What an attacker knows: between what each unknown lies, and rules."""

    ranges: dict[Name, tuple[int, int]] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)

    def unknown(self, name: Name, least: int, most: int) -> None:
        self.ranges[name] = (least, most)

    def within(self, name: Name, least: int, most: int) -> None:
        old = self.ranges[name]
        self.ranges[name] = (max(old[0], least), min(old[1], most))

    def add(self, rule: Rule) -> None:
        self.rules.append(rule)

    def at_least(self, larger: Sequence[Name], smaller: Sequence[Name]) -> None:
        terms = tuple((name, 1) for name in larger) + tuple((name, -1) for name in smaller)
        self.add(Linear(terms, least=0))

    def contradicts(self, world: Mapping[Name, int]) -> list[Rule | Name]:
        """The rules and ranges that the world breaks."""
        outside = [name for name, (least, most) in self.ranges.items() if not least <= world[name] <= most]
        return [*outside, *(rule for rule in self.rules if not rule.holds(world))]


Bounds = tuple[dict[Name, int], dict[Name, int]]


def _narrow(rule: Linear, low: dict[Name, int], high: dict[Name, int], changed: deque[Name]) -> bool:
    """Draws the ranges of a rule's unknowns together. False: it cannot hold."""
    least_sum = sum(f * (low[n] if f > 0 else high[n]) for n, f in rule.terms)
    most_sum = sum(f * (high[n] if f > 0 else low[n]) for n, f in rule.terms)
    if (rule.most is not None and least_sum > rule.most) or (
        rule.least is not None and most_sum < rule.least
    ):
        return False
    for name, factor in rule.terms:
        spread = abs(factor) * (high[name] - low[name])
        if rule.most is not None and least_sum + spread > rule.most:
            room = (rule.most - least_sum) // abs(factor)
            if factor > 0:
                high[name] = low[name] + room
            else:
                low[name] = high[name] - room
            most_sum -= spread - abs(factor) * room
            spread = abs(factor) * room
            changed.append(name)
        if rule.least is not None and most_sum - spread < rule.least:
            room = (most_sum - rule.least) // abs(factor)
            if factor > 0:
                low[name] = high[name] - room
            else:
                high[name] = low[name] + room
            least_sum += spread - abs(factor) * room
            changed.append(name)
    return True


def _is_sure(rule: Linear, low: Mapping[Name, int], high: Mapping[Name, int]) -> bool:
    """It holds wherever the unknowns lie."""
    least_sum = sum(f * (low[n] if f > 0 else high[n]) for n, f in rule.terms)
    most_sum = sum(f * (high[n] if f > 0 else low[n]) for n, f in rule.terms)
    return (rule.most is None or most_sum <= rule.most) and (rule.least is None or least_sum >= rule.least)


class Impossible(Exception):
    """What is known contradicts itself."""


class Search:
    """Worlds of what is known. Unknowns that no rule connects are searched apart."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.low = {name: bounds[0] for name, bounds in knowledge.ranges.items()}
        self.high = {name: bounds[1] for name, bounds in knowledge.ranges.items()}
        self.rules_of: dict[Name, list[Rule]] = defaultdict(list)
        self.failed: dict[int, int] = defaultdict(int)  # how often a rule closed a way, by its id
        for rule in knowledge.rules:
            for name in rule.names:
                self.rules_of[name].append(rule)
        if not self._settle(self.low, self.high, self.low, []):
            raise Impossible
        self._forget_sure_rules(knowledge.rules)
        self.part_of = self._parts()
        self.steps = 0

    def _forget_sure_rules(self, rules: Iterable[Rule]) -> None:
        self.rules_of = defaultdict(list)
        for rule in rules:
            if isinstance(rule, Linear) and _is_sure(rule, self.low, self.high):
                continue
            for name in rule.names:
                self.rules_of[name].append(rule)

    def _parts(self) -> dict[Name, frozenset[Name]]:
        parts: dict[Name, frozenset[Name]] = {}
        for first in self.low:
            if first in parts:
                continue
            found, waiting = {first}, [first]
            while waiting:
                for rule in self.rules_of[waiting.pop()]:
                    near = {n for n in rule.names if n not in found and self.low[n] < self.high[n]}
                    found |= near
                    waiting += near
                if self.low[first] == self.high[first]:
                    break
            part = frozenset({first}) if self.low[first] == self.high[first] else frozenset(found)
            parts.update(dict.fromkeys(part, part))
        return parts

    def _settle(
        self, low: dict[Name, int], high: dict[Name, int], names: Iterable[Name], more: list[Rule]
    ) -> bool:
        """Draws all ranges together from these unknowns on. False: there is no world."""
        changed = deque(names)
        waiting = set(changed)
        extra: dict[Name, list[Rule]] = defaultdict(list)
        for rule in more:
            for name in rule.names:
                extra[name].append(rule)
        while changed:
            name = changed.popleft()
            waiting.discard(name)
            for rule in (*self.rules_of[name], *extra[name]):
                touched: deque[Name] = deque()
                if isinstance(rule, Check):
                    if all(low[n] == high[n] for n in rule.names) and not rule.holds(low):
                        self.failed[id(rule)] += 1
                        return False
                elif not _narrow(rule, low, high, touched):
                    self.failed[id(rule)] += 1
                    return False
                for other in touched:
                    if other not in waiting:
                        waiting.add(other)
                        changed.append(other)
        return True

    def world(self, *more: Linear) -> World | None:
        """A world in which these hold too, of the unknowns connected with theirs; None: there is none."""
        names = {n for rule in more for n in rule.names}
        scope: set[Name] = set().union(*(self.part_of[n] for n in names))
        near = scope | {n for name in scope for rule in self.rules_of[name] for n in rule.names}
        low, high = {n: self.low[n] for n in near}, {n: self.high[n] for n in near}
        self.steps = 0
        return self._descend(low, high, sorted(names), list(more), scope)

    def _weight(self, name: Name) -> int:
        """The rules that close ways most often are decided first."""
        return 1 + sum(self.failed[id(rule)] for rule in self.rules_of[name])

    def _descend(
        self,
        low: dict[Name, int],
        high: dict[Name, int],
        changed: list[Name],
        more: list[Rule],
        scope: set[Name],
    ) -> World | None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise Undecided
        if not self._settle(low, high, changed, more):
            return None
        open_names = [name for name in scope if low[name] < high[name]]
        if not open_names:
            return {name: low[name] for name in scope}
        name = min(open_names, key=lambda n: ((high[n] - low[n]) / self._weight(n), n))
        middle = (low[name] + high[name]) // 2
        for least, most in ((low[name], middle), (middle + 1, high[name])):
            found = self._descend({**low, name: least}, {**high, name: most}, [name], more, scope)
            if found is not None:
                return found
        return None
