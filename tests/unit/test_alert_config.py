"""What the sections about alerts refuse, and how they say so."""

from collections.abc import Callable
from pathlib import Path

import pytest

from service import config, errors

DISTRICT = """
[[districts]]
id = 1
name = "Northfield"
time_zone = "America/Phoenix"
"""
MAIL = """
[mail]
host = "mail.district.example"
sender = "afterbell@district.example"
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def written(text: str) -> Path:
        path = tmp_path / "afterbell.toml"
        path.write_text(text, "utf-8")
        return path

    return written


def channel(*lines: str) -> str:
    return "\n".join([DISTRICT, "[[districts.alerts.channels]]", *lines])


def maintenance(starts_at: str, ends_at: str) -> str:
    return f"{DISTRICT}[[districts.alerts.maintenance]]\nstarts_at = {starts_at}\nends_at = {ends_at}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (channel('key = "a"', 'kind = "mail"', 'roles = ["it"]'), "'a': mail needs to, and no url_file"),
        (
            channel('key = "a"', 'kind = "webhook"', 'to = ["it@district.example"]', 'roles = ["it"]'),
            "'a': webhook needs url_file, and no to",
        ),
        (
            channel('key = "a"', 'kind = "apprise"', 'url_file = "x"', "roles = []"),
            "roles: Tuple should have",
        ),
        (channel('key = "a"', 'kind = "apprise"', 'url_file = "x"', 'roles = ["boss"]'), "roles.0"),
        (channel('key = "a"', 'kind = "mail"', 'to = ["nobody"]', 'roles = ["it"]'), "to.0"),
        (
            "\n".join([channel('key = "a"', 'kind = "webhook"', 'url_file = "x"', 'roles = ["it"]')] * 1)
            + '\n[[districts.alerts.channels]]\nkey = "a"\nkind = "webhook"\nurl_file = "y"\nroles = ["it"]',
            "alerts.channels: a is there twice",
        ),
        (maintenance("2026-11-26T18:00:00", "2026-11-27T06:00:00"), "write instants with their zone"),
        (maintenance("2026-11-26T18:00:00Z", "2026-11-26T18:00:00Z"), "ends_at must be after starts_at"),
        (MAIL + 'user = "afterbell"', "give user and password_file, or neither"),
        (
            MAIL + 'encryption = "none"\nuser = "afterbell"\npassword_file = "x"',
            "would send the password in the clear",
        ),
        ('page_address = "afterbell.district.example"', "write where people reach the pages"),
        ('page_address = "https://afterbell.district.example/?a=b"', "write where people reach the pages"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, said: str, write: Callable[[str], Path]) -> None:
    with pytest.raises(errors.ConfigError, match="mistake") as told:
        config.load(write(text))
    assert said in str(told.value)


def test_the_address_of_the_pages_ends_without_a_slash(write: Callable[[str], Path]) -> None:
    loaded = config.load(write('page_address = "https://afterbell.district.example/"'))
    assert loaded.page_address == "https://afterbell.district.example"
