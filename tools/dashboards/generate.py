#!/usr/bin/env python3
"""Writes the dashboards of boards/ as Grafana's JSON to charts/skerry-cloud/dashboards.

usage: tools/dashboards/generate.py
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position
import boards  # noqa: E402
from grafana import render  # noqa: E402

FOLDER = Path(__file__).resolve().parents[2] / "charts/skerry-cloud/dashboards"


def files():
    """{name: text} of all dashboards."""
    return {f"{dashboard.name}.json": json.dumps(render(dashboard), indent=1, ensure_ascii=False) + "\n"
            for dashboard in boards.ALL}


def main():
    """Writes them, and removes those that are no more."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = files()
    for path in FOLDER.glob("*.json"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text)
    print(f"{len(made)} dashboards in {FOLDER}")


if __name__ == "__main__":
    main()
