"""The report as one HTML file: nothing is loaded from elsewhere, and nothing runs in it."""

import re
from collections.abc import Mapping

import jinja2
import markupsafe

from service.exports.report import document

_OPENS = re.compile(r"<svg\b[^>]*?viewBox=\"([^\"]+)\"[^>]*>")


def page(report: document.Document, drawings: Mapping[str, str]) -> bytes:
    template = _environment().get_template("report.html")
    inside = {chart.name: _inline(chart, drawings[chart.name]) for chart in report.charts}
    return template.render(report=report, drawings=inside).encode()


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("service.exports.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["quoted"] = _quoted
    environment.filters["kind"] = lambda block: type(block).__name__.lower()
    return environment


def _quoted(text: str) -> markupsafe.Markup:
    """A text of ours as a string of the style sheet: letters, digits and plain signs only."""
    return markupsafe.Markup('"{}"').format(re.sub(r"[^\w .,:;-]", "", text))


def _inline(chart: document.Chart, drawing: str) -> markupsafe.Markup:
    """The drawing as a picture with a name and a description, as wide as there is room."""
    opens = _OPENS.search(drawing)
    if opens is None:
        raise ValueError(f"the drawing of {chart.name} is no SVG")
    head = markupsafe.Markup(
        '<svg role="img" viewBox="{box}" aria-labelledby="{name}-title" aria-describedby="{name}-says">'
        '<title id="{name}-title">{title}</title><desc id="{name}-says">{says}</desc>'
    ).format(box=opens[1], name=chart.name, title=chart.title, says=chart.says)
    return head + markupsafe.Markup(drawing[opens.end() :])  # noqa: S704 - our own drawing, its texts escaped
