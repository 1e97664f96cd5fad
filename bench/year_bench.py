"""A year of one air handler at one minute through `backtest`, file to orders. Run: python -m bench.year_bench [DAYS]"""

import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import cos, pi
from pathlib import Path

from rich.console import Console

from plantroom.backtest_trial import Trial, csv_history
from plantroom.plant_files import load_registry, load_rule_files
from ticketing.contract_book import ContractBook

POINTS = (
    "supply_air_temperature", "supply_air_temperature_setpoint", "return_air_temperature", "mixed_air_temperature",
    "outside_air_temperature", "heating_valve_command", "cooling_valve_command", "outside_air_damper_command",
    "supply_fan_status", "supply_fan_speed_command",
)  # fmt: skip


def rows(days: int) -> Iterator[list[str]]:
    """One row a minute: seasons, days, a controlled supply temperature, sensors with noise."""
    rng, at = random.Random(11), datetime(2025, 1, 1, tzinfo=UTC)
    for minute in range(days * 1440):
        day, hour = minute / 1440, minute / 60 % 24
        outside = 13 - 12 * cos(2 * pi * day / 365) - 5 * cos(2 * pi * (hour - 3) / 24)
        on = 7 <= hour < 19
        back = 23 + (0.8 * (hour - 7) / 12 if on else -2)
        damper = min(100.0, max(20.0, 100 * (back - 14) / max(back - outside, 1))) if on and outside < 18 else 20.0 * on
        mixed = back + (outside - back) * damper / 100 * 0.95
        heating = max(0.0, min(100.0, (14 - mixed) * 8)) if on else 0.0
        cooling = max(0.0, min(100.0, (mixed - 14) * 8)) if on and not heating else 0.0
        supply = (14.2 if heating or cooling else mixed + 0.5) if on else back - 1
        values = (
            supply + rng.gauss(0, 0.1), 14.0, back + rng.gauss(0, 0.05), mixed + rng.gauss(0, 0.2),
            outside + rng.gauss(0, 0.1), heating, cooling, damper, float(on), 70 + 10 * rng.random() if on else 0.0,
        )  # fmt: skip
        yield [(at + timedelta(minutes=minute)).isoformat(), *(f"{value:.2f}" for value in values)]


def site() -> str:
    """One air handler in one building."""
    asset = {"id": "ahu-1", "class": "ahu", "points": {point: {"cadence": 60} for point in POINTS}}
    building = {"id": "tower", "occupied": {"mon-sun": ["07:00-19:00"]}, "assets": [asset]}
    return json.dumps({"site": {"id": "bench", "zone": "UTC"}, "buildings": [building]})


def _cpu() -> tuple[float, float]:
    """Seconds of CPU of this process and of those it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time(), children.ru_utime + children.ru_stime


def main(days: int) -> None:
    """Write the file, run the backtest, print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "site.yaml").write_text(site(), encoding="utf-8")
        columns = {point: {"point": point} for point in POINTS}
        mapping = {"time": {"column": "time"}, "asset": "ahu-1", "columns": columns}
        (folder / "map.yaml").write_text(json.dumps(mapping), encoding="utf-8")
        with (folder / "year.csv").open("w", encoding="utf-8") as file:
            file.write(",".join(["time", *POINTS]) + "\n")
            file.writelines(",".join(row) + "\n" for row in rows(days))
        wall, before = time.perf_counter(), _cpu()
        registry, texts = load_registry([folder / "site.yaml"])
        history = csv_history(folder / "year.csv", folder / "map.yaml", registry)
        quiet = Console(quiet=True)
        trial = Trial(registry, texts, history, ContractBook(), quiet, timedelta(hours=1), workers=1)
        result, table = trial.run(load_rule_files(None)), history.table
        wall, after = time.perf_counter() - wall, _cpu()
        readings = sum(column.readings for column in table.report.columns.values())
        print(
            f"{days} days, {readings:,} readings in {wall:.1f} s; CPU: {after[0] - before[0]:.1f} s to read, "
            f"collect and write, {after[1] - before[1]:.1f} s to judge beside it"
        )
        print(f"{len(result.findings)} findings, {len(result.work_orders)} orders")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 365)
