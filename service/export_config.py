"""The section of a district's configuration that its monthly exports are made by."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from service import sections


class Exports(sections.Section):
    """Packages are made by the schedule where there is a ``folder``."""

    folder: Path | None = None
    settle_days: int = Field(default=4, ge=0, le=27)  # carriers still correct the month for so long
    protect_width: int = Field(default=5, ge=5, le=10)  # values that stay possible for a protected count
    suppression: Literal["coarsen", "strict"] = "coarsen"
    min_n: int = Field(default=10, ge=10, le=100)  # strict: smaller counts are hidden
    solver_seconds: float = Field(default=60, gt=0, le=3600)  # what is not settled by then is coarsened
    scheduled: tuple[Literal["shareable", "internal"], ...] = ("shareable",)
    pilots: tuple[str, ...] = ()  # by name: a package of each beside the district's own
    languages: tuple[Literal["en", "es"], ...] = ("en", "es")  # of the report
    channels: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}$")], ...] = ()  # get the link
