"""Sixth part of the report, where there is a pilot: its schools against the comparison schools, before and during."""

from service.exports import published
from service.exports.report import charts, document, figures
from service.exports.report.words import Words

_WARNINGS = ("one_school", "no_comparison", "months_missing", "few_months", "left_out_schools", "small_need")


def section(month: published.Published, words: Words) -> document.Section | None:
    pilot = month.pilot
    if pilot is None:
        return None
    blocks: list[document.Block] = [
        document.Paragraph(text=words.say("pilot_question", question=pilot.question)),
        document.Paragraph(text=_answer(pilot, words), style="lead"),
    ]
    if any(figures.is_told(period.coverage) for period in pilot.periods):
        blocks.append(_chart(pilot, words))
    blocks.append(_table(pilot, words))
    warnings = tuple(document.Item(text=_warning(code, words)) for code in pilot.warnings)
    blocks += [document.Items(items=warnings)] if warnings else []
    return document.Section(title=words.say("pilot_title", name=pilot.name), blocks=tuple(blocks))


def _warning(code: str, words: Words) -> str:
    return words.say(f"warning_{code}" if code in _WARNINGS else "warning_other")


def _when(pilot: published.Pilot, words: Words) -> str:
    starts = words.day(pilot.starts_on)
    if pilot.ends_on is None:
        return words.say("pilot_when", starts=starts)
    return words.say("pilot_when_ended", starts=starts, ends=words.day(pilot.ends_on))


def _answer(pilot: published.Pilot, words: Words) -> str:
    change, comparison, difference = changes(pilot)
    told = {"change": _change(change, words), "comparison": _change(comparison, words)}
    when = _when(pilot, words)
    if not figures.is_told(difference):
        return " ".join([when, words.say("pilot_no_answer", **told)])
    if figures.may_be_none(difference):
        return " ".join([when, _undecided(difference, words), words.say("pilot_changes", **told)])
    texts = [when, words.say("pilot_answer", difference=words.change(difference), **told)]
    ends = figures.ends(difference)
    if ends is not None and ends[0] < ends[1]:
        least, most = (words.change(published.Number(value=end)) for end in ends)
        texts.append(words.say("pilot_range", least=least, most=most))
    return " ".join([*texts, words.say(verdict(difference))])


def changes(pilot: published.Pilot) -> tuple[published.Number, published.Number, published.Number]:
    """Of the pilot's schools, of the others, and the difference; where all is exact, of the figures as told."""
    told = (pilot.change, pilot.comparison_change, pilot.difference)
    if len(pilot.periods) != 4 or not all(figures.is_exact(one.coverage) for one in pilot.periods):
        return told
    before, during, before_elsewhere, during_elsewhere = (one.coverage for one in pilot.periods)
    change = figures.difference(during, before)
    comparison = figures.difference(during_elsewhere, before_elsewhere)
    return change, comparison, figures.difference(change, comparison)


def _change(number: published.Number, words: Words) -> str:
    """No middle where it may have gone either way."""
    ends = figures.ends(number)
    if ends is None or not figures.may_be_none(number):
        return words.change(number)
    least, most = (words.change(published.Number(value=end)) for end in ends)
    return words.say("pilot_between", least=least, most=most)


def _undecided(difference: published.Number, words: Words) -> str:
    ends = figures.ends(difference)
    if ends is None:
        return words.say("pilot_unsure")
    least, most = (words.change(published.Number(value=end)) for end in ends)
    return words.say("pilot_undecided", least=least, most=most)


def verdict(difference: published.Number) -> str:
    """The text that says what may be said of it."""
    ends = figures.ends(difference)
    if ends is None or ends[0] <= 0 <= ends[1]:
        return "pilot_unsure"
    return "pilot_better" if ends[0] > 0 else "pilot_worse"


def _chart(pilot: published.Pilot, words: Words) -> document.Chart:
    told = [period for period in pilot.periods if figures.is_told(period.coverage)]
    ends = [
        charts.End(
            side=period.side,
            is_before=period.period == "before",
            number=period.coverage,
            says=_end(period, words),
            least=figures.least([period.coverage]),
            most=figures.most([period.coverage]),
        )
        for period in told
    ]
    values = "; ".join(
        words.say(
            "pilot_chart_value",
            side=words.say(f"group_{period.side}"),
            period=words.say(f"period_{period.period}"),
            coverage=words.percent(period.coverage),
        )
        for period in told
    )
    return document.Chart(
        name="pilot",
        spec=charts.slopes(ends, before=words.say("period_before"), during=words.say("period_during")),
        title=words.say("pilot_chart_title"),
        says=words.say("pilot_chart_says", values=values),
        caption=words.say("pilot_chart_caption"),
        table=None,
    )


def _end(period: published.PilotPeriod, words: Words) -> str:
    """The right end of a line names its side too."""
    coverage = words.percent(period.coverage)
    return coverage if period.period == "before" else words.say(f"side_{period.side}", coverage=coverage)


def _table(pilot: published.Pilot, words: Words) -> document.Table:
    head = (
        "pilot_side",
        "pilot_period",
        "schools_column",
        "mean_need",
        "mean_connected",
        "coverage",
        "at_least",
        "at_most",
    )
    return document.Table(
        title=words.say("pilot_chart_title"),
        head=tuple(map(words.say, head)),
        rows=tuple(_cells(period, words) for period in pilot.periods),
    )


def _cells(period: published.PilotPeriod, words: Words) -> tuple[str, ...]:
    spans = words.listed(words.month_in_short(month) for month in period.months)
    schools = f"{period.schools:,}"
    if period.left_out:
        schools = words.say("pilot_schools", n=schools, out=f"{period.left_out:,}")
    return (
        words.say(f"group_{period.side}"),
        words.say(
            "pilot_months", period=words.say(f"period_{period.period}"), months=spans or words.say("none")
        ),
        schools,
        words.count(period.need),
        words.count(period.covered),
        words.percent(period.coverage),
        *_bounds(period.coverage, words),
    )


def _bounds(coverage: published.Number, words: Words) -> tuple[str, str]:
    ends = figures.ends(coverage)
    if ends is None:
        return words.say("symbol_unknown"), words.say("symbol_unknown")
    least, most = (words.percent(published.Number(value=end)) for end in ends)
    return least, most
