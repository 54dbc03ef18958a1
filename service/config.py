"""One TOML file and the environment. Unknown keys are errors; secrets come from files or the environment."""

import ipaddress
import os
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from collectors import errors as collector_errors
from collectors import registry, sign_in
from collectors.ed_fi import options as ed_fi_options
from collectors.snipe_it import options as snipe_it_options
from service import alert_config, errors, export_config
from service.sections import NcesId, Section, TimeZone, secret, unique

ENV_PREFIX = "AFTERBELL_"
ENV_CONFIG = "AFTERBELL_CONFIG"  # names the file itself
ENV_TEST_PREFIX = "AFTERBELL_TEST_"  # the test suite's own
FILE_COLLECTOR = "file"  # an account that only imports feed


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _database_address(url: SecretStr | None) -> SecretStr | None:
    """A URL that the driver can read. Says what is wrong without any part of it: it may be the password."""
    if url is None:
        return None
    try:
        parts = urlsplit(url.get_secret_value())
        _ = parts.port
    except ValueError:
        raise ValueError(f"is not a database URL: {_URL_HELP}") from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError(f"does not begin with postgresql://: {_URL_HELP}")
    return url


_URL_HELP = (
    "write postgresql://USER:PASSWORD@HOST:5432/DATABASE, with / @ : # in the password as %2F %40 %3A %23"
)


class Database(Section):
    """Where the data is. Without a URL, an embedded server in ``folder``."""

    url: Annotated[SecretStr | None, AfterValidator(_database_address)] = None
    url_file: Path | None = None
    folder: Path | None = None
    binaries: Path | None = None  # a folder of PostgreSQL programs for the embedded server
    pool_size: int = Field(default=8, ge=2, le=100)

    @model_validator(mode="after")
    def _one_url(self) -> Self:
        if self.url and self.url_file:
            raise ValueError("give url or url_file, not both")
        return self


class Web(Section):
    """Where the pages are served, and to whom: with a file of tokens, to those who have one."""

    tokens_file: Path | None = None  # before host, whose check asks for it
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    minimum_cell_size: int = Field(
        default=10, ge=0
    )  # /metrics leaves out schools with fewer students in need

    @field_validator("host")
    @classmethod
    def _closed_or_guarded(cls, host: str, info: ValidationInfo) -> str:
        if not _is_loopback(host) and info.data.get("tokens_file") is None:
            raise ValueError(
                f"{host} is not a loopback address: without sign-in the pages are served on this machine only (name a "
                "file of tokens in web.tokens_file, or use 127.0.0.1 and a reverse proxy that authenticates)"
            )
        return host


class Thresholds(Section):
    """Every threshold of the definitions, with the default given there."""

    completeness_floor: float = Field(default=0.9, ge=0, le=1)
    source_disagreement: float = Field(default=0.1, gt=0, le=1)
    rsrp_floor_dbm: float = -110
    signal_samples: int = Field(default=20, ge=1)
    homework_starts_hour: int = Field(default=16, ge=0, le=23)
    homework_ends_hour: int = Field(default=22, ge=1, le=24)
    reclaim_days: int = Field(default=30, ge=7, le=366)  # without use, or without a loan

    @model_validator(mode="after")
    def _window_has_hours(self) -> Self:
        if self.homework_starts_hour >= self.homework_ends_hour:
            raise ValueError("homework_starts_hour must be before homework_ends_hour")
        return self


class Plan(Section):
    key: str
    allowance_mb: float | None = Field(default=None, gt=0, le=1e9, allow_inf_nan=False)
    allowance_period: Literal["day", "month", "cycle", "year"] = "month"
    cycle_day: int = Field(default=1, ge=1, le=28)
    at_allowance: Literal["stop", "throttle", "charge", "none"] = "stop"
    monthly_cost: float | None = Field(default=None, ge=0, le=100_000, allow_inf_nan=False)
    is_pooled: bool = False
    provider: str | None = None
    download_mbps: float | None = Field(default=None, gt=0, le=100_000, allow_inf_nan=False)
    upload_mbps: float | None = Field(default=None, gt=0, le=100_000, allow_inf_nan=False)
    starts_on: date | None = None
    ends_on: date | None = None  # the first day without service
    is_filtered: bool | None = None  # as the law asks for what children use

    @model_validator(mode="after")
    def _period_fits(self) -> Self:
        if self.is_pooled and self.allowance_period == "day":
            raise ValueError("is_pooled: a pool is of a month, a cycle or a year, not of a day")
        if self.starts_on and self.ends_on and self.ends_on <= self.starts_on:
            raise ValueError("ends_on, the first day without service, must be after starts_on")
        return self


class Account(Section):
    """One sign-in at one vendor."""

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")
    collector: str
    time_zone: TimeZone | None = None  # of the provider's day; default: the district's
    lag_days: int | None = Field(default=None, ge=0, le=14)  # None: the collector knows
    rank: int | None = Field(default=None, ge=1, le=99)  # None: carriers 1, routers 2, students' devices 3
    plan: str | None = None
    # vendor's group -> its school's NCES id
    groups: dict[str, Annotated[str, Field(pattern=r"^\d{12}$")]] = Field(default_factory=dict)
    credentials: dict[str, SecretStr] = Field(default_factory=dict)  # NAME = "..." or NAME_file = "path"
    options: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        if self.collector != FILE_COLLECTOR:
            try:
                registry.validate(self.collector, self.options)
            except collector_errors.OptionsInvalid as error:
                raise ValueError(str(error)) from error
        return self


class SnipeIt(Section):
    """A Snipe-IT that loans are read from."""

    url: str
    token_file: Path
    categories: tuple[str, ...] = ()  # of hotspots, * for any text; none: every category
    models: tuple[str, ...] = ()
    category_id: int | None = Field(default=None, ge=1)  # asks the server for this category alone
    imei_field: str | None = Field(default=None, min_length=1)  # the custom field with the IMEI
    lost_statuses: tuple[str, ...] = ("Lost*", "Stolen*", "Missing*")
    # location -> its NCES id
    schools: dict[str, Annotated[str, Field(pattern=r"^\d{12}$")]] = Field(default_factory=dict)
    page_size: int = Field(default=snipe_it_options.MOST_ROWS, ge=1, le=10_000)
    requests_per_second: float = Field(default=1.5, gt=0, le=1000)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self.options()
        return self

    def options(self) -> snipe_it_options.Options:
        """Raises ValueError where the address is not one that a token may be sent to."""
        try:
            return snipe_it_options.Options(
                base_url=self.url,
                imei_field=self.imei_field,
                category_id=self.category_id,
                page_size=self.page_size,
                requests_per_second=self.requests_per_second,
            )
        except ValueError as error:
            raise ValueError(str(error).replace("base_url", "url")) from error


class EdFi(Section):
    """An Ed-Fi ODS/API that students' answers are read from."""

    url: str
    token_url: str | None = None
    school_year: int | None = Field(default=None, ge=2000, le=2100)
    map: str = "ed-fi"
    page_size: int = Field(default=ed_fi_options.MOST_ITEMS, ge=1, le=10_000)
    requests_per_second: float = Field(default=4.0, gt=0, le=1000)
    schools: dict[
        Annotated[str, Field(pattern=r"^\d{1,18}$")], Annotated[str, Field(pattern=r"^\d{12}$")]
    ] = Field(default_factory=dict)  # the API's id of a school -> its NCES id
    credentials: dict[str, SecretStr] = Field(default_factory=dict)  # key and secret, or secret_file = "path"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self.options()
        named = {name.removesuffix("_file") for name in self.credentials}
        if named != ed_fi_options.CREDENTIALS:
            raise ValueError("credentials: give key and secret, each as it is or as NAME_file")
        return self

    def options(self) -> ed_fi_options.Options:
        """Raises ValueError where an address is not one that credentials may be sent to."""
        try:
            return ed_fi_options.Options(
                base_url=self.url,
                token_url=self.token_url,
                school_year=self.school_year,
                page_size=self.page_size,
                requests_per_second=self.requests_per_second,
            )
        except ValueError as error:
            raise ValueError(str(error).replace("base_url", "url")) from error


class Pilot(Section):
    """Schools in which something was tried, others to compare with, and when. Pilots may overlap."""

    name: str = Field(min_length=1, max_length=80)
    question: str = Field(min_length=1, max_length=500)
    schools: tuple[NcesId, ...] = Field(min_length=1)
    comparison: tuple[NcesId, ...] = ()
    starts_on: date
    ends_on: date | None = None  # its last day; None: it goes on
    before_starts_on: date | None = None  # None: as many days before as it takes
    min_need: int = Field(default=10, ge=0)

    @model_validator(mode="after")
    def _dates_and_schools_fit(self) -> Self:
        if self.ends_on is not None and self.ends_on < self.starts_on:
            raise ValueError(f"pilot {self.name!r}: ends_on is before starts_on")
        if self.before_starts_on is not None and self.before_starts_on >= self.starts_on:
            raise ValueError(f"pilot {self.name!r}: before_starts_on must be before starts_on")
        unique(f"pilot {self.name!r}: schools and comparison", [*self.schools, *self.comparison])
        return self


class District(Section):
    id: int = Field(ge=1, le=2_147_483_647)  # never changes
    name: str
    time_zone: TimeZone
    school_year_starts: str = Field(default="07-01", pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])$")
    pseudonym_key_file: Path | None = None
    student_key: str = Field(default="sourcedId", pattern=r"^(sourcedId|identifier|userId:[^{}:,\s]+)$")
    need_mode: Literal["student", "household"] = "student"
    ed_fi: EdFi | None = None
    snipe_it: SnipeIt | None = None
    plans: tuple[Plan, ...] = ()
    accounts: tuple[Account, ...] = ()
    pilots: tuple[Pilot, ...] = ()
    alerts: alert_config.Alerts = alert_config.Alerts()
    exports: export_config.Exports = export_config.Exports()

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        unique("accounts", [account.key for account in self.accounts])
        plans = [plan.key for plan in self.plans]
        unique("plans", plans)
        unique("pilots", [pilot.name for pilot in self.pilots])
        self._exports_fit()
        for account in self.accounts:
            if account.plan is not None and account.plan not in plans:
                raise ValueError(f"accounts.{account.key}.plan: there is no plan {account.plan!r} in plans")
        return self

    def _exports_fit(self) -> None:
        named = {pilot.name for pilot in self.pilots}
        if unknown := set(self.exports.pilots) - named:
            raise ValueError(f"exports.pilots: there is no pilot {', '.join(sorted(unknown))!r} in pilots")
        channels = {channel.key for channel in self.alerts.channels}
        if unknown := set(self.exports.channels) - channels:
            raise ValueError(
                f"exports.channels: there is no channel {', '.join(sorted(unknown))} in alerts.channels"
            )


class Config(BaseSettings):
    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
    )

    database: Database = Database()
    web: Web = Web()
    thresholds: Thresholds = Thresholds()
    mail: alert_config.Mail | None = None
    page_address: alert_config.PageAddress = None  # links in messages begin with it
    reading_months: int = Field(default=13, ge=2)  # raw readings are kept this long
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    districts: tuple[District, ...] = ()

    @model_validator(mode="after")
    def _ids_fit(self) -> Self:
        unique("districts", [str(district.id) for district in self.districts])
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return env_settings, init_settings


def load(path: Path | None) -> Config:
    """Read the file (None: the environment alone). Raises ConfigError that names the key and the way out."""
    _refuse_unknown_environment()
    try:
        return Config(**_read(path))
    except SettingsError:
        names = ", ".join(sorted(_sections_in_environment()))
        raise errors.ConfigError(
            f"the environment: {names}: name one setting each, as AFTERBELL_WEB__PORT"
        ) from None
    except ValidationError as error:
        raise errors.ConfigError(_explained(error, path)) from None


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise errors.ConfigError(
            f"there is no configuration file {path}: create it, or name another with --config"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise errors.ConfigError(f"cannot read the configuration file {path}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise errors.ConfigError(f"{path} is not valid TOML: {error}") from error


def _explained(error: ValidationError, path: Path | None) -> str:
    places = [str(path)] if path else []
    places += ["the environment"] if not path or _settings_in_environment() else []
    lines = [f"{' and '.join(places)}: the configuration has {error.error_count()} mistake(s)"]
    for item in error.errors(include_url=False, include_input=False):
        where = ".".join(str(part) for part in item["loc"]) or "the file"
        what = "there is no such setting" if item["type"] == "extra_forbidden" else item["msg"]
        lines.append(f"  {where}: {what.removeprefix('Value error, ')}")
    return "\n".join(lines)


def _settings_in_environment() -> list[str]:
    own = (ENV_CONFIG, ENV_TEST_PREFIX)
    return [
        name
        for name in os.environ
        if name.upper().startswith(ENV_PREFIX) and not name.upper().startswith(own)
    ]


def _sections_in_environment() -> list[str]:
    """Variables that give a whole section at once: their text has to be JSON."""
    return [name for name in _settings_in_environment() if "__" not in name]


def _refuse_unknown_environment() -> None:
    known = {f"{ENV_PREFIX}{name}".upper() for name in Config.model_fields}
    for name in os.environ:
        upper = name.upper()
        if not upper.startswith(ENV_PREFIX) or upper == ENV_CONFIG or upper.startswith(ENV_TEST_PREFIX):
            continue
        if upper.split("__")[0] not in known:
            raise errors.ConfigError(
                f"the environment has {name}, which is not a setting: known are {', '.join(sorted(known))}"
            )


def database_url(database: Database) -> str | None:
    """The configured database, or None for the embedded one."""
    if database.url_file is not None:
        text = secret(database.url_file, what="database.url")
        try:
            _database_address(SecretStr(text))
        except ValueError as error:
            raise errors.ConfigError(f"{database.url_file}: what it holds {error}") from None
        return text
    return database.url.get_secret_value() if database.url else None


def credentials(account: Account) -> dict[str, str]:
    """The account's credentials by name, those named NAME_file read from their files."""
    return _secrets(account.credentials, of=f"accounts.{account.key}")


def ed_fi_credentials(ed_fi: EdFi) -> dict[str, str]:
    """Likewise of a district's Ed-Fi API."""
    return _secrets(ed_fi.credentials, of="ed_fi")


def snipe_it_token(snipe_it: SnipeIt) -> str:
    """The token of its file. Raises ConfigError for one that no request can carry."""
    token = secret(snipe_it.token_file, what="snipe_it.token_file")
    if not sign_in.is_sendable(token):
        raise errors.ConfigError(
            f"{snipe_it.token_file}, which should hold snipe_it.token_file, holds no token: one line, as Snipe-IT "
            "shows it once"
        )
    return token


def _secrets(told: dict[str, SecretStr], *, of: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in told.items():
        text = value.get_secret_value()
        if name.endswith("_file"):
            found[name.removesuffix("_file")] = secret(Path(text), what=f"{of}.credentials.{name}")
        else:
            found[name] = text
    return found
