"""Explores more pretend districts than the tests do: ``python -m tests.privacy.by_hand 500``; a second number is the
first seed."""

import sys
import time
from collections import Counter

from tests.privacy import attacking, districts


def main() -> None:
    count, first = (int(text) for text in [*sys.argv[1:], "0"][:2])
    levels: Counter[str] = Counter()
    broken = 0
    for seed in range(first, first + count):
        started = time.monotonic()
        found = attacking.attack(districts.any_district(seed))
        levels.update(found.levels)
        broken += bool(found.findings)
        for finding in found.findings:
            print(f"seed {seed}: {finding}")
        print(f"seed {seed}: {len(found.levels)} rows, {time.monotonic() - started:.1f} s", flush=True)
    told = ", ".join(f"{level} {rows}" for level, rows in sorted(levels.items()))
    print(f"{count} districts, promise broken in {broken}; rows: {told}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
