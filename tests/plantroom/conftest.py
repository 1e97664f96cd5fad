"""Fixtures that start the whole program."""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from commanding import Commands
from running import ROOT, System, free_ports
from soaking import Begin, SoakRow, with_row
from tanks import CONTRACT, RULES, SITE, Tanks

from facility.clock import Clock, RealClock, ScaledClock
from plantroom.clocks import read_epoch

_OUTCOME: pytest.StashKey[str] = pytest.StashKey()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Notes on the test how its body went, for `soak_row`."""
    report = yield
    if call.when == "call":
        item.stash[_OUTCOME] = report.outcome
    return report


@pytest.fixture
def soak_row(request: pytest.FixtureRequest) -> Iterator[Begin]:
    """Begins a line of docs/reliability.md's table and gives what to count into; written when the test is over,
    also when it failed."""
    page, rows = ROOT / "docs/reliability.md", list[SoakRow]()

    def begin(what: str) -> dict[str, int]:
        rows.append(SoakRow(what))
        return rows[-1].counted

    yield begin
    outcome, on = request.node.stash.get(_OUTCOME, "failed"), RealClock().now().date()
    for row in rows if outcome != "skipped" else ():
        text = with_row(page.read_text(encoding="utf-8"), row, passed=outcome == "passed", on=on)
        page.write_text(text, encoding="utf-8")


@pytest.fixture
def new_system(tmp_path: Path, upgraded_sqlite: Path) -> Iterator[Callable[..., System]]:
    """Makes an instance with its own folder and ports; every process is gone at the end.

    Its database has its tables: making them takes a second of CPU. An empty folder is what the demo, the house of
    `tests/browser` and the followed pages of the docs begin with.
    """
    made: list[System] = []

    def make(*arguments: str, **settings: str) -> System:
        var = tmp_path / f"var{len(made)}"
        var.mkdir()
        if "demo" not in arguments:
            shutil.copyfile(upgraded_sqlite, var / "plantroom.db")
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


@pytest.fixture
def new_tank_plant(new_system: Callable[..., System], tmp_path: Path) -> Iterator[Callable[..., tuple[System, Tanks]]]:
    """Makes a running system whose tanks speak."""
    started: list[Tanks] = []

    def make(**settings: str) -> tuple[System, Tanks]:
        (tmp_path / "rules").mkdir()
        site = settings.pop("site_text", SITE)
        for name, text in (("site", site), ("contract", CONTRACT), ("rules/own", RULES)):
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        files = {name: str(tmp_path / f"{name}.yaml") for name in ("site", "contract")}
        port = str(free_ports(1)[0])
        on, within = settings.pop("on", None), float(settings.pop("within", "90"))
        system = new_system(rules=str(tmp_path / "rules"), metrics_port=port, **files, **settings)
        if on is not None:  # everything but the broker's folder and the log is on another disk
            for name in ("journal", "readings", "db"):
                (Path(on) / name).mkdir()
            for name in ("journal", "readings"):
                (system.var / name).symlink_to(Path(on) / name)
            system.settings["PLANTROOM_DATABASE_URL"] = f"sqlite:///{on}/db/plantroom.db"
        system.start(within)
        clock: Clock = RealClock()
        if "clock_factor" in settings:
            epoch = read_epoch(system.var / "clock.json")
            clock = ScaledClock(epoch.epoch_us, epoch.started_us, epoch.factor)
        tanks = Tanks(system.mqtt_port, clock)
        tanks.start()
        started.append(tanks)
        return system, tanks

    yield make
    for tanks in started:
        tanks.halt.set()
        tanks.join(180)


@pytest.fixture
def tank_plant(new_tank_plant: Callable[..., tuple[System, Tanks]]) -> tuple[System, Tanks]:
    """A running system by the real clock, and its devices."""
    return new_tank_plant()
