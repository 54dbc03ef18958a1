"""The report as files: drawn by a process of its own, the same bytes each time, readable by everybody."""

import dataclasses
import functools
import hashlib
import html.parser
import http.server
import io
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from service import errors
from service.exports import published, report
from service.exports.report import content, document, drawn, pages
from tests import published_months

ROOT = Path(__file__).parents[2]
LANGUAGES = ("en", "es")
VARIANTS = {
    "pilot": published_months.with_pilot(),
    "unknown": published_months.unknown_month(),
    "no need": published_months.without_need(),
    "strict": published_months.strict(),
    "partial": published_months.month(is_partial=True),
}
HOSTILE = (
    '#import "@preview/x:1.0.0": *',
    "<script>alert(1)</script>",
    "</title></svg><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }} ${7} #{7}",
    "\"quotes\" & 'ticks' `code` $math$ @ref *bold* \\u{41}",
    "مدرسة الأمل",
    "בית ספר",
    "Escuela Ñandú 😀🏫",
    "学校",
    "Zero\u200bwidth\u202e reversed \x07",
    "Long " + "unbroken" * 40,
    "",
)


@functools.cache
def made(name: str, language: str = "en") -> report.Files:
    return report.made(VARIANTS[name], language=language)


def opened(data: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(data))


def hostile() -> published.Published:
    rows = zip(HOSTILE, published_months.SCHOOLS, strict=True)
    schools = [published_months.school(index, (name, *row[1:])) for index, (name, row) in enumerate(rows)]
    pilot = dataclasses.replace(published_months.pilot(), name=HOSTILE[0], question=HOSTILE[1])
    return published_months.of_schools(schools, pilot=pilot)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", VARIANTS)
def test_the_pdf_is_tagged_for_everybody(name: str, language: str) -> None:
    month = VARIANTS[name]
    with opened(made(name, language).pdf) as pdf:
        root = pdf.Root
        assert bool(root.MarkInfo.Marked)
        assert "/StructTreeRoot" in root
        assert str(root.Lang) == f"{language}-US"
        assert bool(root.ViewerPreferences.DisplayDocTitle)
        with pdf.open_metadata() as told:
            assert told["pdfuaid:part"] == "1"
            assert "Willow County School District 7" in str(told["dc:title"])
        tags = _tags(root.StructTreeRoot)
        figures = [tag for tag in tags if tag.get("/S") == "/Figure"]
        charts = content.of(month, language=language).charts
        assert len(figures) >= len(charts)
        assert all(len(str(tag.get("/Alt", ""))) > 40 for tag in figures)
        assert {"/H1", "/H2", "/L"} <= {str(tag.get("/S")) for tag in tags}
        # Of a month without a day of figures there is little to tell.
        assert (1 if month.facts.figure_on is None else 2) <= len(pdf.pages) <= 4


def _tags(tag: Any) -> list[Any]:
    """Every tag below one."""
    below = tag.get("/K") if isinstance(tag, pikepdf.Dictionary) else None
    if below is None:
        return []
    found = []
    for one in below if isinstance(below, pikepdf.Array) else [below]:
        if isinstance(one, pikepdf.Dictionary) and "/S" in one:
            found += [one, *_tags(one)]
    return found


@pytest.mark.parametrize(
    ("number", "language"),
    [(1, "en"), (3, "es"), (12, "es"), (48, "en"), (48, "es"), (60, "es"), (1000, "es"), (1000, "en")],
)
def test_it_has_two_to_four_letter_pages_for_any_number_of_schools(number: int, language: str) -> None:
    month = dataclasses.replace(
        published_months.of_size(number),
        pilot=published_months.pilot(),
        is_partial=True,
        revision=2,
        changes=published_months.CHANGES,
        earlier=published_months.earlier(missing=True),
    )
    with opened(report.made(month, language=language).pdf) as pdf:
        assert 2 <= len(pdf.pages) <= 4
        for page in pdf.pages:
            assert [float(end) for end in page.mediabox] == [0, 0, 612, 792]


def test_very_long_texts_still_fit_on_four_pages() -> None:
    pilot = dataclasses.replace(published_months.pilot(), question="Does it help? " * 60)
    month = dataclasses.replace(published_months.of_size(48), pilot=pilot)
    with opened(report.made(month, language="en").pdf) as pdf:
        assert len(pdf.pages) <= 4


def test_nothing_in_the_files_tells_when_they_were_made() -> None:
    files = made("pilot")
    with opened(files.pdf) as pdf:
        assert "/CreationDate" not in pdf.docinfo
        assert "/ModDate" not in pdf.docinfo
        with pdf.open_metadata() as told:
            assert not {"xmp:CreateDate", "xmp:ModifyDate", "xmp:MetadataDate"} & set(told)
    assert not re.search(r"\d\d:\d\d", files.html.decode())


SCRIPT = """
import hashlib
from service.exports import report
from tests import published_months
for language in ("en", "es"):
    files = report.made(published_months.with_pilot(), language=language)
    print(hashlib.sha256(files.html).hexdigest(), hashlib.sha256(files.pdf).hexdigest())
"""


def test_another_process_in_another_place_makes_the_same_bytes(tmp_path: Path) -> None:
    told = []
    for place in (
        {"TZ": "Pacific/Auckland", "LANG": "C", "PYTHONHASHSEED": "1"},
        {"TZ": "America/New_York", "LANG": "es_US.UTF-8", "PYTHONHASHSEED": "77", "HOME": str(tmp_path)},
    ):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **place},
            capture_output=True,
            check=True,
        )
        told.append(done.stdout)
    assert told[0] == told[1]
    here = [made("pilot", language) for language in LANGUAGES]
    sums = [hashlib.sha256(part).hexdigest() for files in here for part in (files.html, files.pdf)]
    assert told[0].decode().split() == sums


class _Seen(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_of_any_kind_are_text_and_nothing_else(language: str) -> None:
    files = report.made(hostile(), language=language)
    seen = _Seen()
    seen.feed(files.html.decode())
    assert not {"script", "img", "link", "iframe", "object", "image", "a"} & set(seen.tags)
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    assert "&lt;script&gt;" in files.html.decode()
    assert "{{ 7 * 7 }}" in files.html.decode()
    with opened(files.pdf) as pdf:
        assert 2 <= len(pdf.pages) <= 4


def test_the_page_asks_for_nothing_outside_itself() -> None:
    text = made("pilot").html.decode()
    assert not re.findall(r"(?:src|href)=|url\(|@import", text)
    addresses = set(re.findall(r"https?://[^\s\"'<]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "<script" not in text


def test_each_chart_of_the_page_has_a_name_and_a_description() -> None:
    month = VARIANTS["pilot"]
    text = made("pilot").html.decode()
    for chart in content.of(month, language="en").charts:
        assert '<svg role="img" viewBox=' in text
        assert f'<title id="{chart.name}-title">{chart.title}</title>' in text
        assert f'<desc id="{chart.name}-says">' in text
    assert text.count("<svg") == len(content.of(month, language="en").charts)


def test_a_partial_month_is_marked_on_the_page() -> None:
    text = made("partial").html.decode()
    assert "PARTIAL MONTH" in text
    assert "PARTIAL MONTH" not in made("pilot").html.decode()


def test_there_is_no_report_in_another_language() -> None:
    with pytest.raises(ValueError, match="choose of en, es"):
        report.made(published_months.month(), language="fr")


def _with_spec(spec: dict[str, object]) -> Any:
    """The report of a month, with one chart's spec changed."""
    whole = content.of(published_months.month(), language="en")
    sections = [
        dataclasses.replace(
            part,
            blocks=tuple(
                dataclasses.replace(block, spec=spec)
                if isinstance(block, document.Chart) and block.name == "schools"
                else block
                for block in part.blocks
            ),
        )
        for part in whole.sections
    ]
    return dataclasses.replace(whole, sections=tuple(sections))


def test_a_chart_that_cannot_be_drawn_is_an_error_that_says_so() -> None:
    with pytest.raises(drawn.DrawingFailed, match="could not be drawn"):
        drawn.drawn(_with_spec({"mark": "no such mark"}))
    assert issubclass(drawn.DrawingFailed, errors.AfterbellError)


class _Counting(http.server.BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("kind", ["data", "image"])
def test_drawing_reaches_no_network(kind: str) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), _Counting) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/x.json"
        specs: dict[str, dict[str, object]] = {
            "data": {"data": {"url": address}, "mark": "point"},
            "image": {
                "data": {"values": [{"u": address}]},
                "mark": "image",
                "encoding": {"url": {"field": "u", "type": "nominal"}},
            },
        }
        with pytest.raises(drawn.DrawingFailed):
            drawn.drawn(_with_spec(specs[kind]))
        server.shutdown()
        thread.join()
    assert _Counting.asked == 0


def test_drawing_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(drawn.DrawingFailed, match="not drawn within 0 s"):
        drawn.drawn(content.of(published_months.month(), language="en"), deadline=0.01)


def test_a_missing_library_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "_NEEDED", ("a_library_that_nobody_has",))
    with pytest.raises(drawn.DrawingFailed, match=r'pip install "afterbell\[exports\]"'):
        report.made(published_months.month(), language="en")


LOADED = """
import sys
import service.exports.report
print([name for name in ("typst", "vl_convert") if name in sys.modules])
"""


def test_the_service_itself_loads_no_drawing_library() -> None:
    said = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    assert said.stdout.strip() == "[]"


def test_no_secret_of_the_service_reaches_the_process_that_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERBELL_TOKEN", "hush")
    assert "hush" not in str(drawn._environment())


def test_a_drawing_that_is_no_svg_is_refused() -> None:
    whole = content.of(published_months.month(), language="en")
    with pytest.raises(ValueError, match="is no SVG"):
        pages.page(whole, dict.fromkeys((chart.name for chart in whole.charts), "<p>"))
