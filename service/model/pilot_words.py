"""What a pilot came to, in words: for the terminal and for the page alike."""

from collections.abc import Iterator

from service.model import pilots

CAVEAT = (
    "The comparison shows what would have happened without the pilot only if both groups would have moved alike. "
    "The range of chance counts students as if each stood alone; those of one school resemble each other, so the "
    "true range is wider."
)


def sentence(result: pilots.Result) -> str:
    """What was found, in one sentence; whether it says anything is for the warnings."""
    if result.change.value is None:
        return f"The change at the pilot schools cannot be told: {result.change.reason}."
    said = f"Coverage of the pilot schools {_moved(result.change.value)}"
    if result.difference.value is None or result.comparison_change.value is None:
        return f"{said}; a difference to other schools cannot be told."
    other = _moved(result.comparison_change.value)
    return (
        f"{said}, that of the comparison schools {other}: "
        f"a difference of {points(result.difference.value)} points."
    )


def _moved(change: float) -> str:
    if abs(change) < 0.0005:
        return "stayed the same"
    return f"{'rose' if change > 0 else 'fell'} by {abs(change) * 100:.1f} points"


def points(difference: float) -> str:
    """Percentage points with their sign."""
    return f"{difference * 100:+.1f}"


def ranges(result: pilots.Result) -> Iterator[str]:
    """How far the difference may be from what was found."""
    if result.lowest is not None and result.highest is not None and result.difference.value is not None:
        low, high = points(result.lowest), points(result.highest)
        yield f"With all that is unknown against it or for it: {low} to {high} points."
    if result.by_chance is not None:
        yield f"By chance alone a difference of up to {result.by_chance * 100:.0f} points would be no surprise."


def percent(value: float | None) -> str:
    return "?" if value is None else f"{value:.1%}"


def left_out(cell: pilots.Cell) -> str:
    return ", ".join(f"{days} {reason}" for reason, days in sorted(cell.left_out.items()))
