"""Write the dashboards as JSON beside this file: `python -m dashboards.grafana.build`.

Needs the extra `dashboards`. The files are in git; a test shows that they equal what this builds.
"""

import json
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.grafana import building_overview, own_overview

FOLDER = Path(__file__).parent


def render() -> dict[str, str]:
    """File name -> JSON text of each dashboard."""
    built = {"building-overview.json": building_overview.build(), "plantroom-itself.json": own_overview.build()}
    return {name: json.dumps(board, cls=JSONEncoder, indent=2, sort_keys=True) + "\n" for name, board in built.items()}


def main() -> None:
    """Write every file."""
    for name, text in render().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
