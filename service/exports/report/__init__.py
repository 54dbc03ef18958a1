"""The report of a month: for the sponsor of a pilot and a superintendent, as a PDF and as one HTML file."""

from collections.abc import Callable
from dataclasses import dataclass

from service.exports import published, threads
from service.exports.report import content, drawn, pages

LANGUAGES = ("en", "es")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    html: bytes
    pdf: bytes


def made(month: published.Published, *, language: str, pulse: Callable[[], None] = threads.nothing) -> Files:
    """The same month and language give the same bytes. Takes seconds, in which ``pulse`` is called now and then: it
    raises to end it. Raises drawn.DrawingFailed."""
    if language not in LANGUAGES:
        raise ValueError(f"there is no report in {language!r}: choose of {', '.join(LANGUAGES)}")
    report = content.of(month, language=language)
    done = drawn.drawn(report, pulse=pulse)
    return Files(html=pages.page(report, done.charts), pdf=done.pdf)
