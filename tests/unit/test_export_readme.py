"""README.txt: what a receiver reads first."""

import dataclasses

from service.exports import published, readme, shareable
from service.exports import terms as export_terms
from tests import month_facts

LANGUAGES = ("en", "es")


def told(district: str = "Sonoran", **changed: object) -> published.Published:
    of = month_facts.facts([month_facts.school(1, month_facts.counts(120, 90, 84, 80, 77, 2))])
    of = dataclasses.replace(of, district_name=district)
    return published.of(of, month_facts.decision(of), version="0.1.0", **changed)  # type: ignore[arg-type]


def text(made: published.Published, languages: tuple[str, ...] = LANGUAGES) -> str:
    return readme.of(made, languages).decode("utf-8")


def test_it_says_what_this_is_where_to_start_and_how_to_compare_the_sums() -> None:
    lines = text(told()).splitlines()
    assert lines[:3] == [
        "Sonoran",
        f"Hotspots for students in need, {month_facts.MONTH.first_on:%B %Y}",
        "Shareable package, revision 1, made by afterbell 0.1.0",
    ]
    assert "Read report-en.pdf: a few pages for everybody." in lines
    assert "sha256sum -c SHA256SUMS" in " ".join(lines)
    assert "certutil -hashfile" in " ".join(lines)


def test_it_names_every_file_and_every_table() -> None:
    said = text(told())
    files = ["workbook.xlsx", "csv/", "parquet/", "datapackage.json", "SHA256SUMS"]
    files += [f"report-{language}.{kind}" for language in LANGUAGES for kind in ("pdf", "html")]
    tables = [table.name for table, _ in shareable.tables(told())]
    assert [name for name in (*files, *tables) if f"\n  {name} " not in said] == []
    assert "report-" not in text(told(), ())


def test_it_says_where_an_apostrophe_in_a_csv_file_comes_from() -> None:
    assert "has an apostrophe before it" in " ".join(text(told()).split())


def test_a_partial_month_and_a_pilot_are_named() -> None:
    pilot = dataclasses.replace(month_facts.pilot([1], []), name="Autumn\nlessons")
    said = text(told(is_partial=True, pilot=pilot))
    assert export_terms.PARTIAL in said
    assert "With the pilot: Autumn lessons\n" in said
    assert "PARTIAL" not in text(told())


def test_it_fits_a_window_and_is_the_same_each_time() -> None:
    made = told("Distrito Ñandú")
    assert readme.of(made, LANGUAGES) == readme.of(made, LANGUAGES)
    assert max(map(len, text(made).splitlines())) <= 100
    assert text(made).startswith("Distrito Ñandú\n")
