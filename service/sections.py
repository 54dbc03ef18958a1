"""What every section of the configuration is made of."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from service import errors


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"{name!r} is not a time zone of the IANA database, such as America/New_York"
        ) from error
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]
NcesId = Annotated[str, Field(pattern=r"^\d{12}$")]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def unique(what: str, keys: list[str]) -> None:
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ValueError(f"{what}: {', '.join(twice)} is there twice; each key names one")


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
