"""Two sites whose readings, findings, orders and people fill a real InfluxDB and PostgreSQL.

The simulated tower and a heating and cooling plant live through a Monday morning; their messages go through intake and
journal to the rule engine, the desk and the series store, in this process. Then people work on the orders, complain and
answer. For the database too it is then the end of that morning, so that every run is the same.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

import prometheus_client
from people import Remembered
from running import ROOT

from dashboards.grafana.catalogue import board_of
from facility.clock import JournalClock, RealClock
from facility.instant import HOUR_US, SECOND_US, format_instant, from_us, parse_instant, to_us
from facility.reading import ControlEvent, RuleSetActivated, SiteEdited
from facility.registry import Registry
from ingest.follower import Follower
from ingest.heartbeat import Pulse
from ingest.intake import Batch, Intake
from ingest.journal import JournalReader, JournalWriter
from ingest.link import Delivery
from ingest.quality import QualityJudge
from ingest.stores.base import SeriesSink
from ingest.stores.influx import InfluxStore
from ingest.stores.influx_wire import InfluxAddress
from plantroom.allowance import ALLOWANCE_US
from plantroom.database import Database
from plantroom.engine_host import EngineHost
from plantroom.engine_metrics import EngineMetrics, HostMetrics
from plantroom.plant_files import load_registry, load_rule_files
from rules.rule_set import RuleSet
from simulators.dialect import own_message
from simulators.run import Simulation
from simulators.scenario import parse_scenario
from ticketing.complaint_desk import Grievance
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.cost import CostKind
from ticketing.cost_desk import Wanted
from ticketing.desk import Desk
from ticketing.lease import Lease
from ticketing.plant_rows import keep_plant
from ticketing.preventive import due
from ticketing.repository import find_order
from ticketing.request import Entry
from ticketing.roster import Person, Roster
from ticketing.service_desks import ServiceDesks
from ticketing.survey_rows import list_surveys
from ticketing.transition import Act, carry_out
from ticketing.watch import Instants, look
from ticketing.work_order import Refusal, Transition, Verb, Words

MINUTE_US = 60 * SECOND_US
START_US = to_us(parse_instant("2026-11-23T08:00:00+08:00"))
"""When the scenario of the tower begins."""
UNTIL_US, VISITED_US = START_US + 3 * HOUR_US, 2 * HOUR_US
PLANT = """
site: {id: park, name: Energy park, zone: Asia/Shanghai}
buildings:
  - id: energy
    name: Energy centre
    latitude: 31.19
    longitude: 121.43
    assets: [ASSETS]
"""
PLANT_POINTS = {
    "CH-1": ("chilled_water_supply_temperature", "chilled_water_return_temperature", "run_status"),
    "CT-1": ("condenser_water_temperature", "run_status"),
    "BO-1": ("hot_water_temperature", "run_status"),
    "CL-1": ("water_flow", "differential_pressure", "differential_pressure_setpoint", "highest_valve"),
    "HL-1": ("hot_water_temperature", "hot_water_return_temperature", "hot_water_temperature_setpoint", "pump_status",
             "pump_speed", "water_flow"),
    "HX-1": ("primary_flow", "secondary_flow", "control_valve_command", "thermal_power"),
}  # fmt: skip
CLASSES = {"CH": "chiller", "CT": "cooling_tower", "BO": "boiler", "CL": "chilled_water_loop", "HL": "hot_water_loop",
           "HX": "heat_exchanger"}  # fmt: skip
WARM_BY = {"setpoint": 60.0, "return": 45.0, "hot_water": 58.0, "condenser": 36.0, "chilled_water_supply": 7.0,
           "chilled_water_return": 12.0, "differential": 150.0, "flow": 120.0, "power": 800.0}  # fmt: skip
CONTRACT = """
contract: {id: services, name: Services, sites: [demo, park], customer: Owner, supplier: Service, zone: Asia/Shanghai}
revisions:
  - revision: 1
    effective_at: "2026-01-01"
    calendars: {always: {hours: always}}
    costs: {clause: "8.1", currency: CNY, labour_per_hour: 120, call_out: 50}
    requests: {calendar: always, review: 10 min}
    complaints: {calendar: always, accept: 15 min, answer: 4 h, resolve: 24 h}
    surveys: {forms: [{id: repair, kind: repair}, {id: nps, kind: nps, send_on: complete}]}
    default_level: {clause: "1.9", priority: 4, calendar: always, response: 8 h, resolution: 5 days}
    levels:
      - {id: lift, clause: "2.1", match: {class: elevator, kind: fault}, priority: 1, calendar: always, response: 5 min,
         resolution: 2 days}
      - {id: fault, clause: "2.2", match: {kind: fault}, priority: 2, calendar: always, response: 30 min,
         resolution: 2 days}
    preventive:
      - {id: half-month, clause: "7.3", name: Half-monthly look, match: {class: elevator}, every: half month,
         first_on: "FIRST", early_days: 0}
    escalations: [{id: half, clock: response, at: "50 %", to: li}]
"""


def fill(folder: Path, influx: InfluxAddress, postgres: str) -> None:
    """Fill both, up to `UNTIL_US`. Takes some ten seconds of CPU."""
    plant = folder / "plant.yaml"
    assets = (
        f"{{id: {name}, class: {CLASSES[name[:2]]}, points: [{', '.join(of)}]}}" for name, of in PLANT_POINTS.items()
    )
    plant.write_text(PLANT.replace("ASSETS", ", ".join(assets)), encoding="utf-8")
    registry, files = load_registry((ROOT / "plantroom/demo/site.yaml", plant))
    first_on = from_us(UNTIL_US - VISITED_US).astimezone(ZoneInfo("Asia/Shanghai")).date().isoformat()
    clock, book = (
        JournalClock(START_US),
        ContractBook([parse_contract(CONTRACT.replace("FIRST", first_on), "contract.yaml")]),
    )
    with JournalWriter(folder / "journal") as journal:
        _live(journal, registry, files, clock, _messages())
    with closing(Database(postgres)) as database:
        _set_clock(database)
        database.upgrade()
        _judge(folder / "journal", database, Desk(book, lambda: registry))
        _store(folder, influx, registry)
        _work(database, book, registry)


def _set_clock(database: Database) -> None:
    """What asks the database for now gets the instant at which this ends, also views that are made later."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        end = f"'{format_instant(from_us(UNTIL_US))}'::timestamptz"
        connection.exec_driver_sql(f"CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql STABLE RETURN {end}")
        connection.exec_driver_sql(f"ALTER DATABASE {database.url.database} SET search_path = public, pg_catalog")
    database.engine.dispose()  # connections from here on have it


def _live(
    journal: JournalWriter,
    registry: Registry,
    files: dict[str, str],
    clock: JournalClock,
    messages: Iterable[tuple[int, str, bytes]],
) -> None:
    """Ingest: what devices said, minute by minute, into the journal."""
    rules = load_rule_files(None)
    said: list[ControlEvent] = [
        SiteEdited("site", 0, files),
        RuleSetActivated("rules", 0, RuleSet.load(rules).digest, rules),
    ]
    journal.append(clock.now_us(), said)
    intake = Intake(registry, QualityJudge(registry, clock, allowance_us=ALLOWANCE_US), clock, Pulse())
    for minute, group in groupby(messages, key=lambda message: message[0] // MINUTE_US):
        clock.advance((minute + 1) * MINUTE_US)
        batch = Batch()
        for _, topic, payload in group:
            intake.take(Delivery(topic, payload, 1, 1, False, False, 1), batch)
        assert not batch.rejected, batch.entries[-1]
        journal.append(clock.now_us(), batch.entries)


def _judge(folder: Path, database: Database, desk: Desk) -> None:
    """Engine and desk, to the end of the journal."""
    with closing(JournalReader(folder)) as reader:
        lease, metrics = (
            Lease(database, "engine", "test", RealClock()),
            HostMetrics(EngineMetrics(prometheus_client.CollectorRegistry())),
        )
        host = EngineHost(
            reader, database, desk, lease=lease, allowance_us=ALLOWANCE_US, clock=JournalClock(0), metrics=metrics
        )
        while host.step():
            continue
        assert not host.engine.errors


def _store(folder: Path, influx: InfluxAddress, registry: Registry) -> None:
    """The series store, and its means of all that is over."""
    with (
        closing(InfluxStore(influx, folder / "influx.cursor", lambda: registry)) as store,
        closing(JournalReader(folder / "journal")) as reader,
    ):
        Follower("readings", reader, SeriesSink(store)).catch_up()
        while store.roll_up(UNTIL_US + HOUR_US):
            continue
        assert (store.refused, store.unstorable) == (0, 0)


def _messages() -> Iterator[tuple[int, str, bytes]]:
    """(instant, topic, payload) of everything, in order."""
    path = ROOT / "plantroom/demo/scenario.yaml"
    simulation = Simulation(parse_scenario(path.read_text(encoding="utf-8"), str(path)))
    for at_us in range(START_US + MINUTE_US, UNTIL_US + 1, MINUTE_US):
        for message in simulation.advance(at_us):
            if not message.topic.startswith("simulation/"):
                yield at_us - 1, message.topic, message.payload
        for site, asset, values in _others((at_us - START_US) // MINUTE_US):
            message = own_message(site, asset, format_instant(from_us(at_us)), values)
            yield at_us - 1, message.topic, message.payload


def _others(minute: int) -> Iterator[tuple[str, str, dict[str, float | str]]]:
    """The plant, the monitor itself, and now and then a value that nobody believes."""
    wave = math.sin(minute / 40)
    for asset, points in PLANT_POINTS.items():
        yield "park", asset, {point: _plant_value(point, wave) for point in points}
    yield "demo", "plantroom", {
        "follower_lag": float(minute % 5), "disk_free": 42.0, "rejected_rate": 20.0, "silent_devices": 1.0,
        "message_rate": 30.0 + wave, "judged_delay": 2.0,
    }  # fmt: skip
    if minute % 30 == 7:
        yield "demo", "TANK-1", {"tank_level": 400.0}
        yield "demo", "LC-1", {"circuit_power": -5.0}
        yield "demo", "EL-1", {"motor_temperature": 900.0}
        yield "demo", "ZONE-1-1", {"zone_air_temperature": 300.0}
        yield "demo", "plantroom", {"disk_free": 180.0}
        yield "park", "CH-1", {"chilled_water_supply_temperature": 99.0}


def _plant_value(point: str, wave: float) -> float:
    if point in ("run_status", "pump_status"):
        return float(wave > -0.5)
    level = next((value for name, value in WARM_BY.items() if name in point), 50.0)
    return round(level * (1 + 0.05 * wave), 2)


def _work(database: Database, book: ContractBook, registry: Registry) -> None:
    """What people do: visits fall due, orders are worked on, paid and closed, occupants report, complain and answer."""
    now, desk = from_us(UNTIL_US), Desk(book, lambda: registry)
    desks = ServiceDesks(book, lambda: registry, Remembered())
    with database.writing() as session:
        keep_plant(session, registry)
        assert due(session, desk, book, registry, from_us(UNTIL_US - VISITED_US))
    _carry_out(database, book, registry)
    with database.writing() as session:
        for number, words in enumerate(("Too warm", "Dark in the corridor", "Lift shakes")):
            at = now - timedelta(hours=1 + number)
            desks.requests.receive(session, Entry("tower", words, urgent=number == 0, contact="guest"), at)
            desks.complaints.receive(session, Grievance(words, building_id="tower", contact="guest"), at)
        order = find_order(session, "1", lock=True)
        assert order is not None
        booked = desks.costs.book(session, order, Wanted(CostKind.LABOUR, Decimal(2)), "Li", now - timedelta(minutes=5))
        assert type(booked).__name__ == "CostLine", booked
        assert desks.surveys.send_due(session, now - timedelta(minutes=4))
        for row in list_surveys(session, limit=100):
            form = desks.surveys.form_of(row)
            assert form is not None
            answers = {one.id: 4 for one in form.questions}
            desks.surveys.answer(session, row, answers, "", now - timedelta(minutes=2))
    roster = Roster(ZoneInfo("Asia/Shanghai"), {"li": Person("li", "Li")})
    with database.writing() as session:
        while look(session, book, roster, Instants(now, now), lambda *_: ""):
            continue


def _carry_out(database: Database, book: ContractBook, registry: Registry) -> None:
    """The first fault of each kind is being repaired; of the others one waits, one is done, one is closed, in turn."""
    steps: dict[int, Sequence[Verb]] = {
        1: (Verb.ACKNOWLEDGE, Verb.ARRIVE, Verb.COMPLETE),
        2: (Verb.ACKNOWLEDGE, Verb.ARRIVE, Verb.COMPLETE, Verb.ACCEPT, Verb.CLOSE),
    }  # fmt: skip
    seen: set[str] = set()
    with database.writing() as session:
        number = 1
        while (row := find_order(session, str(number), lock=True)) is not None:
            at = row.opened_at
            board = board_of(registry.assets[row.asset_id].equipment_class.name)
            is_first = row.kind == "fault" and board not in seen
            seen |= {board} if is_first else set()
            for verb in (Verb.ACKNOWLEDGE, Verb.ARRIVE) if is_first else steps.get(number % 3, ()):
                at = min(at + timedelta(minutes=7), from_us(UNTIL_US))
                done = carry_out(session, book, row, Act(verb, "Li", at, Words("as it was", to="Li")))
                if not isinstance(done, Transition):
                    assert done.why is Refusal.STILL_ACTIVE, done
                    break
                session.refresh(row)
            number += 1
    assert number > 15, "the buildings were too healthy to prove anything"
