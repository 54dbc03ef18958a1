"""``afterbell token``: who may see the pages and /metrics."""

import secrets
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service import app as apps
from service import config as configs
from service import errors
from service.model import tokens
from service.web import tokens as token_files

app = typer.Typer(help="Who may see the pages and /metrics, by tokens.", no_args_is_help=True)

_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)


@app.command("create")
def create(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What it is for, such as prometheus or library.")
    ],
    scope: Annotated[list[tokens.Scope], typer.Option("--scope", help="What it may do; may be repeated.")],
    days: Annotated[int, typer.Option(min=1, max=tokens.MOST_DAYS, help="For so many days.")] = 365,
) -> None:
    """Make a token, print it once, and add its line to the file. A running service knows it at once."""
    path = _file(context.obj)
    secret = tokens.text(secrets.token_bytes(tokens.RANDOM_BYTES))
    token = tokens.Token(
        name=name,
        scopes=tuple(dict.fromkeys(str(one) for one in scope)),
        expires_on=_today() + timedelta(days=days),
        digest=tokens.digest(secret),
    )
    token_files.update(path, lambda content: _with(path, content, token))
    _err.print(
        f"{escape(name)} is good for {', '.join(token.scopes)} before {token.expires_on}. Shown this once:"
    )
    typer.echo(secret)


def _with(path: Path, content: str, token: tokens.Token) -> str:
    """Raises ConfigError where the file is wrong, or has the name."""
    try:
        tokens.check_name(token.name)
        tokens.parse(added := f"{content.rstrip()}\n{tokens.line(token)}\n".lstrip())
    except tokens.TokensInvalid as error:
        raise errors.ConfigError(f"{path}, {error}") from error
    return added


@app.command("list")
def list_tokens(context: typer.Context) -> None:
    """Show every token: what it may do, and until when. No token can be shown again."""
    found = token_files.read(_file(context.obj))
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "may", "expires", ""):
        table.add_column(heading, overflow="fold")
    for token in sorted(found, key=lambda one: (one.expires_on, one.name)):
        table.add_row(token.name, ", ".join(token.scopes), str(token.expires_on), _left(token))
    _out.print(table if found else "there is no token: afterbell token create NAME --scope read")


def _left(token: tokens.Token) -> str:
    if token.is_expired(_today()):
        return "[red]expired[/]"
    days = (token.expires_on - _today()).days
    return f"{days} day{'' if days == 1 else 's'} left"


@app.command("revoke")
def revoke(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="As afterbell token list shows it.")],
) -> None:
    """Take a token out of the file. Whoever signed in with it is signed out at once."""
    path = _file(context.obj)
    if name not in (known := [token.name for token in token_files.read(path)]):
        raise errors.ConfigError(f"{path} has no token {name!r}; it has {', '.join(known) or 'none'}")
    token_files.update(path, lambda content: tokens.without(content, name))
    _out.print(f"revoked {name}", markup=False)


def _file(config_path: Path | None) -> Path:
    path = configs.load(config_path).web.tokens_file
    if path is None:
        raise errors.ConfigError(
            "web.tokens_file is not set: name the file that tokens are kept in, such as /etc/afterbell/tokens"
        )
    return path


def _today() -> date:
    return apps.utc_now().date()
