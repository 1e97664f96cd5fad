"""The whole program in front of an InfluxDB that misbehaves: rules go on, its follower waits, and nothing is lost."""

import random
import signal
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from moody import MOODS, Front
from running import System, wait_until
from soaking import Begin
from tanks import TANKS, Tanks, episode, finish, strike

pytestmark = pytest.mark.soak
SLOW_S = 12.0
"""Slower than the program is willing to wait for."""
WAITS = "follower waits"


@pytest.fixture
def front() -> Iterator[Front]:
    front = Front(None, SLOW_S)
    front.start()
    yield front
    front.stop()


def written(front: Front) -> set[tuple[str, int]]:
    """(asset, instant in microseconds) of every line that the server holds."""
    found = set()
    for line in list(front.lines):
        head, _, at_us = line.decode().rsplit(" ", 2)
        tags = dict(pair.split("=", 1) for pair in head.split(",")[1:])
        found.add((tags["asset"], int(at_us)))
    return found


def lag_of_readings(system: System) -> float:
    """Commits that the series store's follower has not written yet."""
    start = 'plantroom_follower_lag_commits{follower="readings"} '
    (line,) = [line for line in system.get_text("/metrics").splitlines() if line.startswith(start)]
    return float(line.removeprefix(start))


def has_said_again(system: System, times: int) -> bool:
    """Whether the log says more often than `times` that a follower waits."""
    return system.log().count(WAITS) > times


def test_no_mood_of_influx_stops_the_rules_or_loses_a_reading(
    front: Front, new_tank_plant: Callable[..., tuple[System, Tanks]], soak_row: Begin
) -> None:
    counted = soak_row("InfluxDB stopped, slow, refusing, answering by half; engine killed meanwhile")
    system, tanks = new_tank_plant(store="influx", influx_url=f"http://127.0.0.1:{front.port}")
    wait_until(lambda: front.lines, 120, "the first readings in InfluxDB")
    dice = random.Random(4)
    for turn, mood in enumerate(dice.sample(MOODS, len(MOODS))):
        front.set(mood)
        said = system.log().count(WAITS)
        episode(system, tanks, turn % TANKS, [], dice)
        wait_until(partial(has_said_again, system, said), 120, f"the follower to say so ({mood})")
        assert lag_of_readings(system) > 0
        if turn == 0:
            strike(system, "engine", signal.SIGKILL)
            system.wait_ready(180)
        front.set("well")
        wait_until(lambda: lag_of_readings(system) == 0, 180, f"the follower to catch up after {mood}")
        counted["moods"] = turn + 1
    counted.update(finish(system, tanks))
    wait_until(lambda: tanks.sent <= written(front), 120, "every acknowledged reading in InfluxDB")
    keys = [line.rsplit(b" ", 2)[0] + line.rsplit(b" ", 1)[1] for line in front.lines]
    assert len(keys) == len(set(keys)), "a reading that came twice is the same line twice"
    counted["lines"] = len(front.lines)
