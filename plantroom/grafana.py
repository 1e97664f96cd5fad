"""Builds Grafana's dashboards, with the limits of the shipped rules: `python -m plantroom.grafana`.

Needs the extra `dashboards`. The files are in git; a test shows that they equal what this builds.
"""

from pathlib import Path

import dashboards.grafana
from plantroom.plant_files import load_rule_files
from rules.rule_set import RuleSet

FOLDER = Path(dashboards.grafana.__file__).parent / "built"


def build() -> dict[str, str]:
    """File name -> JSON text of each dashboard."""
    from dashboards.grafana.build import render  # noqa: PLC0415 - only there with the extra

    rules = RuleSet.load(load_rule_files(None)).rules

    def limit(rule: str, parameter: str) -> tuple[float, str]:
        found = rules[rule].parameters[parameter]
        return found.value, found.unit

    return render(limit)


def main() -> None:
    """Write every file, and take away those of dashboards that are no more."""
    built = build()
    for path in FOLDER.glob("*.json"):
        if path.name not in built:
            path.unlink()
    for name, text in built.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
