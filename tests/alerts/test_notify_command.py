"""``afterbell notify``, as it is run."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from service import __main__ as command_line
from service import errors
from tests import files
from tests.alerts import flipping, sinks

Configured = Callable[..., Path]
HIDDEN = "hidden-token"


@pytest.fixture
async def mails() -> AsyncIterator[sinks.MailSink]:
    async with sinks.mail_sink() as sink:
        yield sink


@pytest.fixture
async def web() -> AsyncIterator[sinks.WebSink]:
    async with sinks.web_sink() as sink:
        yield sink


@pytest.fixture
def configured(tmp_path: Path, database: str, mails: sinks.MailSink, web: sinks.WebSink) -> Path:
    """A mailbox, a webhook and one of Apprise's, of one district."""
    hook = files.written(tmp_path, "hook", f"{web.url}/{HIDDEN}", "shared")
    chat = files.written(tmp_path, "chat", "# ours", "", f"json://{web.url.removeprefix('http://')}/{HIDDEN}")
    return files.written(
        tmp_path,
        "afterbell.toml",
        f'database.url = "{database}"',
        f'[mail]\nhost = "{sinks.HOST}"\nport = {mails.port}\nencryption = "none"\nsender = "a@district.example"',
        f'[[districts]]\nid = 1\nname = "Northfield"\ntime_zone = "{flipping.ZONE}"',
        '[[districts.alerts.channels]]\nkey = "it-mail"\nkind = "mail"\nto = ["it@district.example"]\nroles = ["it"]',
        f'[[districts.alerts.channels]]\nkey = "hook"\nkind = "webhook"\nurl_file = "{hook}"\nroles = ["it"]',
        f'[[districts.alerts.channels]]\nkey = "chat"\nkind = "apprise"\nurl_file = "{chat}"\nroles = ["school"]\n'
        'language = "es"',
    )


async def run(path: Path, *arguments: str) -> Result:
    """In a thread: the command has a loop of its own, and the sinks run in ours."""
    given = ["--config", str(path), "notify", *arguments]
    return await asyncio.to_thread(CliRunner().invoke, command_line.app, given)


async def test_a_test_message_goes_to_every_channel(
    configured: Path, mails: sinks.MailSink, web: sinks.WebSink
) -> None:
    result = await run(configured, "--test")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "Northfield, it-mail (mail for it): sent; look whether it arrived",
        "Northfield, hook (webhook for it): sent; look whether it arrived",
        "Northfield, chat (apprise for school): sent; look whether it arrived",
    ]
    assert mails.mails[0]["Subject"] == "Test message from afterbell · Northfield"
    hook, chat = web.posts
    assert b'"kind": "test"' in hook.body
    assert "Esto es una prueba." in chat.body.decode("unicode_escape")


async def test_a_channel_that_takes_a_test_no_longer_fails(
    configured: Path, web: sinks.WebSink, pool: asyncpg.Pool
) -> None:
    await flipping.district(pool)
    await pool.execute(
        "INSERT INTO channels (district_id, channel_key, failing_since_at, is_refused, error)"
        " VALUES (1, 'hook', $1, true, 'refused'), (1, 'chat', $1, true, 'refused')",
        flipping.NOW,
    )
    web.statuses = [404]
    await run(configured, "--test", "--channel", "hook")
    failing = "SELECT channel_key FROM channels WHERE failing_since_at IS NOT NULL ORDER BY 1"
    assert await pool.fetch(failing) == [("chat",), ("hook",)]
    await run(configured, "--test", "--channel", "hook")
    assert await pool.fetch(failing) == [("chat",)]


async def test_a_test_needs_no_database(configured: Path, tmp_path: Path, database: str) -> None:
    away = configured.read_text("utf-8").replace(database, "postgresql://127.0.0.1:1/away")
    result = await run(files.written(tmp_path, "away.toml", away), "--test")
    assert result.exit_code == 0, result.output


async def test_one_channel_can_be_tested_alone(
    configured: Path, mails: sinks.MailSink, web: sinks.WebSink
) -> None:
    result = await run(configured, "--test", "--channel", "hook")
    assert result.exit_code == 0
    assert (len(mails.mails), len(web.posts)) == (0, 1)


async def test_what_fails_says_how_to_mend_it_and_the_others_are_tested(
    configured: Path, mails: sinks.MailSink, web: sinks.WebSink
) -> None:
    mails.refused = {"it@district.example": "550 no such user it@district.example"}
    web.statuses = [404]
    result = await run(configured, "--test")
    assert result.exit_code == 1
    words = " ".join(result.output.split())
    assert "it-mail (mail for it): not sent: the mail server refused every recipient (550): correct" in words
    assert "hook (webhook for it): not sent: the webhook refused the message (404): check" in words
    assert "chat (apprise for school): sent" in words
    assert "it@district.example" not in words
    assert HIDDEN not in words


async def test_a_channel_that_is_not_there_is_told_with_those_that_are(configured: Path) -> None:
    result = await run(configured, "--test", "--channel", "pager")
    assert isinstance(result.exception, errors.ConfigError)
    assert str(result.exception) == "there is no channel 'pager': the configuration has chat, hook, it-mail"


async def test_a_district_that_is_not_there_is_told(configured: Path) -> None:
    result = await run(configured, "--district", "7")
    assert isinstance(result.exception, errors.ConfigError)
    assert str(result.exception) == "there is no district 7: the configuration has 1"


async def test_without_channels_nobody_is_told_and_that_is_an_error(tmp_path: Path, database: str) -> None:
    path = files.written(
        tmp_path,
        "afterbell.toml",
        f'database.url = "{database}"',
        f'[[districts]]\nid = 1\nname = "Northfield"\ntime_zone = "{flipping.ZONE}"',
    )
    result = await run(path, "--test")
    assert isinstance(result.exception, errors.ConfigError)
    assert "nobody is told" in str(result.exception)


async def test_it_shows_how_each_channel_fares(configured: Path, pool: asyncpg.Pool) -> None:
    await pool.execute(
        "INSERT INTO districts (district_id, name, time_zone) VALUES (1, 'Northfield', $1)", flipping.ZONE
    )
    await pool.execute(
        "INSERT INTO channels (district_id, channel_key, last_success_at, failing_since_at, error) VALUES"
        " (1, 'hook', $1, NULL, NULL), (1, 'it-mail', NULL, $1, 'the mail server answered 421')",
        flipping.NOW,
    )
    flip_id = await flipping.flip(pool)
    await pool.execute(
        "INSERT INTO notifications (district_id, channel_key, first_flip_id, topic, due_at, state, created_at) VALUES"
        " (1, 'hook', $1, 'digest:daily', $2, 'waiting', $2), (1, 'it-mail', $1, 'digest:daily', $2, 'given_up', $2)",
        flip_id,
        flipping.NOW,
    )
    result = await run(configured)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "Northfield, it-mail (mail for it): fails since 2026-11-18 12:00: the mail server answered 421; 1 given up",
        "Northfield, hook (webhook for it): took a message 2026-11-18 12:00; 1 waiting",
        "Northfield, chat (apprise for school): nothing was sent yet: try it with --test",
    ]


@pytest.mark.parametrize(
    ("name", "lines", "said"),
    [
        ("chat", ["slack://hidden-token"], "line 1 is no address that Apprise knows"),
        ("chat", ["# nothing"], "holds no address"),
        ("chat", [""], "is empty"),
        ("hook", ["ftp://hidden-token"], "should hold the webhook's address"),
        ("hook", ["https://a.example/", "hidden-token", "more"], "should hold the webhook's address"),
    ],
)
async def test_a_file_of_addresses_that_cannot_be_used_is_told_without_them(
    configured: Path, tmp_path: Path, name: str, lines: list[str], said: str
) -> None:
    files.written(tmp_path, name, *lines)
    result = await run(configured, "--test")
    assert isinstance(result.exception, errors.ConfigError)
    assert said in str(result.exception)
    assert f"district 1, alerts.channels.{name}" in str(result.exception)
    assert HIDDEN not in str(result.exception)


async def test_mail_without_a_server_is_an_error(configured: Path, tmp_path: Path) -> None:
    text = configured.read_text("utf-8")
    start, end = text.index("[mail]"), text.index("[[districts]]")
    path = files.written(tmp_path, "without.toml", text[:start] + text[end:])
    result = await run(path, "--test")
    assert isinstance(result.exception, errors.ConfigError)
    assert str(result.exception) == (
        "district 1, alerts.channels.it-mail: mail needs a [mail] section that tells the district's server"
    )
