"""Duplicate, reordered and delayed delivery, and a clock that is set: intake and engine together, in one process.

Within the allowance the order of messages changes no finding, and a message that comes again has no effect. Beyond it
nothing crashes, nothing is judged twice, and event time never goes back.
"""

import random
from collections.abc import Sequence
from datetime import datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from soaking import Begin

from facility.clock import Clock
from facility.finding import Finding
from facility.instant import SECOND_US, format_instant, from_us
from facility.reading import Commit, Entry, Heartbeat, Quality, RuleSetActivated, Scan, SiteEdited
from facility.site_file import parse_site
from ingest.heartbeat import Pulse
from ingest.intake import Batch, Intake
from ingest.link import Delivery
from ingest.quality import QualityJudge
from ingest.routing import HEARTBEAT_TOPIC
from rules.engine import Engine
from rules.rule_set import RuleSet

T0 = 1_790_000_000 * SECOND_US
ALLOWANCE_US = 2 * SECOND_US
SITE = """
site: {id: s, zone: UTC}
buildings:
  - id: b
    assets:
      - {id: tank-0, class: tank, points: {tank_level: {cadence: 1 s}}}
      - {id: tank-1, class: tank, points: {tank_level: {cadence: 1 s}}}
"""
RULES = """
rules:
  - id: low
    class: tank
    name: {en: Low}
    kind: fault
    severity: high
    when: tank_level < 10
    for: 5 s
    diagnosis: [Pump]
    advice: Look.
    checklist: [Pump]
    reference: a test
    tests: [{name: low, step: 1 s, series: {tank_level: "5x9"}, expect: [{at: 5 s, state: active}]},
            {name: full, step: 1 s, series: {tank_level: "50x9"}, expect: []}]
"""


class SetClock:
    """A clock that stands where it is put."""

    factor = 1.0

    def __init__(self, at_us: int) -> None:
        self.at_us = at_us

    def now(self) -> datetime:
        return from_us(self.at_us)

    def now_us(self) -> int:
        return self.at_us


class Path:
    """The way from a delivery to a finding, without processes."""

    def __init__(self, clock: Clock) -> None:
        registry = parse_site(SITE, "site.yaml")
        judge = QualityJudge(registry, clock, allowance_us=ALLOWANCE_US)
        self.pulse = Pulse()
        self.intake = Intake(registry, judge, clock, self.pulse)
        self.engine = Engine(allowance_us=ALLOWANCE_US, scans_advance=False)
        self.findings: dict[str, Finding] = {}
        self.raised: list[str] = []
        self.entries: list[Entry] = []
        self._seq = 0
        digest = RuleSet.load({"r.yaml": RULES}).digest
        self._commit([SiteEdited("1", T0, {"site.yaml": SITE}), RuleSetActivated("2", T0, digest, {"r.yaml": RULES})])

    def deliver(self, deliveries: Sequence[Delivery]) -> None:
        """One group commit of these."""
        batch = Batch()
        for one in deliveries:
            self.intake.take(one, batch)
        self._commit(batch.entries)

    def _commit(self, entries: Sequence[Entry]) -> None:
        self._seq += 1
        self.entries += entries
        before = max(0, self.engine.event_time_us)
        for finding in self.engine.feed(Commit(self._seq, self._seq, tuple(entries))):
            if finding.id not in self.findings:
                self.raised.append(finding.id)
            self.findings[finding.id] = finding
        assert max(0, self.engine.event_time_us) >= before


def reading(tank: int, at_us: int, level: float) -> Delivery:
    body = {"at": format_instant(from_us(at_us)), "values": {"tank_level": level}}
    return Delivery(f"plantroom/s/tank-{tank}/readings", msgspec.json.encode(body), 1, 1, False, False, 1)


def beat(path: Path, at_us: int) -> Delivery:
    return Delivery(HEARTBEAT_TOPIC, path.pulse.make(at_us), 1, 1, False, False, 1)


def levels(seed: int, steps: int) -> list[tuple[int, float]]:
    """(tank, level) a second: each tank is low now and then."""
    dice, found = random.Random(seed), []
    low = [False, False]
    for _ in range(steps):
        for tank in (0, 1):
            low[tank] = low[tank] != (dice.random() < 0.12)
            found.append((tank, 9.0 if low[tank] else 11.0))
    return found


def told(path: Path) -> dict[str, tuple[int, str]]:
    return {name: (finding.raised_us, str(finding.state)) for name, finding in path.findings.items()}


def deliver_within_the_allowance(seed: int, disorder: int) -> int:
    """The same readings straight, and in disorder with repetitions: the same findings. How many deliveries."""
    steps = 60
    clock = SetClock(T0 + 3600 * SECOND_US)
    events = levels(seed, steps)
    straight, crooked = Path(clock), Path(clock)
    deliveries = [reading(tank, T0 + (place // 2) * SECOND_US, level) for place, (tank, level) in enumerate(events)]
    for second in range(steps):
        straight.deliver([*deliveries[2 * second : 2 * second + 2], beat(straight, T0 + second * SECOND_US)])
    # Each message arrives up to 1.9 s later than it was sent, and some again at any later time.
    dice = random.Random(disorder)
    arrivals = [((place // 2) + dice.uniform(0, 1.9), place) for place in range(len(deliveries))]
    again = [(at + dice.uniform(0, 40), place) for at, place in arrivals if dice.random() < 0.3]
    queue = sorted(arrivals + again)
    for second in range(steps + 45):
        due = [one for one in queue if second <= one[0] < second + 1]
        if second < steps:
            crooked.deliver([beat(crooked, T0 + second * SECOND_US)])
        for start in range(0, len(due), 3):
            crooked.deliver([deliveries[place] for _, place in due[start : start + 3]])
    for path in (straight, crooked):
        path.deliver([beat(path, T0 + (steps + 60) * SECOND_US)])
    assert told(crooked) == told(straight)
    assert len(crooked.raised) == len(set(crooked.raised))
    return len(queue)


def deliver_too_late(seed: int, worst_s: float) -> int:
    """Everything is kept once and nothing is judged twice, whenever it comes. How many deliveries."""
    dice = random.Random(seed)
    path = Path(SetClock(T0 + 3600 * SECOND_US))
    sent = [reading(tank, T0 + (place // 2) * SECOND_US, lvl) for place, (tank, lvl) in enumerate(levels(seed, 40))]
    queue: list[tuple[float, Delivery]] = [
        (place / 2 + dice.uniform(0, worst_s), one) for place, one in enumerate(sent)
    ]
    queue += [(at + dice.uniform(0, worst_s), one) for at, one in queue if dice.random() < 0.5]
    queue += [(float(second), beat(path, T0 + second * SECOND_US)) for second in range(500)]
    for _, one in sorted(queue, key=lambda item: item[0]):
        path.deliver([one])
    kept = [(e.asset_id, e.at_us) for e in path.entries if isinstance(e, Scan)]
    assert len(kept) == len(set(kept)) == len(sent)
    assert len(path.raised) == len(set(path.raised))
    return len(queue)


SEEDS = st.integers(0, 100_000)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, disorder=SEEDS)
def test_duplicates_and_disorder_within_the_allowance_change_no_finding(seed: int, disorder: int) -> None:
    deliver_within_the_allowance(seed, disorder)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, worst_s=st.floats(2.0, 200.0))
def test_delay_beyond_the_allowance_judges_nothing_twice_and_keeps_every_reading(seed: int, worst_s: float) -> None:
    deliver_too_late(seed, worst_s)


@pytest.mark.soak
def test_many_ways_of_delivery(soak_row: Begin) -> None:
    counted = soak_row("duplicate, reordered and delayed delivery (hypothesis)")
    counted.update({"histories": 0, "deliveries": 0})

    @settings(max_examples=500, deadline=None)
    @given(seed=SEEDS, disorder=SEEDS, worst_s=st.floats(2.0, 2000.0))
    def many(seed: int, disorder: int, worst_s: float) -> None:
        counted["deliveries"] += deliver_within_the_allowance(seed, disorder) + deliver_too_late(seed, worst_s)
        counted["histories"] += 2

    many()


@pytest.mark.parametrize("by_s", [3600, -3600])
def test_a_clock_set_by_an_hour_and_back_loses_nothing_and_raises_nothing_false(by_s: int) -> None:
    """Devices have the right time throughout; the machine's clock is wrong for a minute."""
    clock = SetClock(T0)
    path = Path(clock)
    for second in range(300):
        true_us = T0 + second * SECOND_US
        clock.at_us = true_us + (by_s * SECOND_US if 100 <= second < 160 else 0)
        path.deliver([reading(tank, true_us, 11.0) for tank in (0, 1)] + [beat(path, clock.at_us)])
    scans = [entry for entry in path.entries if isinstance(entry, Scan)]
    assert len(scans) == 600, "every reading is in the journal"
    assert path.findings == {}
    marked = {Quality(scan.values[0].quality) for scan in scans if scan.values[0].quality != Quality.GOOD}
    assert marked <= {Quality.LATE, Quality.FUTURE}
    beats = [entry.at_us for entry in path.entries if isinstance(entry, Heartbeat)]
    assert beats == sorted(set(beats)), "event time never goes back"
    # Once the clock has passed where it was, the building is judged as ever.
    begin = 300 if by_s < 0 else 3_600 + 200
    for second in range(begin, begin + 20):
        clock.at_us = T0 + second * SECOND_US
        path.deliver([reading(0, clock.at_us, 9.0), reading(1, clock.at_us, 11.0), beat(path, clock.at_us)])
    assert [finding.raised_us for finding in path.findings.values()] == [T0 + (begin + 5) * SECOND_US]
