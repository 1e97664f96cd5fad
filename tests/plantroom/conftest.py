"""Fixtures that start the whole program."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commanding import Commands
from running import ROOT, System, free_ports


@pytest.fixture
def soak_table() -> Callable[[str, dict[str, int]], None]:
    """Writes a line of docs/reliability.md's table: what was done, and what was counted."""
    page = ROOT / "docs/reliability.md"

    def write(what: str, counted: dict[str, int]) -> None:
        text = page.read_text(encoding="utf-8")
        row = f"| {what} | passed | {', '.join(f'{value:,} {name}' for name, value in counted.items())} |"
        lines = [line for line in text.splitlines() if not line.startswith(f"| {what} |")]
        end = max(index for index, line in enumerate(lines) if line.startswith("|"))
        page.write_text("\n".join([*lines[: end + 1], row, *lines[end + 1 :]]) + "\n", encoding="utf-8")

    return write


@pytest.fixture
def new_system(tmp_path: Path) -> Iterator[Callable[..., System]]:
    """Makes an instance with its own folder and ports; every process is gone at the end."""
    made: list[System] = []

    def make(*arguments: str, **settings: str) -> System:
        var = tmp_path / f"var{len(made)}"
        var.mkdir()
        http_port, mqtt_port = free_ports(2)
        values = {
            "PLANTROOM_VAR": str(var),
            "PLANTROOM_HTTP_PORT": str(http_port),
            "PLANTROOM_MQTT_PORT": str(mqtt_port),
            **{f"PLANTROOM_{name.upper()}": value for name, value in settings.items()},
        }
        system = System(var, values, list(arguments) or ["run"])
        made.append(system)
        return system

    yield make
    for system in made:
        if system.process is not None:
            system.kill()


@pytest.fixture
def plantroom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    """Calls `plantroom` commands in an empty folder, without settings from around."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PLANTROOM_")]:
        monkeypatch.delenv(name)
    return Commands(monkeypatch, capsys)
