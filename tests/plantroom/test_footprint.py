"""What the whole demo takes of a machine at real time, with its broker and simulators: memory and CPU."""

import sys
from pathlib import Path

import pytest

from bench.footprint_bench import GOAL_MB, GOAL_SHARE, measure

SECONDS = 60.0


@pytest.mark.soak
def test_the_demo_at_real_time_stays_small(tmp_path: Path) -> None:
    tree = measure(sys.executable, tmp_path, SECONDS, settling_s=30.0)
    assert {"demo", "broker", "nats-server", "ingest", "simulate"} < {part.name for part in tree.parts.values()}
    said = {part.name: (round(part.pss / 1e6), round(part.cpu_s - part.began_s, 2)) for part in tree.parts.values()}
    assert tree.most_pss / 1e6 < GOAL_MB, said
    assert tree.cpu_s / SECONDS < GOAL_SHARE, said
