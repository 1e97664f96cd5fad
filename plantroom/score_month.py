"""Lives through a scenario and judges it: simulator, payload, decoder, quality, engine and desk, without a broker."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path

from facility.errors import refuse
from facility.instant import SECOND_US, to_us
from facility.reading import Scan
from facility.registry import Registry
from ingest.payload import Arrival
from ingest.routing import Router
from plantroom.backtest import ATTENDED, Backtest, run_backtest
from plantroom.contracts import load_contracts
from plantroom.files import read_texts
from plantroom.plant_files import load_registry, load_rule_files
from plantroom.score import Call, Month, Truth, judge_month
from rules.rule_set import RuleSet
from simulators.run import Simulation
from simulators.scenario import Scenario, parse_scenario
from ticketing.contract_book import ContractBook

DAY_US = 86_400 * SECOND_US
_CALLS = ("open", "reopen")


def run_month(
    scenario_file: Path, days: int, seed_shift: int = 0, progress: Callable[[float], None] | None = None
) -> Month:
    """Score one scenario over `days` days, with `site.yaml` (and `contract.yaml`, if any) beside it.

    `seed_shift` is added to the scenario's seed. `progress` is told the share that is done.
    """
    folder = scenario_file.parent
    registry, site_texts = load_registry([folder / "site.yaml"])
    rule_files = load_rule_files(None)
    contract = folder / "contract.yaml"
    texts = read_texts([contract], "contract") if contract.exists() else {}
    book = load_contracts(texts, registry, RuleSet.load(rule_files).rules) if texts else ContractBook()
    scenario = _scenario(scenario_file, seed_shift)
    simulation = Simulation(scenario)
    begin_us, end_us = simulation.start_us, simulation.start_us + days * DAY_US
    scans = _scans(simulation, registry, end_us, progress)
    done = run_backtest(scans, registry, site_texts, rule_files, book, attended=ATTENDED)
    name = f"{folder.name}/{scenario_file.stem}" + (f"+{seed_shift}" if seed_shift else "")
    return judge_month(name, registry, truths(scenario, begin_us, end_us), calls(done), begin_us, end_us)


def _scenario(path: Path, seed_shift: int) -> Scenario:
    ((where, text),) = read_texts([path], "scenario").items()
    scenario = parse_scenario(text, where)
    if scenario.start_us is None:
        raise refuse(where, "a scenario that is scored needs a start", "Say when it begins under scenario.start.")
    return replace(scenario, seed=scenario.seed + seed_shift)


def _scans(
    simulation: Simulation, registry: Registry, until_us: int, progress: Callable[[float], None] | None
) -> Iterator[Scan]:
    """What ingest would have read from the simulator's messages, in their order."""
    router, begin_us = Router(registry), simulation.at_us
    for step in count(1):
        if simulation.next_us > until_us:
            return
        for message in simulation.advance(simulation.next_us):
            route = router.find(message.topic)
            if route is not None:
                yield from route.decoder.decode(message.topic, message.payload, Arrival(simulation.at_us))
            elif not router.is_ignored(message.topic):
                raise refuse(message.topic, router.explain_unknown(message.topic), "Correct site or scenario file.")
        if progress is not None and step % 360 == 0:
            progress((simulation.at_us - begin_us) / (until_us - begin_us))


def truths(scenario: Scenario, begin_us: int, end_us: int) -> list[Truth]:
    """What breaks in a scenario up to `end_us`, with its repair (or the end)."""
    found: list[Truth] = []
    for index, event in enumerate(scenario.events):
        from_us = begin_us + event.after_us
        if event.severity == 0 or from_us >= end_us:
            continue
        mended = (
            begin_us + later.after_us
            for later in scenario.events[index + 1 :]
            if (later.asset_id, later.fault) == (event.asset_id, event.fault)
        )
        until_us = min(next(mended, end_us), end_us)
        found.append(Truth(event.asset_id, event.fault, event.component, event.severity, from_us, until_us))
    return found


def calls(done: Backtest) -> list[Call]:
    """Every time an order sent somebody."""
    return [
        Call(
            asset_id=order["asset_id"],
            rule_id=order["rule_id"],
            diagnoses=tuple(order["diagnoses"]),
            at_us=to_us(datetime.fromisoformat(change["at"])),
        )
        for order in done.work_orders
        for change in order["history"]
        if change["verb"] in _CALLS
    ]
