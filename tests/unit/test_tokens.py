"""Tokens: their file, who reads and writes it, and the commands."""

import hashlib
import logging
import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from service import __main__ as command_line
from service import errors
from service.model import tokens
from service.web import tokens as token_files

TODAY = datetime.now(UTC).date()
SECRET = tokens.text(bytes(range(32)))
DIGEST = tokens.digest(SECRET)


def token(name: str = "office", **changes: object) -> tokens.Token:
    values = {"scopes": ("read",), "expires_on": date(2027, 6, 30), "digest": DIGEST} | changes
    return tokens.Token(name=name, **values)  # type: ignore[arg-type]


def refused(text: str) -> str:
    with pytest.raises(tokens.TokensInvalid) as caught:
        tokens.parse(text)
    return str(caught.value)


# What a file says


def test_a_line_is_read_as_it_was_written() -> None:
    one, two = token(), token("prometheus", scopes=("metrics", "export"))
    text = f"# who may look\n\n{tokens.line(one)}  # the office\n{tokens.line(two)}\n"
    assert tokens.parse(text) == (one, two)


@given(
    st.lists(
        st.builds(
            tokens.Token,
            name=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,40}", fullmatch=True),
            scopes=st.lists(
                st.sampled_from([str(scope) for scope in tokens.Scope]), min_size=1, unique=True
            ).map(tuple),
            expires_on=st.dates(min_value=date(2000, 1, 1)),
            digest=st.binary().map(lambda it: hashlib.sha256(it).hexdigest()),
        ),
        unique_by=lambda it: it.name,
    )
)
def test_every_token_survives_its_file_and_goes_when_it_is_revoked(known: list[tokens.Token]) -> None:
    text = "".join(f"{tokens.line(one)}\n" for one in known)
    assert tokens.parse(text) == tuple(known)
    for one in known:
        assert tokens.parse(tokens.without(text, one.name)) == tuple(it for it in known if it is not one)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("office read 2027-06-30", "line 1: write `name scopes expires-on sha256`"),
        (f"\nOffice read 2027-06-30 {DIGEST}", "line 2: the name may have small letters"),
        (f"office look 2027-06-30 {DIGEST}", "there is no scope 'look'; known: metrics, read, export, admin"),
        (f"office read soon {DIGEST}", "the third word is not a day"),
        (f"office read 2027-06-30 {SECRET}", "the last word is not a SHA-256"),
        (f"a read 2027-06-30 {DIGEST}\na read 2027-06-30 {DIGEST}", "line 2: there is a token a already"),
    ],
)
def test_a_wrong_line_is_told_with_its_place_and_without_what_it_holds(text: str, expected: str) -> None:
    message = refused(text)
    assert expected in message
    assert SECRET not in message


def test_a_token_is_found_by_its_text_alone() -> None:
    known = (token("other", digest="0" * 64), token(), token("last", digest="f" * 64))
    assert tokens.found(known, SECRET) == known[1]
    for wrong in ("", SECRET[:-1], SECRET + "x", DIGEST, "\ud800"):
        assert tokens.found(known, wrong) is None


def test_the_example_of_the_document_is_a_file_and_a_digest_is_what_sha256sum_says() -> None:
    document = (Path(__file__).parents[2] / "docs" / "sign-in.md").read_text("utf-8")
    (example,) = re.findall(r"```text\n(.*?)```", document, re.DOTALL)
    assert [one.name for one in tokens.parse(example)] == ["prometheus", "coordinator"]
    assert hashlib.sha256(SECRET.encode()).hexdigest() == DIGEST


def test_a_token_holds_32_random_bytes_and_can_be_told_from_other_text() -> None:
    assert re.fullmatch(r"afterbell_[A-Za-z0-9_-]{43}", SECRET)
    assert len({tokens.text(bytes([it] * 32)) for it in range(256)}) == 256


def test_a_token_works_up_to_the_day_before_it_expires() -> None:
    one = token(expires_on=date(2027, 6, 30))
    assert not one.is_expired(date(2027, 6, 29))
    assert one.is_expired(date(2027, 6, 30))


def test_who_may_act_may_look_and_nothing_else_is_implied() -> None:
    allowed = {
        scope: [str(it) for it in tokens.Scope if token(scopes=(str(scope),)).allows(it)]
        for scope in tokens.Scope
    }
    assert allowed == {
        "metrics": ["metrics"],
        "read": ["read"],
        "export": ["export"],
        "admin": ["read", "admin"],
    }


# The file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(f"# the office's\n{tokens.line(token())}\n")
    return path


def test_a_changed_file_is_read_again_without_a_restart(file: Path) -> None:
    known = token_files.Tokens(file)
    assert [one.name for one in known.known()] == ["office"]
    token_files.update(file, lambda text: text + tokens.line(token("new", digest="a" * 64)) + "\n")
    assert [one.name for one in known.known()] == ["office", "new"]
    token_files.update(file, lambda text: tokens.without(text, "office"))
    assert known.holds(DIGEST, TODAY) is None


def test_while_the_file_is_wrong_or_gone_nobody_gets_in_and_it_is_logged_once(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    known, text = token_files.Tokens(file), file.read_text()
    assert known.judge(SECRET, "read", TODAY).why_not == ""
    file.write_text(text + "broken\n")
    for _ in range(3):
        assert known.judge(SECRET, "read", TODAY).token is None
    file.unlink()
    assert known.known() == ()
    file.write_text(text)
    assert known.judge(SECRET, "read", TODAY).why_not == ""
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert f"{file}, line 3: write `name scopes expires-on sha256`" in said[0]
    assert "can be read again" in said[1]


def test_a_refusal_says_why(file: Path) -> None:
    known = token_files.Tokens(file)
    assert "mistyped, or have been revoked" in known.judge("x", "read", TODAY).why_not
    assert "office is for read; this needs one with the scope metrics" in (
        known.judge(SECRET, "metrics", TODAY).why_not
    )
    assert "office expired on 2027-06-30" in known.judge(SECRET, "read", date(2027, 6, 30)).why_not
    assert known.judge(f" {SECRET}\n", "read", TODAY).why_not == ""  # pasted with what stood around it


def test_an_update_keeps_comments_and_leaves_nothing_beside_the_file(file: Path) -> None:
    token_files.update(file, lambda text: tokens.without(text, "office"))
    assert file.read_text() == "# the office's\n"
    assert [path.name for path in file.parent.iterdir()] == ["tokens"]


def test_an_update_that_fails_changes_nothing(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(ZeroDivisionError):
        token_files.update(file, lambda text: text * (1 // 0))
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["tokens"]


def test_a_new_file_is_its_owners_alone_and_an_old_one_is_never_for_everybody(tmp_path: Path) -> None:
    made = tmp_path / "made"
    token_files.update(made, lambda text: f"{text}# new\n")
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    for old, new in ((0o644, 0o640), (0o640, 0o640), (0o400, 0o600)):
        made.chmod(old)
        token_files.update(made, lambda text: f"{text}# more\n")
        assert stat.S_IMODE(made.stat().st_mode) == new


def test_what_root_writes_stays_readable_to_the_services_user(file: Path) -> None:
    if os.geteuid() == 0:  # nobody else may give a file away
        os.chown(file, 12345, 23456)
    before = file.stat()
    token_files.update(file, lambda text: f"{text}# more\n")
    after = file.stat()
    assert (after.st_uid, after.st_gid, after.st_size) == (before.st_uid, before.st_gid, before.st_size + 7)


def test_a_symbolic_link_stays_one(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(file)
    token_files.update(link, lambda text: f"{text}# more\n")
    assert link.is_symlink()
    assert file.read_text().endswith("# more\n")


def test_several_that_write_at_once_lose_nothing(file: Path) -> None:
    def add(number: int) -> None:
        digest = hashlib.sha256(str(number).encode()).hexdigest()
        token_files.update(file, lambda text: f"{text}{tokens.line(token(f't{number}', digest=digest))}\n")

    with ThreadPoolExecutor(
        8
    ) as threads:  # flock is of the opened folder, so threads wait for each other too
        list(threads.map(add, range(40)))
    assert {one.name for one in token_files.read(file)} == {"office", *(f"t{number}" for number in range(40))}


def test_a_file_without_a_token_does_not_do(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    with pytest.raises(errors.ConfigError, match=r"cannot use the file of tokens .*: No such file"):
        token_files.check(file)
    file.write_text("# none yet\n")
    with pytest.raises(errors.ConfigError, match="has no token: make one with `afterbell token create"):
        token_files.check(file)


# The commands


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith("AFTERBELL_") and not name.startswith("AFTERBELL_TEST_"):
            monkeypatch.delenv(name)
    path = tmp_path / "afterbell.toml"
    path.write_text(f'[web]\nhost = "0.0.0.0"\ntokens_file = "{tmp_path}/secrets"\n')
    return path


def run(settings: Path, *arguments: str) -> Result:
    runner = CliRunner(env={"COLUMNS": "200"})
    return runner.invoke(command_line.app, ["--config", str(settings), "token", *arguments])


def test_a_token_is_shown_once_and_only_its_hash_is_kept(settings: Path, tmp_path: Path) -> None:
    made = run(settings, "create", "prometheus", "--scope", "metrics", "--days", "30")
    assert made.exit_code == 0, made.output
    secret = made.stdout.strip()
    assert re.fullmatch(r"afterbell_[\w-]{43}", secret)
    assert f"metrics before {TODAY + timedelta(days=30)}" in made.stderr
    text = (tmp_path / "secrets").read_text()
    assert text == f"prometheus metrics {TODAY + timedelta(days=30)} {tokens.digest(secret)}\n"
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o600
    assert secret not in run(settings, "list").output


def test_tokens_are_made_listed_and_revoked(settings: Path, tmp_path: Path) -> None:
    first = run(settings, "create", "office", "--scope", "read", "--scope", "admin").stdout.strip()
    second = run(settings, "create", "library", "--scope", "read", "--days", "1").stdout.strip()
    assert first != second
    listed = [" ".join(line.split()) for line in run(settings, "list").output.splitlines()]
    assert listed[1:] == [
        f"library read {TODAY + timedelta(days=1)} 1 day left",
        f"office read, admin {TODAY + timedelta(days=365)} 365 days left",
    ]
    assert run(settings, "revoke", "library").exit_code == 0
    (left,) = token_files.read(tmp_path / "secrets")
    assert (left.name, tokens.found([left], first), tokens.found([left], second)) == ("office", left, None)


def test_an_expired_token_is_listed_as_such(settings: Path, tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text(tokens.line(token(expires_on=TODAY)))
    assert "expired" in run(settings, "list").output.splitlines()[1]


def test_a_name_is_one_token(settings: Path) -> None:
    run(settings, "create", "office", "--scope", "read")
    again = run(settings, "create", "office", "--scope", "read")
    assert isinstance(again.exception, errors.ConfigError)
    assert "there is a token office already" in str(again.exception)
    assert again.stdout == ""


@pytest.mark.parametrize("name", ["Office", "-x", "two words", "a" * 42, "é"])
def test_a_name_that_no_line_could_hold_is_refused(settings: Path, name: str) -> None:
    refused = run(settings, "create", "--scope", "read", "--", name)
    assert isinstance(refused.exception, errors.ConfigError)
    assert "is not a name for a token" in str(refused.exception)


def test_what_is_not_there_cannot_be_revoked(settings: Path) -> None:
    run(settings, "create", "office", "--scope", "read")
    refused = run(settings, "revoke", "offices")
    assert "has no token 'offices'; it has office" in str(refused.exception)


def test_without_a_configured_file_the_commands_say_what_to_set(settings: Path) -> None:
    settings.write_text("")
    for arguments in (["create", "a", "--scope", "read"], ["list"], ["revoke", "a"]):
        assert "web.tokens_file is not set" in str(run(settings, *arguments).exception)


def test_serve_refuses_to_start_without_a_token(settings: Path, tmp_path: Path) -> None:
    with settings.open("a") as file:
        file.write('[[districts]]\nid = 1\nname = "Lab"\ntime_zone = "America/Phoenix"\n')
    (tmp_path / "secrets").write_text("")
    refused = CliRunner().invoke(command_line.app, ["--config", str(settings), "serve"])
    assert isinstance(refused.exception, errors.ConfigError)
    assert "has no token" in str(refused.exception)
