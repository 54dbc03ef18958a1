"""The settings of a district's Ed-Fi API: what is wrong, and where its secret comes from."""

from pathlib import Path

import pytest

from service import config, errors
from tests import files

SECRET = "correct-horse-battery"


def district(folder: Path, *lines: str) -> Path:
    return files.written(
        folder,
        "afterbell.toml",
        "[[districts]]",
        "id = 1",
        'name = "Lab"',
        'time_zone = "America/Los_Angeles"',
        "[districts.ed_fi]",
        *lines,
    )


def test_the_secret_comes_from_its_file(tmp_path: Path) -> None:
    secret = files.written(tmp_path, "secret", SECRET)
    told = district(
        tmp_path,
        'url = "https://api.district.example/v7.2/api/"',
        "school_year = 2026",
        'schools = { "255901001" = "410192000001" }',
        f'credentials = {{ key = "afterbell", secret_file = "{secret}" }}',
    )
    (loaded,) = config.load(told).districts
    assert loaded.ed_fi is not None
    assert config.ed_fi_credentials(loaded.ed_fi) == {"key": "afterbell", "secret": SECRET}
    options = loaded.ed_fi.options()
    address = "https://api.district.example/v7.2/api"
    assert options.resource_address("schools") == f"{address}/data/v3/2026/ed-fi/schools"
    assert options.token_address == f"{address}/oauth/token"
    assert SECRET not in repr(loaded)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("map = 'ed-fi'",), r"ed_fi\.url: Field required"),
        (("url = 'http://api.example'",), "url must begin with https"),
        (("url = 'https://me:word@api.example'",), "url must not hold a user"),
        (("url = 'https://api.example'", "token_url = 'ftp://x'"), "token_url must be an address"),
        (("url = 'https://api.example'",), "give key and secret"),
        (("url = 'https://api.example'", f"credentials = {{ secret = '{SECRET}' }}"), "give key and secret"),
        (("url = 'https://api.example'", "page_size = 0"), r"ed_fi\.page_size"),
        (("url = 'https://api.example'", "schools = { Cedar = '410192000001' }"), r"ed_fi\.schools"),
        (("url = 'https://api.example'", "year = 2026"), r"ed_fi\.year: there is no such setting"),
    ],
)
def test_a_mistake_is_named_without_showing_a_secret(
    tmp_path: Path, lines: tuple[str, ...], words: str
) -> None:
    with pytest.raises(errors.ConfigError, match=words) as caught:
        config.load(district(tmp_path, *lines))
    assert SECRET not in str(caught.value)
    assert "base_url" not in str(caught.value)


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    told = district(
        tmp_path,
        "url = 'https://api.example'",
        f"credentials = {{ key = 'a', secret_file = '{tmp_path}/none' }}",
    )
    (loaded,) = config.load(told).districts
    assert loaded.ed_fi is not None
    with pytest.raises(errors.ConfigError, match=r"ed_fi\.credentials\.secret_file"):
        config.ed_fi_credentials(loaded.ed_fi)
