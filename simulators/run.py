"""The simulation: every plant of a scenario stepped through time. Deterministic; it reads no clock."""

from collections.abc import Callable
from dataclasses import dataclass
from math import gcd

from facility.instant import SECOND_US
from simulators.dialect import Message, Speaker
from simulators.plant import Plant, Sample
from simulators.scenario import Scenario
from simulators.surroundings import Surroundings, World

REPLAYED_US = 14 * 86_400 * SECOND_US
SETTLING_US = 3 * 3600 * SECOND_US


@dataclass(frozen=True, slots=True)
class _Running:
    plant: Plant
    step_s: int


class Simulation:
    """A scenario at work. `advance` moves it on and hands out the messages of the time gone by.

    It begins at `from_us`. What happened since the scenario's start is lived through in silence, so a restarted
    simulation continues where an uninterrupted one would stand, faults and counters included (about a second of
    work for a simulated day). Beyond 14 days only the last 14 are, and the counters move on by what the others would
    have counted, or a little more. Before its start every plant settles for three
    hours.
    """

    def __init__(
        self, scenario: Scenario, from_us: int | None = None, progress: Callable[[float], None] | None = None
    ) -> None:
        start_us = scenario.start_us if scenario.start_us is not None else from_us
        if start_us is None:
            msg = "the scenario names no start; give from_us"
            raise ValueError(msg)
        self.scenario, self.start_us = scenario, start_us
        self._tick_us = gcd(60, *scenario.steps.values()) * SECOND_US
        self._world = World(scenario.weather, scenario.zone, scenario.seed, scenario.closed)
        self._plants = [
            _Running(plan.build(f"{scenario.seed}/{plan.id}"), scenario.steps[plan.id]) for plan in scenario.plants
        ]
        self._by_asset = {
            asset: running.plant
            for plan, running in zip(scenario.plants, self._plants, strict=True)
            for asset in plan.faults()
        }
        self._speaker = Speaker(scenario.site_id, scenario.dialects)
        self._pending = list(reversed(scenario.events))
        begin_us = from_us if from_us is not None else start_us
        self._at_us = self._grid(min(start_us, begin_us) - SETTLING_US, begin_us)
        for running in self._plants:
            running.plant.age(max(0, self._at_us - start_us) // (86_400 * SECOND_US))
        self._catch_up(begin_us, progress)

    @property
    def at_us(self) -> int:
        """The end of the last step lived through."""
        return self._at_us

    @property
    def next_us(self) -> int:
        """The end of the next step."""
        return self._at_us + self._tick_us

    def advance(self, to_us: int) -> list[Message]:
        """The messages of every step that ends at or before `to_us`, in order."""
        messages: list[Message] = []
        while self.next_us <= to_us:
            messages += self._step()
        return messages

    def _grid(self, at_us: int, begin_us: int) -> int:
        """The step of the scenario's own grid at or before an instant, at most 14 days before `begin_us`."""
        at_us = max(at_us, begin_us - REPLAYED_US)
        return at_us - (at_us - self.start_us) % (60 * SECOND_US)

    def _catch_up(self, to_us: int, progress: Callable[[float], None] | None) -> None:
        begin_us = self._at_us
        while self.next_us <= to_us:
            self._live()
            if progress is not None and (self._at_us - begin_us) % (3600 * SECOND_US) == 0:
                progress((self._at_us - begin_us) / max(1, to_us - begin_us))

    def _step(self) -> list[Message]:
        truths, samples = self._live()
        return truths + [self._speaker.say(sample, self._at_us) for sample in samples]

    def _live(self) -> tuple[list[Message], list[Sample]]:
        truths = self._break(self._at_us)
        self._at_us += self._tick_us
        around: Surroundings | None = None
        samples: list[Sample] = []
        elapsed_s = (self._at_us - self.start_us) // SECOND_US
        for running in self._plants:
            if elapsed_s % running.step_s == 0:
                around = around or self._world.at(self._at_us)
                samples += running.plant.step(around, float(running.step_s))
        weather = self.scenario.weather.asset
        if weather is not None and elapsed_s % 60 == 0:
            around = around or self._world.at(self._at_us)
            samples.append(Sample(weather, {"outside_air_temperature": round(around.outside_c, 2)}))
        return truths, samples

    def _break(self, now_us: int) -> list[Message]:
        """Break and mend what is due before the step that begins now."""
        truths = []
        while self._pending and self.start_us + self._pending[-1].after_us <= now_us:
            event = self._pending.pop()
            self._by_asset[event.asset_id].set_fault(event.asset_id, event.fault, event.severity)
            due_us = self.start_us + event.after_us
            said = self._speaker.truth(due_us, event.asset_id, event.fault, event.component, event.severity)
            truths.append(said)
        return truths
