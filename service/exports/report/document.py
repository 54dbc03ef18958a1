"""A report as its parts: plain text throughout, so that every page format shows the same words and numbers."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    text: str
    style: str = "plain"  # lead, plain, note


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """``lead`` says in a few words what the text is about."""

    text: str
    lead: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A figure of its own."""

    label: str
    figure: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The first column names the row; the others are figures."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """``spec`` is Vega-Lite. ``says`` stands for it unseen. ``table`` has its figures; None: one stands beside it."""

    name: str
    spec: Mapping[str, object]
    title: str
    says: str
    caption: str
    table: Table | None


Block = Paragraph | Items | Tiles | Table | Chart


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """``mark`` is on every page where the month is partial. ``footer`` tells which report a page is of."""

    language: str  # en, es
    title: str
    subtitle: str
    about: str
    mark: str
    footer: str
    page_of: str  # "page {page} of {pages}"
    as_table: str  # what a chart's table is called
    sections: tuple[Section, ...]

    @property
    def charts(self) -> tuple[Chart, ...]:
        return tuple(block for part in self.sections for block in part.blocks if isinstance(block, Chart))
