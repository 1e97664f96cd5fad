"""The shipped catalogue: rule files that come with the program. Adding a rule adds data here, not code."""

from functools import cache
from importlib.resources import files


@cache
def _read() -> tuple[tuple[str, str], ...]:
    folder = files("rules").joinpath("catalogue")
    found = (item for item in folder.iterdir() if item.name.endswith(".yaml"))
    return tuple((item.name, item.read_text(encoding="utf-8")) for item in sorted(found, key=lambda item: item.name))


def shipped_files() -> dict[str, str]:
    """Every rule file of the catalogue, name -> text, sorted by name."""
    return dict(_read())
