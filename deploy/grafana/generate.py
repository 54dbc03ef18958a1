"""Writes Grafana's dashboards: ``python -m deploy.grafana.generate [--docs ADDRESS]``."""

import argparse
import json
from pathlib import Path

from grafana_foundation_sdk.cog import encoder

from deploy.grafana import boards, collectors, district, fleet, school

FOLDER = Path(__file__).parent / "dashboards"
_BOARDS = {
    "district": district.made,
    "school": school.made,
    "fleet": fleet.made,
    "collectors": collectors.made,
}


def texts(docs: str = boards.DOCUMENTS) -> dict[str, str]:
    """The file of each dashboard, by its name."""
    return {
        f"{name}.json": json.dumps(made(docs).build(), cls=encoder.JSONEncoder, indent=2, sort_keys=True)
        + "\n"
        for name, made in _BOARDS.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes Grafana's dashboards.")
    parser.add_argument(
        "--docs", default=boards.DOCUMENTS, help="Where people can read docs/: links begin with it."
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="Where to write them.")
    chosen = parser.parse_args()
    for name, text in texts(chosen.docs.rstrip("/")).items():
        (chosen.folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
