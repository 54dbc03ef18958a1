"""One TOML file and the environment. Unknown keys are errors; secrets come from files or the environment."""

import ipaddress
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from collectors import errors as collector_errors
from collectors import registry
from service import errors

ENV_PREFIX = "AFTERBELL_"
ENV_CONFIG = "AFTERBELL_CONFIG"  # names the file itself
ENV_TEST_PREFIX = "AFTERBELL_TEST_"  # the test suite's own
FILE_COLLECTOR = "file"  # an account that only imports feed


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"{name!r} is not a time zone of the IANA database, such as America/New_York"
        ) from error
    return name


def _loopback(host: str) -> str:
    if host != "localhost" and not _is_loopback(host):
        raise ValueError(
            f"{host} is not a loopback address: without sign-in the pages are served on this machine only "
            "(use 127.0.0.1 and a reverse proxy that authenticates)"
        )
    return host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
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

TimeZone = Annotated[str, AfterValidator(_known_zone)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


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
    host: Annotated[str, AfterValidator(_loopback)] = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    minimum_cell_size: int = Field(
        default=10, ge=0
    )  # /metrics leaves out schools with fewer students in need


class Thresholds(Section):
    """Every threshold of the definitions, with the default given there."""

    completeness_floor: float = Field(default=0.9, ge=0, le=1)
    source_disagreement: float = Field(default=0.1, gt=0, le=1)
    rsrp_floor_dbm: float = -110
    signal_samples: int = Field(default=20, ge=1)
    homework_starts_hour: int = Field(default=16, ge=0, le=23)
    homework_ends_hour: int = Field(default=22, ge=1, le=24)

    @model_validator(mode="after")
    def _window_has_hours(self) -> Self:
        if self.homework_starts_hour >= self.homework_ends_hour:
            raise ValueError("homework_starts_hour must be before homework_ends_hour")
        return self


class Plan(Section):
    key: str
    allowance_mb: float | None = Field(default=None, gt=0, le=1e9, allow_inf_nan=False)
    allowance_period: Literal["day", "month", "cycle"] = "month"
    cycle_day: int = Field(default=1, ge=1, le=28)
    at_allowance: Literal["stop", "throttle", "charge", "none"] = "stop"
    monthly_cost: float | None = Field(default=None, ge=0, le=100_000, allow_inf_nan=False)


class Account(Section):
    """One sign-in at one vendor."""

    key: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")
    collector: str
    time_zone: TimeZone | None = None  # of the provider's day; default: the district's
    lag_days: int | None = Field(default=None, ge=0, le=14)  # None: the collector knows
    rank: int | None = Field(default=None, ge=1, le=99)  # None: carriers 1, routers 2, students' devices 3
    plan: str | None = None
    groups: dict[
        str, Annotated[str, Field(pattern=r"^\d{12}$")]
    ] = {}  # vendor's group -> its school's NCES id
    credentials: dict[str, SecretStr] = {}  # NAME = "..." or NAME_file = "path"
    options: dict[str, Any] = {}

    @model_validator(mode="after")
    def _options_fit(self) -> Self:
        if self.collector != FILE_COLLECTOR:
            try:
                registry.validate(self.collector, self.options)
            except collector_errors.OptionsInvalid as error:
                raise ValueError(str(error)) from error
        return self


class District(Section):
    id: int = Field(ge=1, le=2_147_483_647)  # never changes
    name: str
    time_zone: TimeZone
    school_year_starts: str = Field(default="07-01", pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])$")
    pseudonym_key_file: Path | None = None
    plans: tuple[Plan, ...] = ()
    accounts: tuple[Account, ...] = ()

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        _unique("accounts", [account.key for account in self.accounts])
        plans = [plan.key for plan in self.plans]
        _unique("plans", plans)
        for account in self.accounts:
            if account.plan is not None and account.plan not in plans:
                raise ValueError(f"accounts.{account.key}.plan: there is no plan {account.plan!r} in plans")
        return self


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
    reading_months: int = Field(default=13, ge=2)  # raw readings are kept this long
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    districts: tuple[District, ...] = ()

    @model_validator(mode="after")
    def _ids_fit(self) -> Self:
        _unique("districts", [str(district.id) for district in self.districts])
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


def _unique(what: str, keys: list[str]) -> None:
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ValueError(f"{what}: {', '.join(twice)} is there twice; each key names one")


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


def secret(path: Path, *, what: str) -> str:
    """The text of a secret file, trimmed. Raises ConfigError that names the file and what it is for."""
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise errors.ConfigError(
            f"cannot read {what} from {path}: {getattr(error, 'strerror', None) or error}"
        ) from error
    if not text:
        raise errors.ConfigError(f"{path}, which should hold {what}, is empty")
    return text


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
    found: dict[str, str] = {}
    for name, value in account.credentials.items():
        text = value.get_secret_value()
        if name.endswith("_file"):
            found[name.removesuffix("_file")] = secret(
                Path(text), what=f"accounts.{account.key}.credentials.{name}"
            )
        else:
            found[name] = text
    return found
