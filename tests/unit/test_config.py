"""The configuration: what is wrong, where, and what to do about it; and never a secret."""

import textwrap
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from service import alert_config, config, errors, export_config

SECRET = "correct-horse-battery"

EVERYTHING = f"""
reading_months = 24
log_level = "warning"
page_address = "https://afterbell.district.example"

[database]
url = "postgresql://afterbell:{SECRET}@db.example.org/afterbell"
folder = "/srv/afterbell"
binaries = "/usr/lib/postgresql/18/bin"
pool_size = 20

[web]
host = "::1"
port = 9090
tokens_file = "/etc/afterbell/tokens"
minimum_cell_size = 5

[thresholds]
completeness_floor = 0.8
source_disagreement = 0.2
rsrp_floor_dbm = -105.5
signal_samples = 10
homework_starts_hour = 15
homework_ends_hour = 23
reclaim_days = 45

[mail]
host = "mail.district.example"
port = 465
encryption = "tls"
user = "afterbell"
password_file = "/run/secrets/mail"
sender = "afterbell@district.example"
timeout_seconds = 10

[[districts]]
id = 7
name = "Northfield"
time_zone = "America/Phoenix"
school_year_starts = "08-01"
pseudonym_key_file = "/run/secrets/pseudonym-key"
need_mode = "household"
student_key = "userId:SIS"

[districts.ed_fi]
url = "https://ed-fi.example.org/v7.2/api"
token_url = "https://sign-in.example.org/oauth/token"
school_year = 2027
map = "minnesota"
page_size = 250
requests_per_second = 2.5
schools = {{ "255901001" = "410192000001" }}
credentials = {{ key = "afterbell", secret = "{SECRET}" }}

[districts.snipe_it]
url = "https://assets.example.org"
token_file = "/run/secrets/snipe-it"
categories = ["Hotspot*"]
models = ["MiFi*"]
category_id = 4
imei_field = "IMEI"
lost_statuses = ["Lost"]
schools = {{ "Cedar Park" = "410192000001" }}
page_size = 100
requests_per_second = 1

[[districts.plans]]
key = "unlimited"

[[districts.plans]]
key = "throttled"
allowance_mb = 10000.5
allowance_period = "cycle"
cycle_day = 12
at_allowance = "throttle"
monthly_cost = 14.99
is_pooled = true
provider = "T-Mobile"
download_mbps = 50
upload_mbps = 5.5
starts_on = 2025-08-15
ends_on = 2027-08-15
is_filtered = true

[[districts.accounts]]
key = "kajeet"
collector = "kajeet"
time_zone = "America/New_York"
lag_days = 2
rank = 3
plan = "throttled"
credentials = {{ client_id = "ours", client_secret_file = "/run/secrets/kajeet" }}

[districts.accounts.options]
corp_ids = ["5001", "5002"]
discover_groups = true
base_url = "https://sentinel.example.org/api"
token_path = "/v2/auth"
token_body = {{ user = "{{client_id}}", password = "{{client_secret}}" }}
token_field = "data.token"
token_lifetime_seconds = 600
devices_path = "/v2/devices/{{corp_id}}"
groups_path = "/v2/groups"
page_size = 200
requests_per_second = 1.5
cadence_minutes = 30
megabyte_bytes = 1048576
fields = {{ iccid = "iccid", online = "" }}
statuses = {{ "Lost or stolen" = "suspended" }}
media_center_statuses = {{ "On shelf" = "loan_desk" }}
summer_statuses = {{ "Off" = "season" }}

[[districts.accounts]]
key = "portal"
collector = "file"

[[districts.pilots]]
name = "Evening calls"
question = "Do calls raise use?"
schools = ["410000100101"]
comparison = ["410000100104"]
starts_on = 2026-10-19
ends_on = 2026-12-18
before_starts_on = 2026-09-01
min_need = 12

[districts.exports]
folder = "/srv/packages"
settle_days = 6
protect_width = 6
suppression = "strict"
min_n = 16
solver_seconds = 90.5
scheduled = ["shareable", "internal"]
pilots = ["Evening calls"]
languages = ["es"]
channels = ["school-mail"]

[districts.alerts]
profile = "ecf"
rules_folder = "/etc/afterbell/rules"
off = ["poor_signal"]
thresholds = {{ idle_30 = 21 }}
digest_at = 06:30:00
digest_on = "friday"
quiet_starts = 19:00:00
quiet_ends = 08:00:00

[[districts.alerts.channels]]
key = "school-mail"
kind = "mail"
to = ["library@school.district.example"]
roles = ["school"]
schools = ["410192000001"]
language = "es"
least_severity = "warning"
digest = "weekly"

[[districts.alerts.channels]]
key = "it-chat"
kind = "apprise"
url_file = "/run/secrets/it-chat"
roles = ["it", "finance"]

[[districts.alerts.maintenance]]
starts_at = 2026-11-26T18:00:00-08:00
ends_at = 2026-11-27T06:00:00-08:00
account = "kajeet"
"""

Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in os.environ:
        if name.startswith(config.ENV_PREFIX) and not name.startswith(config.ENV_TEST_PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        path = tmp_path / "afterbell.toml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return written


def refused(path: Path | None) -> str:
    """The message of a configuration that is not accepted."""
    with pytest.raises(errors.ConfigError) as caught:
        config.load(path)
    assert caught.value.exit_code == 2
    return str(caught.value)


def district(top: str = "", *, plan: str = "") -> str:
    """A district with this setting, and a plan with these."""
    start = f'[[districts]]\nid = 3\nname = "A"\ntime_zone = "UTC"\n{top}\n'
    return start + (f'[[districts.plans]]\nkey = "p"\n{plan}\n' if plan else "")


def account(*, top: str = "", options: str = 'corp_ids = ["5001"]', credentials: str = "") -> str:
    return f"""
        [[districts]]
        id = 1
        name = "Northfield"
        time_zone = "America/New_York"
        [[districts.accounts]]
        key = "kajeet"
        collector = "kajeet"
        {top}
        credentials = {{ {credentials} }}
        options = {{ {options} }}
    """


def test_nothing_at_all_is_a_configuration() -> None:
    loaded = config.load(None)
    assert (loaded.web.host, loaded.web.port) == ("127.0.0.1", 8080)
    assert config.database_url(loaded.database) is None
    assert loaded.districts == ()


def test_a_file_with_everything_set_loads(write: Write) -> None:
    loaded = config.load(write(EVERYTHING))
    (district,) = loaded.districts
    throttled = district.plans[1]
    kajeet, portal = district.accounts
    assert (loaded.reading_months, loaded.log_level, loaded.database.pool_size) == (24, "warning", 20)
    assert (loaded.web.host, loaded.web.port, loaded.web.minimum_cell_size) == ("::1", 9090, 5)
    assert (loaded.thresholds.completeness_floor, loaded.thresholds.homework_ends_hour) == (0.8, 23)
    assert loaded.thresholds.source_disagreement == 0.2
    assert (district.id, district.school_year_starts) == (7, "08-01")
    assert (throttled.allowance_mb, throttled.at_allowance, throttled.monthly_cost) == (
        10000.5,
        "throttle",
        14.99,
    )
    assert (throttled.is_pooled, throttled.provider, throttled.ends_on) == (
        True,
        "T-Mobile",
        date(2027, 8, 15),
    )
    assert district.need_mode == "household"
    assert district.student_key == "userId:SIS"
    assert (kajeet.rank, kajeet.lag_days, kajeet.plan, kajeet.time_zone) == (
        3,
        2,
        "throttled",
        "America/New_York",
    )
    assert kajeet.options["statuses"] == {"Lost or stolen": "suspended"}
    exports = district.exports
    assert (exports.folder, exports.settle_days, exports.min_n) == (Path("/srv/packages"), 6, 16)
    assert (exports.scheduled, exports.languages) == (("shareable", "internal"), ("es",))
    assert portal.collector == config.FILE_COLLECTOR


def test_every_setting_is_set_in_the_file_with_everything() -> None:
    """A new setting belongs into the file above."""
    models = (
        config.Config,
        config.Database,
        config.Web,
        config.Thresholds,
        config.District,
        config.EdFi,
        config.Plan,
        config.Account,
        config.Pilot,
        export_config.Exports,
        alert_config.Mail,
        alert_config.Alerts,
        alert_config.Channel,
        alert_config.Maintenance,
    )
    names = {name for model in models for name in model.model_fields} - {"url_file"}
    assert {name for name in names if name not in EVERYTHING} == set()


def test_no_text_of_a_configuration_holds_a_secret(write: Write) -> None:
    loaded = config.load(write(EVERYTHING))
    assert SECRET not in repr(loaded) + str(loaded)
    assert config.database_url(loaded.database) == f"postgresql://afterbell:{SECRET}@db.example.org/afterbell"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[web]\nport = "eighty"', "web.port: Input should be a valid integer"),
        ("[web]\nport = 70000", "web.port: Input should be less than or equal to 65535"),
        ("[web]\nprot = 80", "web.prot: there is no such setting"),
        ("[wep]\nport = 80", "wep: there is no such setting"),
        ("databse = 1", "databse: there is no such setting"),
        ('[database]\npool_size = "x"', "database.pool_size: Input should be a valid integer"),
        ("[database]\nurl = 5", "database.url: Input should be a valid string"),
        ('[database]\nurl = "postgresql://h/d"\nurl_file = "b"', "database: give url or url_file, not both"),
        ('log_level = "loud"', "log_level: Input should be 'debug', 'info', 'warning' or 'error'"),
        ("[thresholds]\ncompleteness_floor = 1.1", "thresholds.completeness_floor"),
        ('[web]\nhost = "0.0.0.0"', "0.0.0.0 is not a loopback address"),
        ('[web]\nhost = "192.168.1.5"', "192.168.1.5 is not a loopback address"),
        ('[web]\nhost = "afterbell.example.org"', "is not a loopback address"),
        (account(top='time_zone = "Mars/Olympus"'), "accounts.0.time_zone: 'Mars/Olympus' is not a time zone"),
        (account(top='time_zone = "../etc/passwd"'), "is not a time zone"),
        (account(top='plan = "gold"'), "accounts.kajeet.plan: there is no plan 'gold' in plans"),
        (account(top="lag_days = 99"), "districts.0.accounts.0.lag_days"),
        (account(top="ranks = 1"), "districts.0.accounts.0.ranks: there is no such setting"),
        (account(options=""), "districts.0.accounts.0: collector kajeet: options.corp_ids is missing"),
        (account(options='corp_ids = ["1"], page_sice = 5'), "options.page_sice is not known; known there: "),
        (account(options='corp_ids = ["1"], page_size = "5"'), "options.page_size: expected int, got str"),
        (account(options='corp_ids = ["1"], fields = { imay = "x" }'), "options.fields.imay is not known"),
        (account(options='corp_ids = ["1"], base_url = "http://example.org"'), "must begin with https"),
        (account(options='corp_ids = ["1"], statuses = { lost = "gone" }'), "must be one of active, suspended"),
        (district('need_mode = "family"'), "need_mode: Input should be 'student' or 'household'"),
        (district(plan='is_pooled = true\nallowance_period = "day"'), "a pool is of a month, a cycle or a year"),
        (district(plan="starts_on = 2026-07-01\nends_on = 2026-07-01"), "ends_on, the first day without service"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_told_with_its_place(write: Write, text: str, expected: str) -> None:
    path = write(text)
    message = refused(path)
    assert expected in message
    assert message.startswith(f"{path}: the configuration has 1 mistake(s)")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "afterbell.example.org"])  # noqa: S104
def test_any_address_may_be_listened_on_once_there_is_a_file_of_tokens(write: Write, host: str) -> None:
    settings = f'[web]\nhost = "{host}"'
    assert config.load(write(f'{settings}\ntokens_file = "tokens"')).web.host == host
    assert "name a file of tokens in web.tokens_file" in refused(write(settings))


def test_an_unknown_collector_is_told_with_those_that_are_known(write: Write) -> None:
    message = refused(write(account().replace('collector = "kajeet"', 'collector = "cradlepoint"')))
    assert "no collector is called cradlepoint; known: 1nce, control_center" in message


def test_all_mistakes_are_told_at_once(write: Write) -> None:
    message = refused(write('[web]\nport = "x"\nhost = "example.org"\n[database]\npool_size = 1'))
    assert "3 mistake(s)" in message
    assert all(where in message for where in ("web.port", "web.host", "database.pool_size"))


def test_two_accounts_of_one_key_are_refused(write: Write) -> None:
    again = '[[districts.accounts]]\nkey = "kajeet"\ncollector = "file"\n'
    text = textwrap.dedent(account()) + again
    assert "districts.0: accounts: kajeet is there twice" in refused(write(text))


def test_two_districts_of_one_id_are_refused(write: Write) -> None:
    text = '[[districts]]\nid = 3\nname = "A"\ntime_zone = "UTC"\n'
    assert "districts: 3 is there twice" in refused(write(text * 2))


def test_two_plans_of_one_key_are_refused(write: Write) -> None:
    text = '[[districts]]\nid = 3\nname = "A"\ntime_zone = "UTC"\n' + '[[districts.plans]]\nkey = "p"\n' * 2
    assert "plans: p is there twice" in refused(write(text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    assert refused(path) == (
        f"there is no configuration file {path}: create it, or name another with --config"
    )


def test_a_folder_for_a_file_is_refused(tmp_path: Path) -> None:
    assert f"cannot read the configuration file {tmp_path}" in refused(tmp_path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "afterbell.toml"
    path.write_bytes(b"\xff\xfe\x00")
    assert f"cannot read the configuration file {path}" in refused(path)


def test_bad_toml_is_told_with_its_line(write: Write) -> None:
    path = write("[web]\nport = 80\nhost = 127.0.0.1\n")
    message = refused(path)
    assert message.startswith(f"{path} is not valid TOML: ")
    assert "line 3" in message


# The environment.


def test_the_environment_wins_over_the_file_one_setting_at_a_time(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERBELL_WEB__PORT", "7777")
    monkeypatch.setenv("AFTERBELL_LOG_LEVEL", "debug")
    monkeypatch.setenv("AFTERBELL_DATABASE__URL", f"postgresql://u:{SECRET}@h/d")
    loaded = config.load(write('log_level = "error"\n[web]\nport = 80\nminimum_cell_size = 3'))
    assert (loaded.web.port, loaded.web.minimum_cell_size, loaded.log_level) == (7777, 3, "debug")
    assert config.database_url(loaded.database) == f"postgresql://u:{SECRET}@h/d"


def test_the_variables_of_the_test_suite_and_of_the_files_name_are_not_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AFTERBELL_CONFIG", "/nowhere")
    monkeypatch.setenv("AFTERBELL_TEST_POSTGRES", "/nowhere")
    assert config.load(None).web.port == 8080


def test_an_unknown_variable_is_refused_with_those_that_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERBELL_DATABASE_URL", SECRET)  # one underscore: a natural slip
    message = refused(None)
    assert "the environment has AFTERBELL_DATABASE_URL, which is not a setting" in message
    assert "AFTERBELL_DATABASE" in message
    assert SECRET not in message


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("AFTERBELL_WEB__PORT", "eighty", "web.port: Input should be a valid integer"),
        ("AFTERBELL_WEB__PROT", "80", "web.prot: there is no such setting"),
        ("AFTERBELL_READING_MONTHS", "1", "reading_months: Input should be greater than or equal to 2"),
    ],
)
def test_a_mistake_in_the_environment_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(name, value)
    message = refused(None)
    assert message.startswith("the environment: the configuration has 1 mistake(s)")
    assert expected in message


def test_a_mistake_in_the_environment_is_not_blamed_on_the_file(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERBELL_WEB__PORT", "eighty")
    assert "environment" in refused(write("[web]\nport = 80"))


@pytest.mark.parametrize("name", ["AFTERBELL_DATABASE", "AFTERBELL_DISTRICTS", "AFTERBELL_WEB"])
def test_a_section_in_the_environment_that_is_no_json_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, f"postgresql://u:{SECRET}@h/d")
    message = refused(None)
    assert name in message
    assert SECRET not in message


# Secrets.


@pytest.mark.parametrize(
    "text",
    [
        f'[database]\nurl = "{SECRET}"\nurl_file = "{SECRET}"',
        f'[database]\nurl = ["{SECRET}"]',
        f'[database]\nurl = {{ password = "{SECRET}" }}',
        f'[database]\npool_size = "{SECRET}"',
        f'[database]\npassword = "{SECRET}"',
        account(credentials=f'client_id = "x", client_secret = ["{SECRET}"]'),
        account(credentials=f'client_secret = {{ value = "{SECRET}" }}'),
        account(top=f'client_secret = "{SECRET}"'),
        account(options=f'corp_ids = ["1"], client_secret = "{SECRET}"'),
        account(options=f'corp_ids = ["1"], page_size = "{SECRET}"'),
        account(options=f'corp_ids = ["1"], token_body = "{SECRET}"'),
        account(options=f'corp_ids = ["1"], token_body = {{ password = ["{SECRET}"] }}'),
        account(options=f'corp_ids = ["1"], base_url = "https://u:{SECRET}@example.org"'),
        account(options=f'corp_ids = ["1"], statuses = {{ a = "{SECRET}" }}'),
    ],
)
def test_no_mistake_shows_a_secret(write: Write, text: str) -> None:
    assert SECRET not in refused(write(text))


def made(text: str) -> config.Account:
    return config.Account(key="kajeet", collector="file", credentials={"client_secret_file": text})


def test_credentials_come_from_files_or_from_the_configuration_itself(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"  {SECRET}\n", encoding="utf-8")
    assert config.credentials(made(str(path))) == {"client_secret": SECRET}


def test_a_secret_file_that_is_not_there_is_named_with_its_purpose(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigError) as caught:
        config.credentials(made(str(tmp_path / "none")))
    assert str(caught.value) == (
        f"cannot read accounts.kajeet.credentials.client_secret_file from {tmp_path / 'none'}: "
        "No such file or directory"
    )


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_a_secret_file_that_holds_none_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    with pytest.raises(errors.ConfigError, match="client_secret_file") as caught:
        config.credentials(made(str(path)))
    assert str(path) in str(caught.value)


def test_a_database_url_may_come_from_a_file(tmp_path: Path, write: Write) -> None:
    (tmp_path / "url").write_text(f"postgresql://u:{SECRET}@h/d\n", encoding="utf-8")
    loaded = config.load(write(f'[database]\nurl_file = "{tmp_path / "url"}"'))
    assert config.database_url(loaded.database) == f"postgresql://u:{SECRET}@h/d"


def test_a_url_file_that_is_not_there_is_named(tmp_path: Path, write: Write) -> None:
    loaded = config.load(write(f'[database]\nurl_file = "{tmp_path / "none"}"'))
    with pytest.raises(errors.ConfigError, match=r"cannot read database\.url from .*none: No such file"):
        config.database_url(loaded.database)


# Pilots.


def pilot(*lines: str, name: str = "calls") -> str:
    told = {"question": '"Why?"', "schools": '["410000100101"]', "starts_on": "2026-10-19"}
    told |= {key: value for key, _, value in (line.partition(" = ") for line in lines)}
    text = "".join(f"{key} = {value}\n" for key, value in told.items())
    return f'[[districts.pilots]]\nname = "{name}"\n{text}'


DISTRICT = '[[districts]]\nid = 1\nname = "A"\ntime_zone = "UTC"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (pilot("ends_on = 2026-10-18"), "pilot 'calls': ends_on is before starts_on"),
        (pilot("before_starts_on = 2026-10-19"), "before_starts_on must be before starts_on"),
        (pilot('comparison = ["410000100101"]'), "410000100101 is there twice"),
        (pilot('schools = ["41"]'), "pilots.0.schools.0: String should match pattern"),
        (pilot("schools = []"), "pilots.0.schools"),
        (pilot('starts_on = "soon"'), "pilots.0.starts_on"),
        (pilot() + pilot(), "pilots: calls is there twice"),
    ],
)
def test_a_pilot_that_cannot_be_is_refused(write: Write, text: str, expected: str) -> None:
    assert expected in refused(write(DISTRICT + text))


def test_pilots_may_overlap(write: Write) -> None:
    loaded = config.load(write(DISTRICT + pilot() + pilot(name="desk")))
    assert [one.name for one in loaded.districts[0].pilots] == ["calls", "desk"]
    assert loaded.districts[0].pilots[0].starts_on.isoformat() == "2026-10-19"


# Numbers that are none.


@pytest.mark.parametrize(
    "setting",
    [
        pytest.param("allowance_mb = inf"),
        pytest.param("allowance_mb = 1e30"),
        pytest.param("monthly_cost = inf"),
        pytest.param("monthly_cost = 1e9"),
    ],
)
def test_an_amount_that_no_plan_has_is_refused(write: Write, setting: str) -> None:
    text = '[[districts]]\nid = 1\nname = "A"\ntime_zone = "UTC"\n[[districts.plans]]\nkey = "p"\n' + setting
    assert "districts.0.plans.0" in refused(write(text))


@pytest.mark.parametrize(
    "url", [f"postgresql://u:{SECRET}/x@h/d", "mysql://u:p@h/d", "h:5432/d", "postgresql://h:port/d"]
)
def test_a_database_url_that_is_none_is_refused_without_showing_it(write: Write, url: str) -> None:
    message = refused(write(f'[database]\nurl = "{url}"'))
    assert "database" in message
    assert SECRET not in message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('pilots = ["Nobody\'s"]', "there is no pilot"),
        ('channels = ["nobody"]', "there is no channel nobody in alerts.channels"),
        ("protect_width = 4", "protect_width"),
        ("min_n = 9", "min_n"),
        ('languages = ["de"]', "languages"),
    ],
)
def test_exports_that_do_not_fit_are_refused(write: Write, line: str, said: str) -> None:
    of = '[[districts]]\nid = 1\nname = "A"\ntime_zone = "America/Los_Angeles"\n[districts.exports]\n'
    with pytest.raises(errors.ConfigError, match=said):
        config.load(write(of + line))
