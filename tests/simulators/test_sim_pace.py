"""The paced run: each step when the clock says so, nothing left out after a pause, and an end at once."""

import threading
from dataclasses import replace

import msgspec

from facility.clock import ScaledClock
from facility.instant import SECOND_US, parse_instant, to_us
from simulators.pace import play
from simulators.run import Simulation
from simulators.scenario import Scenario, parse_scenario

TEXT = """
scenario: {site: demo, zone: Asia/Shanghai, seed: 7, start: "2026-11-23T08:00:00+08:00", factor: 60}
plants:
  - {id: water, model: water, tank: T, pumps: [P1, P2], meter: M}
"""


class Wall:
    """A wall clock that jumps a little at every look."""

    def __init__(self, step_us: int = 1000) -> None:
        self.at_us, self.step_us = 0, step_us

    def __call__(self) -> int:
        self.at_us += self.step_us
        return self.at_us


class Stop(threading.Event):
    """An event whose wait takes the wall clock's time, not ours."""

    def __init__(self, wall: Wall) -> None:
        super().__init__()
        self.wall = wall

    def wait(self, timeout: float | None = None) -> bool:
        self.wall.at_us += round((timeout or 0.0) * SECOND_US)
        return self.is_set()


class Collector:
    """A publisher that keeps what it is given and stops the run after so many."""

    def __init__(self, clock: ScaledClock, stop: threading.Event, limit: int) -> None:
        self.clock, self.stop, self.limit = clock, stop, limit
        self.said: list[tuple[str, int]] = []

    def publish(
        self, topic: str, payload: bytes, stop: threading.Event | None = None, *, qos: int = 1, retain: bool = False
    ) -> bool:
        assert (stop, qos, retain) == (self.stop, 1, False)
        at = msgspec.json.decode(payload, type=dict[str, object])["at"]
        self.said.append((topic, to_us(parse_instant(str(at)))))
        if len(self.said) >= self.limit:
            self.stop.set()
        return len(self.said) < self.limit


def scenario() -> Scenario:
    return parse_scenario(TEXT, "s.yaml")


def paced(step_us: int, limit: int) -> tuple[Collector, int]:
    start_us = scenario().start_us or 0
    wall = Wall(step_us)
    clock, stop = ScaledClock(start_us, 0, 60.0, wall), Stop(wall)
    collector = Collector(clock, stop, limit)
    published = play(Simulation(scenario(), start_us), collector, clock, stop)
    return collector, published


def test_no_message_is_older_or_newer_than_its_step() -> None:
    collector, published = paced(step_us=1000, limit=40)
    instants = sorted({at_us for _, at_us in collector.said})
    start_us = scenario().start_us or 0
    assert instants == [start_us + 60 * SECOND_US * (index + 1) for index in range(len(instants))]
    assert published == len(collector.said) - 1
    assert instants[-1] <= collector.clock.now_us()


def test_after_a_pause_of_the_machine_everything_missed_is_said_in_order() -> None:
    collector, _ = paced(step_us=3_600 * SECOND_US, limit=400)
    instants = [at_us for _, at_us in collector.said]
    assert instants == sorted(instants)
    assert len(set(instants)) == 100


def test_a_run_that_is_stopped_before_it_begins_says_nothing() -> None:
    start_us = scenario().start_us or 0
    wall = Wall()
    clock, stop = ScaledClock(start_us, 0, 60.0, wall), Stop(wall)
    stop.set()
    simulation = Simulation(replace(scenario(), start_us=None), start_us)
    assert play(simulation, Collector(clock, stop, 10), clock, stop) == 0
