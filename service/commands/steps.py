"""Progress of a command in named steps, where a person looks on."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich import progress
from rich.console import Console


class Steps:
    """Shows how far each step has come."""

    def __init__(self, bars: progress.Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, progress.TaskID] = {}

    def __call__(self, step: str, done: int, total: int) -> None:
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(step, total=total)
        self._bars.update(self._tasks[step], completed=done, total=total)

    def stop(self) -> None:
        self._bars.stop()


@contextmanager
def shown(console: Console | None = None) -> Iterator[Steps]:
    """On standard error; nothing where that is no terminal."""
    out = console or Console(stderr=True)
    with progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        console=out,
        disable=not out.is_terminal,
    ) as bars:
        yield Steps(bars)
