"""A description file (TOML): how a SIM platform signs in, lists its lines and tells their use. It holds no code."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from collectors import entry, hosts, readings
from collectors.described import explanation, expressions, units

SHIPPED = Path(__file__).parent / "platforms"
PATH = re.compile(r"/[^?#\s]*")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
KEY_PLACE = "{provider_key}"

Expression = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
PageSize = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
Header = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]+$", max_length=100)]
Days = Annotated[int, msgspec.Meta(ge=1, le=3_660)]
OptionalField = Literal["iccid", "imei", "mdn", "status", "online", "last_seen", "cycle_usage", "cycle_limit"]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file. A word that it does not know is an error."""


class SignIn(Part, frozen=True, kw_only=True):
    """Without a ``path`` the headers carry a lasting key. ``answer`` names what the headers take from the answer."""

    path: str | None = None
    basic: tuple[entry.Name, entry.Name] | None = None  # the names of two credentials
    body: dict[str, str | int] = {}
    answer: dict[str, Expression] = {}
    headers: Annotated[dict[Header, str], msgspec.Meta(min_length=1)]
    lifetime: Expression | None = None  # of the answer: seconds
    lifetime_jwt: str | None = None  # the name in ``answer`` of a token that tells its own end
    lifetime_seconds: Annotated[int, msgspec.Meta(ge=60, le=172_800)] = 900  # where the answer does not tell

    def __post_init__(self) -> None:
        if self.path is None and (self.basic or self.body or self.answer or self.lifetime):
            raise ValueError("basic, body, answer and lifetime need a path to sign in at")
        if self.path is not None:
            _check_path("path", self.path)
        if self.lifetime_jwt is not None and self.lifetime_jwt not in self.answer:
            raise ValueError("lifetime_jwt must be a name in answer")

    def credentials(self) -> frozenset[str]:
        """The names of the credentials that it asks for."""
        texts = [*self.headers.values(), *(text for text in self.body.values() if isinstance(text, str))]
        asked = {name for text in texts for name in PLACEHOLDER.findall(text)}
        return frozenset((asked - self.answer.keys()) | set(self.basic or ()))


class Place(Part, frozen=True, kw_only=True):
    """Where an answer tells a number: in a header, or in its body."""

    header: Header | None = None
    path: Expression | None = None

    def __post_init__(self) -> None:
        if (self.header is None) == (self.path is None):
            raise ValueError("give either header or path")


class ByPage(Part, tag="page", tag_field="by", frozen=True, kw_only=True):
    """Pages are numbered from 1; ``page`` and ``size`` name the query parameters."""

    page: entry.Name
    size: entry.Name
    total_pages: Place
    total: Place | None = None


class ByKey(Part, tag="key", tag_field="by", frozen=True, kw_only=True):
    """Each page tells in a header with which key the list goes on; the last one does not. Any may be short."""

    key: entry.Name
    size: entry.Name
    next_header: Header


class Status(Part, frozen=True, kw_only=True):
    path: Expression
    words: dict[str, readings.LineStatus]


class Online(Part, frozen=True, kw_only=True):
    """Without words the field is true or false. Of a line with a word of ``not_told`` nothing is known."""

    path: Expression
    online: tuple[str, ...] = ()
    offline: tuple[str, ...] = ()
    not_told: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        words = [*self.online, *self.offline, *self.not_told]
        if len(set(words)) < len(words):
            raise ValueError("a word stands in two lists")


class LastSeen(Part, frozen=True, kw_only=True):
    path: Expression
    unit: Literal["seconds", "milliseconds"]
    by: readings.LastSeenBy


class Amount(Part, frozen=True, kw_only=True):
    path: Expression
    unit: units.Unit | None = None
    unit_path: Expression | None = None  # where every record tells its own unit

    def __post_init__(self) -> None:
        if (self.unit is None) == (self.unit_path is None):
            raise ValueError("give either unit or unit_path")


class Lines(Part, frozen=True, kw_only=True):
    """The list of lines. ``rows`` is the member that holds them; without it the answer itself is the list."""

    path: str
    rows: entry.Name | None = None
    page_size: PageSize
    paging: ByPage | ByKey
    provider_key: Expression
    iccid: Expression | None = None
    imei: Expression | None = None
    mdn: Expression | None = None
    status: Status | None = None
    online: Online | None = None
    last_seen: LastSeen | None = None
    cycle_usage: Amount | None = None
    cycle_limit: Amount | None = None
    required: tuple[OptionalField, ...] = ()  # beside provider_key

    def __post_init__(self) -> None:
        _check_path("path", self.path)
        if absent := [name for name in self.required if getattr(self, name) is None]:
            raise ValueError(f"required names {absent[0]}, which is not described")
        if self.rows is None and any(place.path for place in self.totals()):
            raise ValueError("a total has a path, but the answer is a list: give rows, or a header")

    def totals(self) -> list[Place]:
        if isinstance(self.paging, ByKey):
            return []
        return [place for place in (self.paging.total_pages, self.paging.total) if place is not None]


class Day(Part, frozen=True, kw_only=True):
    path: Expression
    unit: Literal["date", "seconds"]


class Usage(Part, frozen=True, kw_only=True):
    """The call that tells one line's days. ``{from}`` and ``{to}`` in ``params`` are the days to tell of."""

    path: str
    params: dict[str, str]
    times: Literal["date", "seconds"]
    rows: entry.Name | None = None
    day: Day
    amount: Amount
    most_days: Days = 366  # how far back the platform tells

    def __post_init__(self) -> None:
        _check_path("path", self.path)
        if self.path.count(KEY_PLACE) != 1:
            raise ValueError(f"path must hold {KEY_PLACE} once")
        placed = [name for text in self.params.values() for name in PLACEHOLDER.findall(text)]
        if sorted(placed) != ["from", "to"]:
            raise ValueError("params must hold {from} once and {to} once, and nothing else in braces")


class Description(Part, frozen=True, kw_only=True):
    name: entry.Name
    base_url: str
    requests_per_second: entry.Rate
    sign_in: SignIn
    lines: Lines
    usage: Usage | None = None

    def __post_init__(self) -> None:
        hosts.check_base_url(self.base_url)


def load(path: Path) -> Description:
    """Read a description and compile all that is in it once. Raises ValueError: the place and what is allowed."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} is no TOML: {error}") from error
    try:
        description = msgspec.convert(content, Description)
    except msgspec.ValidationError as error:
        raise ValueError(f"{path.name}: {explanation.of(error, Description)}") from error
    for place, text in named_expressions(description):
        try:
            expressions.compiled(text)
        except expressions.Invalid as error:
            raise ValueError(f"{path.name}: {place} = {text}: {error}") from error
    if _looks_into_rows(description.lines):
        raise ValueError(f"{path.name}: lines.paging looks for a total in the rows themselves")
    return description


def _looks_into_rows(lines: Lines) -> bool:
    paths = [place.path for place in lines.totals() if place.path is not None]
    return any(lines.rows in expressions.compiled(path).members for path in paths)


def shipped(name: str) -> Description:
    return load(SHIPPED / f"{name}.toml")


def named_expressions(part: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every expression of a description with its place in the file."""
    for field in msgspec.structs.fields(part):
        value, at = getattr(part, field.name), f"{place}{field.name}"
        if isinstance(value, msgspec.Struct):
            yield from named_expressions(value, f"{at}.")
        elif field.type in {Expression, Expression | None} and value is not None:
            yield at, value
        elif at == "sign_in.answer":
            yield from ((f"{at}.{name}", text) for name, text in value.items())


def _check_path(name: str, path: str) -> None:
    if not PATH.fullmatch(path):
        raise ValueError(f"{name} must begin with / and hold no query")
