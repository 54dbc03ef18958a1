"""``afterbell reader``: database roles that may read one district's figures, as Grafana does."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from service import app as apps
from service import errors
from service.store import readers

app = typer.Typer(
    help="Database roles that may read one district's figures, for Grafana.", no_args_is_help=True
)

SHORTEST_PASSWORD = 16
_out = Console(highlight=False)

Role = Annotated[str, typer.Argument(metavar="ROLE", help="As afterbell reader list shows it.")]


@app.command("create")
def create(
    context: typer.Context,
    district: Annotated[int, typer.Argument(help="The district's id.")],
    role: Annotated[
        str | None, typer.Option("--role", help="Its name; afterbell_reader_ID unless given.")
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option(
            "--password-file", help="Take the password from this file; make it where it is not there."
        ),
    ] = None,
    keep_password: Annotated[
        bool, typer.Option("--keep-password", help="The role is there: let it in as it is.")
    ] = False,
) -> None:
    """Make a role that may read a district's figures, or give one a new password."""
    if keep_password and password_file is not None:
        raise typer.BadParameter("give --password-file or --keep-password, not both")
    name = role or readers.default_name(district)
    password = None if keep_password else _password(password_file)
    is_new = asyncio.run(_create(context.obj, district, name, password))
    _out.print(escape(f"{name} {'may now read' if is_new else 'may read'} district {district}"))
    if password is not None and password_file is None:
        _out.print("its password, shown this once:")
        typer.echo(password)


async def _create(config_path: Path | None, district: int, role: str, password: str | None) -> bool:
    async with apps.opened(config_path) as opened:
        known = [one.id for one in opened.config.districts]
        if district not in known:
            listed = ", ".join(map(str, known))
            raise errors.ConfigError(f"there is no district {district}: the configuration has {listed}")
        return await readers.create(
            opened.pool,
            district,
            role,
            password=password,
            now=apps.utc_now(),
        )


def _password(path: Path | None) -> str:
    if path is None:
        return readers.new_password()
    try:
        return _read(path) if path.exists() else _written(path)
    except OSError as error:
        raise errors.ConfigError(f"{path}: {error.strerror or error}") from error


def _read(path: Path) -> str:
    try:
        password = path.read_text("ascii").strip()
    except UnicodeDecodeError:
        raise errors.ConfigError(f"{path}: the password may have ASCII characters alone") from None
    if len(password) < SHORTEST_PASSWORD or not password.isprintable():
        raise errors.ConfigError(
            f"{path}: the password must have at least {SHORTEST_PASSWORD} characters on one line; delete the file "
            "and one is made"
        )
    return password


def _written(path: Path) -> str:
    password = readers.new_password()
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="ascii") as opened:
        opened.write(password + "\n")
    return password


@app.command("list")
def list_readers(context: typer.Context) -> None:
    """Show every reader and its district."""
    found = asyncio.run(_listed(context.obj))
    for one in found:
        gone = "" if one.is_there else "; the role is gone: create it again, or drop it here too"
        _out.print(
            escape(f"{one.role_name}: district {one.district_id} ({one.district}){gone}"), soft_wrap=True
        )
    if not found:
        _out.print("there is no reader: afterbell reader create DISTRICT makes one")


async def _listed(config_path: Path | None) -> list[readers.Reader]:
    async with apps.opened(config_path) as opened:
        return await readers.listed(opened.pool)


@app.command("drop")
def drop(context: typer.Context, role: Role) -> None:
    """Drop a reader and its role."""
    if not asyncio.run(_drop(context.obj, role)):
        raise errors.ConfigError(f"there is no reader {role}: see afterbell reader list")
    _out.print(escape(f"{role} is dropped"))


async def _drop(config_path: Path | None, role: str) -> bool:
    async with apps.opened(config_path) as opened:
        return await readers.drop(opened.pool, role)
