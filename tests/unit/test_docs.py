"""The documents tell of everything there is, of nothing that there is not, and their examples are right."""

import os
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, get_args, get_origin
from zoneinfo import ZoneInfo

import pydantic
import pydantic_core
import pytest
import typer

import sql
from collectors import registry
from service import __main__ as command_line
from service import config, errors
from service.imports import pseudonym_keys
from service.store import coverage

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EXAMPLE = ROOT / "afterbell.example.toml"
TEXT = {".md", ".py", ".sql", ".toml", ".txt", ".html", ".css", ".csv", ".json", ".yml", ".yaml", ""}
USAGE_ERROR = 2  # click's
Command = Any  # click's, which Typer may bring along or not

CELL = re.compile(r"(?<!\\)\|")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def read(path: Path) -> str:
    return path.read_text("utf-8")


def files() -> Iterator[Path]:
    """Every file that belongs to the project, wherever it was checked out or unpacked."""
    for path in sorted(ROOT.iterdir()):
        is_own = not path.name.startswith(".") or path.name in (".ci", ".gitignore")
        if path.is_file() and is_own:
            yield path
        elif is_own and path.name not in ("build", "dist") and not (path / "pyvenv.cfg").exists():
            yield from sorted(path.rglob("*"))


def text_files() -> list[Path]:
    return [path for path in files() if path.is_file() and path.suffix in TEXT]


def documents() -> list[Path]:
    return [path for path in text_files() if path.suffix == ".md"]


def sections(text: str) -> dict[str, str]:
    """What stands under each heading."""
    _, *parts = HEADING.split(FENCE.sub("", text))
    return dict(zip(parts[::2], parts[1::2], strict=True))


def tables(text: str) -> list[list[dict[str, str]]]:
    """The rows of every table, by the names of its columns."""
    found = re.findall(r"((?:^\|.*\|\n)+)", FENCE.sub("", text) + "\n", re.MULTILINE)
    return [_rows(table.splitlines()) for table in found]


def _rows(lines: list[str]) -> list[dict[str, str]]:
    header, _, *rows = ([cell.strip() for cell in CELL.split(line)[1:-1]] for line in lines)
    return [dict(zip(header, row, strict=True)) for row in rows]


def table_with(text: str, *columns: str) -> list[dict[str, str]]:
    return next(table for table in tables(text) if set(columns) <= set(table[0]))


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(config.ENV_PREFIX):
            monkeypatch.delenv(name)


# Settings


def models(model: type[pydantic.BaseModel], path: str = "") -> Iterator[tuple[str, type[pydantic.BaseModel]]]:
    """Every section of the configuration, as TOML calls it."""
    yield path, model
    for name, field in model.model_fields.items():
        below = [field.annotation, *get_args(field.annotation)]
        for kind in below:
            if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
                yield from models(kind, f"{path}.{name}".strip("."))


SECTIONS = dict(models(config.Config))


def heading(section: str) -> str:
    if not section:
        return "Top level"
    parent, _, name = section.rpartition(".")
    is_list = get_origin(SECTIONS[parent].model_fields[name].annotation) is tuple
    return f"`[[{section}]]`" if is_list else f"`[{section}]`"


def shown(default: object) -> str:
    if default is pydantic_core.PydanticUndefined:
        return "required"
    if default is None:
        return "none"
    if isinstance(default, str):
        return f'`"{default}"`'
    if isinstance(default, dict):
        return "`{}`"
    if isinstance(default, pydantic.BaseModel):
        return "its own"
    return f"`{list(default) if isinstance(default, tuple) else default}`"


def settings_told(section: str) -> list[dict[str, str]]:
    return table_with(
        sections(read(DOCS / "configuration.md"))[heading(section)], "setting", "default", "meaning"
    )


def settings(section: str) -> dict[str, Any]:
    fields = SECTIONS[section].model_fields
    return {
        name: field.get_default(call_default_factory=True, validated_data={})
        for name, field in fields.items()
        if section or name not in SECTIONS
    }


@pytest.mark.parametrize("section", SECTIONS)
def test_every_setting_is_documented_with_its_default(section: str) -> None:
    told = {row["setting"].strip("`"): row["default"] for row in settings_told(section)}
    assert told == {name: shown(default) for name, default in settings(section).items()}
    assert all(row["meaning"] for row in settings_told(section))


@pytest.mark.parametrize("section", [name for name in SECTIONS if not name.startswith("districts")])
def test_every_setting_has_its_environment_name(section: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for row in settings_told(section):
        name = ".".join(filter(None, (section, row["setting"].strip("`"))))
        variable = config.ENV_PREFIX + name.upper().replace(".", "__")
        assert row["in the environment"] == f"`{variable}`"
        with monkeypatch.context() as patched:
            for required, value in _required(section).items():
                patched.setenv(f"{config.ENV_PREFIX}{section}__{required}".upper(), value)
            patched.setenv(variable, _another(row["setting"].strip("`"), section))
            loaded = config.load(None)
        assert loaded != config.Config()


def _required(section: str) -> dict[str, str]:
    """What a section cannot do without, by setting."""
    together = {"user": "afterbell", "password_file": "/run/secrets/mail"} if section == "mail" else {}
    return together | {
        name: _another(name, section)
        for name, default in settings(section).items()
        if default is pydantic_core.PydanticUndefined
    }


def _another(name: str, section: str) -> str:
    """A value that is not the default."""
    default = settings(section)[name]
    if isinstance(default, int):
        return str(default + 1)
    if isinstance(default, float):
        return str(default / 2)
    known = {
        "host": "127.0.0.2",
        "log_level": "debug",
        "url": "postgresql://another/one",
        "encryption": "tls",
        "sender": "afterbell@district.example",
        "page_address": "https://afterbell.district.example",
    }
    return known.get(name, "another")


def test_the_example_in_the_documentation_is_the_file() -> None:
    assert f"```toml\n{read(EXAMPLE)}```" in read(DOCS / "configuration.md")


def test_the_example_can_be_used(tmp_path: Path) -> None:
    secrets = {
        "database-url": "postgresql://afterbell:password@db.example.org/afterbell",
        "pseudonym-key": "0123456789abcdef" * 4,
        "kajeet-secret": "a secret",
    }
    for name, text in secrets.items():
        (tmp_path / name).write_text(text + "\n")
    file = tmp_path / "afterbell.toml"
    file.write_text(read(EXAMPLE).replace("/etc/afterbell", str(tmp_path)))

    loaded = config.load(file)

    assert config.database_url(loaded.database) == secrets["database-url"]
    (district,) = loaded.districts
    assert district.pseudonym_key_file is not None
    pseudonym_keys.load(district.pseudonym_key_file)
    polled = [account for account in district.accounts if account.collector != config.FILE_COLLECTOR]
    assert polled
    for account in polled:
        registry.validate(account.collector, account.options, config.credentials(account))


# Commands


def commands() -> Iterator[tuple[str, Command]]:
    """Every command that does something, and the root for the options that stand before all of them."""
    root = typer.main.get_command(command_line.app)
    yield "afterbell", root
    yield from _below(root, "afterbell")


def _below(group: Command, path: str) -> Iterator[tuple[str, Command]]:
    for name, command in getattr(group, "commands", {}).items():
        if hasattr(command, "commands"):
            yield from _below(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def command_sections() -> dict[str, str]:
    found = sections(read(DOCS / "commands.md"))
    return {name.strip("`"): text for name, text in found.items() if name.startswith("`afterbell")}


def test_every_command_is_documented_and_no_other() -> None:
    assert set(command_sections()) == {path for path, _ in commands()}


def test_every_option_is_documented_and_no_other() -> None:
    told = {
        path: set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) for path, text in command_sections().items()
    }
    told["afterbell"] -= {"--help"}  # click's own, of every command
    assert told == {path: set(_options(command)) for path, command in commands()}


def _options(command: Command) -> Iterator[str]:
    for parameter in command.params:
        yield from (name for name in parameter.opts if name.startswith("--"))


def test_every_exit_code_is_documented_and_no_other() -> None:
    told = {int(row["code"]) for row in table_with(read(DOCS / "commands.md"), "code", "meaning")}
    raised = {kind.exit_code for kind in _kinds(errors.AfterbellError)}
    assert told == {0, USAGE_ERROR, command_line.EXIT_INTERRUPTED, *raised}


def _kinds(kind: type[errors.AfterbellError]) -> Iterator[type[errors.AfterbellError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def test_every_example_names_a_command_and_its_options() -> None:
    known = {path: set(_options(command)) for path, command in commands()}
    for path in documents():
        for line in _examples(read(path)):
            said = max((name for name in known if re.match(rf"{name}(?= |$)", line)), key=len)
            options = set(re.findall(r"\s(--[a-z-]+)", line))
            assert options <= known[said] | known["afterbell"], f"{path.name}: {line}"
            assert said != "afterbell" or options, f"{path.name}: {line} names no command"


def _examples(text: str) -> list[str]:
    """What begins with afterbell, in fences and in `code`; up to a redirection or a comment."""
    lines = r"^(?:[^#`\n|>]*[ /])?(afterbell [a-z-][^#>|;\n]*)"
    fenced = re.findall(lines, "\n".join(FENCE.findall(text)), re.MULTILINE)
    return fenced + re.findall(r"`(afterbell [a-z-][^`]*)`", FENCE.sub("", text))


# Coverage


COUNTING = "how-coverage-is-counted.md"
UNKNOWN = "?"


def number(cell: str) -> int | None:
    return None if cell == UNKNOWN else int(cell)


def percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.0%}".replace("%", " %")


def example_schools() -> list[dict[str, str]]:
    return table_with(read(DOCS / COUNTING), "school", "enrolled")


@pytest.mark.parametrize("row", example_schools(), ids=lambda row: str(row["school"]))
def test_the_schools_of_the_example_are_counted_right(row: dict[str, str]) -> None:
    loaned, adequate, unknown = int(row["with a loan"]), int(row["adequate"]), int(row["unknown"])
    completeness = 1 - unknown / loaned
    assert row["completeness"] == percent(completeness)
    need = number(row["need"])
    if need is None:
        assert [row[name] for name in ("coverage", "at least", "at most", "unmet")] == [
            "unknown",
            "?",
            "?",
            "?",
        ]
        return
    assert row["unmet"] == str(need - min(adequate, need))
    if need == 0:
        assert [row[name] for name in ("coverage", "at least", "at most")] == ["no need", "?", "?"]
        return
    unanswered = int(row["enrolled"]) - int(row["answered"])
    known = completeness >= config.Thresholds().completeness_floor
    assert row["coverage"] == (percent(min(adequate, need) / need) if known else "unknown")
    assert row["at least"] == percent(min(1, adequate / (need + unanswered)))
    assert row["at most"] == percent(min(1, (adequate + unknown) / need))


def test_the_district_of_the_example_is_counted_as_afterbell_does() -> None:
    schools = [_school(row) for row in example_schools()]
    counts = coverage.together(schools, floor=config.Thresholds().completeness_floor)
    (told,) = table_with(read(DOCS / COUNTING), "covered")
    whole = (counts.need, counts.loaned, counts.adequate, counts.unknown, counts.covered)
    assert [int(told[name]) for name in ("need", "with a loan", "adequate", "unknown", "covered")] == list(
        whole
    )
    assert told["completeness"] == percent(counts.completeness)
    assert told["coverage"] == ("unknown" if counts.coverage is None else percent(counts.coverage))
    assert told["at least"] == percent(counts.coverage_low)
    assert told["at most"] == percent(counts.coverage_high)


def _school(row: dict[str, str]) -> coverage.School:
    need, adequate = number(row["need"]), int(row["adequate"])
    return coverage.School(
        name=row["school"],
        ncessch="",
        is_high_needs=None,
        high_needs_basis=None,
        enrolled=number(row["enrolled"]),
        answered=number(row["answered"]),
        need=need,
        loaned=int(row["with a loan"]),
        adequate=adequate,
        unknown=int(row["unknown"]),
        covered=None if need is None else min(adequate, need),
    )


def test_the_examples_of_seven_days_are_judged_right() -> None:
    table = table_with(read(DOCS / COUNTING), "used?")
    assert len(table) >= 5
    for row in table:
        days = [number(cell) for cell in row["the last seven days, in MB"].split()]
        assert len(days) == 7
        judged = "yes" if any(days) else "unknown" if None in days else "no"
        assert row["used?"] == judged


def test_the_examples_of_the_reported_day_are_right() -> None:
    for row in table_with(read(DOCS / COUNTING), "reported day"):
        day = date.fromisoformat(row["asked on"]) - timedelta(days=1 + int(row["longest lag"]))
        assert row["reported day"] == day.isoformat()


def test_the_states_are_those_of_the_database_in_its_order() -> None:
    block = re.search(r"CREATE TYPE loan_state AS ENUM \((.*?)\);", _schema(), re.DOTALL)
    assert block is not None
    known = [state.replace("_", " ") for state in re.findall(r"^ +'(\w+)'", block[1], re.MULTILINE)]
    text = read(DOCS / COUNTING)
    assert {row["state"] for row in table_with(text, "state", "when")} == set(known)
    assert f"in this order: {', '.join(known)}." in text.replace("\n", " ")


# The database


def _schema() -> str:
    return read(ROOT / "sql" / "schema.sql")


def _created(kind: str) -> set[str]:
    return set(re.findall(rf"^CREATE {kind} (\w+)", _schema(), re.MULTILINE))


def test_every_table_is_documented_and_no_other() -> None:
    rows = table_with(read(ROOT / "sql" / "README.md"), "table")
    told = {row["table"].strip("`") for row in rows if not row["table"].startswith("**")}
    assert told == _created("TABLE")


def test_every_view_is_documented() -> None:
    text = read(ROOT / "sql" / "README.md")
    assert {name for name in _created("VIEW") if f"`{name}`" not in text} == set()


def test_every_query_has_a_sentence() -> None:
    assert [name for name, text in sql.queries().items() if not text.startswith("-- ")] == []


def test_no_query_is_unused() -> None:
    code = "\n".join(read(path) for path in (ROOT / "service").rglob("*.py"))
    prefixes = tuple(re.findall(r'queries\[f"(\w+_)\{\w+\}"\]', code))
    unused = [name for name in sql.queries() if f'"{name}"' not in code and not name.startswith(prefixes)]
    assert unused == []


def test_the_queries_named_for_operators_exist() -> None:
    _, advice = read(ROOT / "sql" / "README.md").split("Worth asking:")
    named = re.findall(r"`([a-z_]+)`", advice)
    assert named
    assert set(named) <= set(sql.queries())


# Documents


def test_every_document_is_in_the_index() -> None:
    index = read(DOCS / "README.md")
    linked = {(DOCS / target).resolve() for target in LINK.findall(index)}
    assert {path for path in DOCS.rglob("*.md") if path != DOCS / "README.md"} <= linked


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for link in LINK.findall(FENCE.sub("", read(path))):
        if not link.startswith(("http://", "https://")):
            name, _, anchor = link.partition("#")
            target = path.parent / name if name else path
            assert target.exists(), link
            assert not anchor or anchor in map(slug, HEADING.findall(FENCE.sub("", read(target)))), link


def test_time_zones_in_the_documents_exist() -> None:
    for path in (*documents(), EXAMPLE):
        for zone in re.findall(r"\b(America/\w+)\b", read(path)):
            ZoneInfo(zone)


# Written in pieces, so that this file does not hold what it forbids.
REGISTRIES = re.compile(
    "|".join(("py" + r"pi\.org", "python" + "hosted", "npm" + r"js\.", "deb" + r"\.debian\.org"))
)
MACHINES = re.compile("|".join(("/wo" + "rk/", "/ro" + r"ot\b", "/ho" + r"me/\w", "/Us" + "ers/")))
WRITERS = re.compile(
    r"\b(" + "|".join(("assis" + "tants?", "cla" + "ude", "chat" + "gpt", "co" + "pilot")) + r")\b",
    re.IGNORECASE,
)
ISSUES = re.compile(
    r"(?<![\w&/\"'(\[{#-])#\d{1,5}\b(?!;)"
)  # not a colour, an entity, an anchor or a number format


@pytest.mark.parametrize(
    ("what", "pattern"),
    [("registry", REGISTRIES), ("machine", MACHINES), ("writer", WRITERS), ("issue", ISSUES)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_no_file_names_what_belongs_elsewhere(what: str, pattern: re.Pattern[str]) -> None:
    found = []
    for path in text_files():
        if what != "issue" or path.suffix not in (".css", ".html"):
            found += [f"{path.relative_to(ROOT)}: {hit[0]}" for hit in pattern.finditer(read(path))]
    assert found == []
