"""The demo building as the pictures show it: with people, a second revision of its contract, and a contract to compare.

`python -m bench.picture_plant VAR PORT` runs it until it is interrupted; the files lie in VAR beside what it writes.
"""

import sys
from importlib.resources import files
from pathlib import Path

from plantroom.launch import free_port, launch
from plantroom.logs import set_up_logs
from plantroom.settings import ClockKind, Mode, Settings, StoreKind, load_settings
from plantroom.supervisor import ProcessSpec
from simulators.scenario import parse_scenario

EXAMPLES = Path(__file__).resolve().parents[1] / "examples/contracts"
PENALTIES = """    penalties:
      currency: CNY
      monthly_fee: 48000
      cap: {amount: 4800, per: month}
      terms:
        - {id: late, clause: "9.1", amount: 200, clocks: [response]}
        - {id: slow, clause: "9.2", percent: "0.5 %", per: started_hour, clocks: [resolution]}
"""
COSTS = """    costs: {clause: "6.1", currency: CNY, labour_per_hour: 120, call_out: 80, quote_above: 500}
"""
LEVEL = "        match: {class: elevator, severity: [high, medium]}\n        priority: 2\n        calendar: always\n"


def write_files(folder: Path) -> None:
    """Site, scenario, roster and two contracts."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("site.yaml", "scenario.yaml", "roster.yaml"):
        (folder / name).write_text((files("plantroom") / "demo" / name).read_text(encoding="utf-8"), encoding="utf-8")
    text = (files("plantroom") / "demo/contract.yaml").read_text(encoding="utf-8")
    head, first = text.split("revisions:\n")
    first = first.replace("    calendars:\n", f"{PENALTIES}{COSTS}    calendars:\n", 1)
    second = first.replace("revision: 1", "revision: 2", 1).replace('"2026-01-01"', '"2026-07-01"', 1)
    second = second.replace(f'{LEVEL}        response: "30 min"', f'{LEVEL}        response: "20 min"', 1)
    second = second.replace("amount: 200", "amount: 300", 1)
    if second.count('"20 min"') != 1:
        sys.exit("the demo's contract is written otherwise now; mend the second revision made here")
    (folder / "contract.yaml").write_text(f"{head}revisions:\n{first.rstrip()}\n\n{second}", encoding="utf-8")
    other = (EXAMPLES / "office-tower.yaml").read_text(encoding="utf-8")
    (folder / "other.yaml").write_text(other.replace("  sites: [office]\n", "", 1), encoding="utf-8")


def run(var: Path, port: int) -> None:
    """The whole system on simulated time, on loopback."""
    folder = var / "plant"
    write_files(folder)
    settings = load_settings(
        mode=Mode.EMBEDDED, var=var, site=(folder / "site.yaml",),
        contract=(folder / "contract.yaml", folder / "other.yaml"), roster=folder / "roster.yaml",
        clock=ClockKind.SCALED, clock_factor=60.0, store=StoreKind.PARQUET, http_port=port,
        mqtt_port=free_port("127.0.0.1", 18830, "--mqtt-port", fixed=False),
    )  # fmt: skip
    set_up_logs(settings, "plantroom")
    scenario = folder / "scenario.yaml"
    start_us = parse_scenario(scenario.read_text(encoding="utf-8"), str(scenario)).start_us or 0

    def simulator(ready: Settings) -> ProcessSpec:
        return ProcessSpec("simulators", ["simulate", str(scenario), "--follow-clock"], ready.environment())

    launch(settings, first_us=start_us, extra=[simulator])


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
