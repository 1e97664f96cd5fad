"""Ten times what can be sustained: nothing acknowledged is lost, memory stays flat, and it recovers by itself.

The load, and the comparison of what every device was told with what the journal holds, are those of
`bench.ingest_bench`; broker, ingest and generator are real processes.
"""

from pathlib import Path

import pytest
from brokers import program
from soaking import Begin

from bench.ingest_bench import Held, Load, Run, bench
from ingest.link import ClientKind

SLICE = Load(connections=100, rate=200_000, seconds=1.0, window=40, burst=10)
FULL = Load(connections=1000, rate=200_000, seconds=60.0, window=40, burst=10)
BROKERS = ["embedded", pytest.param("mosquitto", marks=pytest.mark.service)]
GROWTH = 64 * 2**20
"""More than what is remembered to know duplicates by, and less than a second of this load."""


def overloaded(folder: Path, broker: str, client: ClientKind, load: Load, *, with_engine: bool = False) -> Held:
    if broker == "mosquitto":
        program("mosquitto")
    run, held = bench(folder, broker, client, load, with_engine=with_engine)
    assert run.result.broken == 0
    assert run.result.acknowledged == run.result.sent, "every device was answered in the end"
    assert run.result.sent < load.rate * load.seconds, "the devices were made to wait: more was offered than taken"
    assert held.missing == 0
    assert held.scans == run.result.acknowledged, "and nothing twice"
    assert grown(run) < GROWTH
    return held


def grown(run: Run) -> int:
    """Bytes that ingest had more at its most than in the first half of the run."""
    memory = run.watch.costs["ingest"].memory
    return max(memory) - max(memory[: len(memory) // 2 + 1])


@pytest.mark.parametrize("broker", BROKERS)
def test_a_second_of_ten_times_the_load(tmp_path: Path, broker: str) -> None:
    assert overloaded(tmp_path, broker, ClientKind.RAW, SLICE).scans > 0


@pytest.mark.soak
def test_a_second_of_ten_times_the_load_with_the_other_client(tmp_path: Path) -> None:
    assert overloaded(tmp_path, "embedded", ClientKind.PAHO, SLICE).scans > 0


@pytest.mark.soak
@pytest.mark.parametrize("broker", BROKERS)
def test_a_minute_of_ten_times_the_load(tmp_path: Path, broker: str, soak_row: Begin) -> None:
    name = {"embedded": "the embedded broker", "mosquitto": "Mosquitto"}[broker]
    counted = soak_row(f"a minute of ten times the load (200,000 messages/s offered by 1,000 devices) through {name}")
    held = overloaded(tmp_path, broker, ClientKind.RAW, FULL, with_engine=True)
    counted["acknowledged messages"] = held.scans
    counted["missing"] = held.missing
