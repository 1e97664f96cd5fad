"""The shipped samples: each deadline below was worked out by hand from the text of its contract."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from facility.asset import Criticality
from facility.catalogue import equipment_classes
from facility.finding import OrderKind, Severity
from ticketing.contract import Contract, PauseReason, ServiceLevel
from ticketing.contract_book import ContractBook
from ticketing.contract_explain import explain_contract
from ticketing.contract_load import parse_contract
from ticketing.deadline_explain import explain_deadline
from ticketing.level import LevelFacts
from ticketing.order_clock import OrderClocks, decide_clocks
from ticketing.terms import Circumstances
from ticketing.work_order import Change, Status, Verb

FOLDER = Path(__file__).parents[2] / "examples/contracts"
SAMPLES = sorted(FOLDER.glob("*.yaml"))


def load(name: str) -> Contract:
    return parse_contract((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), f"{name}.yaml")


def facts(equipment: str, severity: Severity, kind: OrderKind, *, key: bool, site: str) -> LevelFacts:
    return LevelFacts(
        severity=severity,
        kind=kind,
        rule_id="water-leak-detected" if equipment == "leak_sensor" else "",
        site_id=site,
        building_id="b",
        equipment_class=equipment,
        system=equipment_classes()[equipment].system,
        criticality=Criticality.KEY if key else Criticality.NORMAL,
    )


def terms(
    name: str, equipment: str, severity: Severity, opened: str, *, key: bool = False, kind: OrderKind = OrderKind.FAULT
) -> ServiceLevel:
    contract = load(name)
    book, opened_at = ContractBook([contract]), datetime.fromisoformat(opened)
    choice = book.choose(facts(equipment, severity, kind, key=key, site=next(iter(contract.sites))), opened_at)
    about = Circumstances(opened_at, "b", "a", key)
    found = book.terms(choice.contract_id, choice.revision, choice.level.id, about)
    assert found is not None
    return found


def opening(at: datetime) -> Change:
    return Change(1, at, "open", "desk", Status.OPEN)


def clocks(level: ServiceLevel, opened: str) -> OrderClocks:
    at = datetime.fromisoformat(opened)
    return decide_clocks(level, at, [opening(at)], at)


CST, CET = "+08:00", "+01:00"
BY_HAND = [
    # office tower: entrapment 30 min, halved for key equipment; 3 min to answer; 60 min to release
    ("office-tower", "elevator", Severity.CRITICAL, f"2026-03-02T09:00:00{CST}", True,
     {"response": "2026-03-02T09:15:00", "resolution": "2026-03-02T10:00:00", "answer": "2026-03-02T09:03:00"}),
    ("office-tower", "elevator", Severity.CRITICAL, f"2026-03-02T09:00:00{CST}", False,
     {"response": "2026-03-02T09:30:00", "resolution": "2026-03-02T10:00:00", "answer": "2026-03-02T09:03:00"}),
    # air conditioning on Friday 19:00, tenants' hours to 20:00: 2 h; 1 h on Friday, 5 on Saturday, 9 on Monday
    ("office-tower", "ahu", Severity.HIGH, f"2026-03-06T19:00:00{CST}", False,
     {"response": "2026-03-06T21:00:00", "resolution": "2026-03-09T16:00:00"}),
    # the same on Friday 21:00 is off peak: 2 h times 2; 5 h on Saturday, 10 on Monday
    ("office-tower", "ahu", Severity.HIGH, f"2026-03-06T21:00:00{CST}", False,
     {"response": "2026-03-07T01:00:00", "resolution": "2026-03-09T17:00:00"}),
    # key equipment off peak: 2 h x 0.5, then x 2; in the red warning of July x 1.5 comes last: 3 h
    ("office-tower", "ahu", Severity.HIGH, f"2026-07-20T22:00:00{CST}", True,
     {"response": "2026-07-21T01:00:00", "resolution": "2026-07-22T16:30:00"}),
    # lighting before the New Year holiday of 15 to 23 February: 4 open hours from Friday 16:00 end on Saturday 14
    # (a make-up day) at 10:00; 24 h run through
    ("office-tower", "luminaire_circuit", Severity.LOW, f"2026-02-13T16:00:00{CST}", False,
     {"response": "2026-02-14T10:00:00", "resolution": "2026-02-14T16:00:00"}),
    # hospital: 5 min on site, 1 min to answer; containment starts on arrival, so it is not there yet
    ("hospital", "elevator", Severity.CRITICAL, f"2026-02-10T03:00:00{CET}", False,
     {"response": "2026-02-10T03:05:00", "resolution": "2026-02-10T07:00:00", "answer": "2026-02-10T03:01:00"}),
    ("hospital", "ahu", Severity.HIGH, f"2026-02-10T03:00:00{CET}", True,
     {"response": "2026-02-10T03:15:00", "resolution": "2026-02-10T05:00:00"}),
    ("hospital", "pump", Severity.MEDIUM, f"2026-02-10T03:00:00{CET}", True,
     {"response": "2026-02-10T03:15:00", "resolution": "2026-02-10T07:00:00"}),
    # lighting at 21:00, wards open 06-22: 1 h, then 1 h from 06:00; one open day later at 21:00
    ("hospital", "luminaire_circuit", Severity.LOW, f"2026-02-10T21:00:00{CET}", False,
     {"response": "2026-02-11T07:00:00", "resolution": "2026-02-11T21:00:00"}),
    # estate: burst pipe 15 min, contained in 2 h; water outage 30 min and work begun in 30 min
    ("residential-estate", "leak_sensor", Severity.HIGH, f"2026-03-02T02:00:00{CST}", False,
     {"response": "2026-03-02T02:15:00", "resolution": "2026-03-03T02:00:00", "contain": "2026-03-02T04:00:00"}),
    ("residential-estate", "pump", Severity.HIGH, f"2026-03-02T02:00:00{CST}", False,
     {"response": "2026-03-02T02:30:00", "resolution": "2026-03-03T02:00:00", "start": "2026-03-02T02:30:00"}),
    # orange warning of August: 1 h and 24 h times 1.5
    ("residential-estate", "elevator", Severity.HIGH, f"2026-08-02T13:00:00{CST}", False,
     {"response": "2026-08-02T14:30:00", "resolution": "2026-08-04T01:00:00"}),
    # lighting on Saturday 19:00 is outside the service hours: 2 open hours and 30 min, from Monday 08:30
    ("residential-estate", "luminaire_circuit", Severity.LOW, f"2026-03-07T19:00:00{CST}", False,
     {"response": "2026-03-09T11:00:00", "resolution": "2026-03-08T19:00:00"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "equipment", "severity", "opened", "key", "expected"), BY_HAND)
def test_deadlines_worked_out_by_hand(
    name: str, equipment: str, severity: Severity, opened: str, key: bool, expected: dict[str, str]
) -> None:
    level = terms(name, equipment, severity, opened, key=key)
    found = {clock: one.deadline.due_at for clock, one in clocks(level, opened).every().items()}
    offset = opened[-6:]
    assert found == {clock: datetime.fromisoformat(text + offset) for clock, text in expected.items()}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_term_of_a_sample_is_in_its_explanation(path: Path) -> None:
    contract = load(path.stem)
    text = "\n".join(explain_contract(contract))
    for revision in contract.revisions:
        terms = revision.terms
        named = [*(one.id for one in revision.levels), *(one.id for one in terms.modifiers)]
        named += [one.id for one in terms.escalations]
        penalties = revision.terms.penalties
        assert penalties is not None
        for one in (*named, *(term.id for term in penalties.terms)):
            assert one in text, one
        for level in revision.levels:
            assert level.name in text


def test_each_step_of_a_modified_limit_is_in_the_explanation_with_its_clause() -> None:
    opened = f"2026-07-20T22:00:00{CST}"
    level = terms("office-tower", "ahu", Severity.HIGH, opened, key=True)
    assert level.priority == 2
    lines = explain_deadline(clocks(level, opened).response.deadline)
    assert [line.split(" (")[0] for line in lines[1:4]] == [
        "key-equipment, clause 2.4", "off-peak, clause 2.5", "red-weather, clause 2.6"]  # fmt: skip
    assert lines[2].endswith("1 h x 2 is 2 h.")
    assert lines[3].endswith("2 h x 1.5 is 3 h.")


def test_declared_force_majeure_stops_the_clocks_that_name_it() -> None:
    opened = f"2026-08-10T19:00:00{CST}"  # 12 h of outage begin an hour later
    level = terms("office-tower", "luminaire_circuit", Severity.LOW, opened)
    at = datetime.fromisoformat(opened)
    later = decide_clocks(level, at, [opening(at)], at + timedelta(days=2))
    assert later.resolution.deadline.due_at == at + timedelta(hours=24 + 12)
    trapped = terms("office-tower", "elevator", Severity.CRITICAL, opened)
    never = decide_clocks(trapped, at, [opening(at)], at + timedelta(days=2))
    assert never.resolution.deadline.due_at == at + timedelta(hours=1)


def test_a_pause_counts_no_longer_than_its_cap() -> None:
    opened = f"2026-03-02T09:00:00{CST}"  # access pauses a burst for 4 h at most
    level, at = terms("office-tower", "leak_sensor", Severity.HIGH, opened), datetime.fromisoformat(opened)
    held = Change(2, at + timedelta(hours=1), Verb.HOLD, "Li", Status.HELD, Status.ACKNOWLEDGED, "", "access")
    for waited, moved in ((1, 1), (4, 4), (10, 4)):
        now = held.at + timedelta(hours=waited)
        resolution = decide_clocks(level, at, [opening(at), held], now).resolution.deadline
        assert resolution.due_at == at + timedelta(hours=24 + moved)
        assert resolution.is_paused == (waited < 4)
    assert "its cap is used up, the clock runs on" in "\n".join(explain_deadline(resolution))


def test_the_cap_is_for_all_pauses_of_the_reason_together() -> None:
    opened = f"2026-03-02T09:00:00{CST}"
    level, at = terms("office-tower", "leak_sensor", Severity.HIGH, opened), datetime.fromisoformat(opened)
    history = [opening(at)]
    for start in (1, 6):
        history += [
            Change(2, at + timedelta(hours=start), Verb.HOLD, "Li", Status.HELD, Status.ARRIVED, "", "access"),
            Change(3, at + timedelta(hours=start + 3), Verb.RESUME, "Li", Status.ARRIVED, Status.HELD),
        ]
    assert decide_clocks(level, at, history, at + timedelta(days=1)).resolution.deadline.due_at == at + timedelta(
        hours=24 + 4
    )
    caps = dict(level.resolution.caps)
    assert caps == {PauseReason.ACCESS: timedelta(hours=4), PauseReason.PARTS: timedelta(days=3)}


def test_a_named_clock_starts_and_stops_at_its_verbs() -> None:
    opened = f"2026-03-02T09:00:00{CST}"
    level, at = terms("office-tower", "luminaire_circuit", Severity.LOW, opened), datetime.fromisoformat(opened)
    history = [opening(at), Change(2, at + timedelta(hours=1), Verb.ARRIVE, "Li", Status.ARRIVED, Status.OPEN)]
    assert "follow_up" not in decide_clocks(level, at, history, at + timedelta(hours=2)).every()
    done = Change(3, at + timedelta(hours=3), Verb.COMPLETE, "Li", Status.COMPLETED, Status.ARRIVED)
    running = decide_clocks(level, at, [*history, done], at + timedelta(hours=4))
    assert running.named["follow_up"].deadline.due_at == datetime.fromisoformat(f"2026-03-03T18:00:00{CST}")
    assert running.next_due_at is None  # the work is done: nothing that lists should sort by
    called = replace(done, version=4, at=at + timedelta(hours=5), verb=Verb.FOLLOW_UP)
    assert decide_clocks(level, at, [*history, done, called], at).named["follow_up"].stopped_at == called.at
