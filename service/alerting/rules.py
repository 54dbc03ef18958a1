"""Which rules a district has: the product's under its profile, and those of its own folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import sql
from service import errors
from service.model import alert_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a district's configuration says of rules."""

    profile: str = "local"
    folder: Path | None = None
    off: tuple[str, ...] = ()
    thresholds: Mapping[str, float] = field(default_factory=dict)


def chosen(choice: Choice) -> tuple[alert_rules.Rule, ...]:
    """The rules in force, those that others need before them. Raises ConfigError for what cannot be used."""
    known = adjusted(choice)
    in_profile = alert_rules.of_profile(list(known.values()), choice.profile)
    return in_order([rule for rule in in_profile if rule.name not in choice.off])


def adjusted(choice: Choice) -> dict[str, alert_rules.Rule]:
    """Every rule there is, in force or not, with the district's thresholds. Raises ConfigError."""
    known = _parsed_all(choice)
    _check_names(choice, known)
    changed = {name: replace(known[name], threshold=limit) for name, limit in choice.thresholds.items()}
    return {**known, **changed}


def with_needed(known: Mapping[str, alert_rules.Rule], name: str) -> tuple[alert_rules.Rule, ...]:
    """A rule after all that it needs, and that these need."""
    found: dict[str, alert_rules.Rule] = {}
    waiting = [name]
    while waiting:
        rule = known[waiting.pop()]
        if rule.name not in found:
            found[rule.name] = rule
            waiting += rule.needs
    return in_order(list(found.values()))


def _parsed_all(choice: Choice) -> dict[str, alert_rules.Rule]:
    """As they stand under the profile. An own file goes before the product's of its name."""
    texts = {name: (text, False) for name, text in sql.alert_rules().items()}
    texts.update({name: (text, True) for name, text in _own(choice.folder).items()})
    known = {name: _parsed(name, *texts[name], choice) for name in sorted(texts)}
    for rule in known.values():
        if missing := [name for name in rule.needs if name not in known]:
            raise errors.ConfigError(f"{_place(rule, choice)}: needs: there is no rule {', '.join(missing)}")
    return known


def in_order(rules: Sequence[alert_rules.Rule]) -> tuple[alert_rules.Rule, ...]:
    """By name, but each after those that it needs. Raises ConfigError where they need each other."""
    waiting = {rule.name: rule for rule in sorted(rules, key=lambda rule: rule.name)}
    ordered: list[alert_rules.Rule] = []
    while waiting:
        ready = [rule for rule in waiting.values() if not any(name in waiting for name in rule.needs)]
        if not ready:
            raise errors.ConfigError(f"the rules {', '.join(waiting)} need each other: one has to come first")
        ordered += ready
        waiting = {name: rule for name, rule in waiting.items() if rule not in ready}
    return tuple(ordered)


def _own(folder: Path | None) -> dict[str, str]:
    if folder is None:
        return {}
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".sql")
        return {path.stem: path.read_text("utf-8") for path in paths}
    except (OSError, UnicodeDecodeError) as error:
        raise errors.ConfigError(f"cannot read the rules of {folder}: {error}") from error


def _parsed(name: str, text: str, is_own: bool, choice: Choice) -> alert_rules.Rule:
    try:
        alert_rules.check_keys(name, text)
        return alert_rules.parse(name, text, profile=choice.profile, is_own=is_own)
    except alert_rules.RuleInvalid as error:
        where = f"{choice.folder}/" if is_own else "sql/alerts/"
        raise errors.ConfigError(f"{where}{error}") from None


def _place(rule: alert_rules.Rule, choice: Choice) -> str:
    return f"{choice.folder if rule.is_own else 'sql/alerts'}/{rule.name}.sql"


def _check_names(choice: Choice, known: Mapping[str, alert_rules.Rule]) -> None:
    for setting, names in (("off", choice.off), ("thresholds", choice.thresholds)):
        for name in names:
            if name not in known:
                raise errors.ConfigError(
                    f"alerts.{setting}: there is no rule {name}: `afterbell rules list` shows them"
                )
    for name in choice.thresholds:
        if known[name].threshold is None:
            raise errors.ConfigError(f"alerts.thresholds: the rule {name} has no threshold")
