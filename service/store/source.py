"""Which district's account a row belongs to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    district_id: int
    account_id: int
