"""This machine's clock is set by an hour, back and forth, under the whole program as real processes.

A small preloaded library (it needs a C compiler) gives the processes another wall clock; the devices have the right
time.
"""

import os
import random
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from running import ROOT, System, wait_until
from soaking import Begin
from tanks import Tanks, episode, finish, journalled

pytestmark = [pytest.mark.soak, pytest.mark.service]
NOTICED = "this machine's clock was set"


@pytest.fixture
def set_wall_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets the wall clock of every process that is started from here on, by seconds."""
    compiler = shutil.which("cc")
    if compiler is None:
        reason = "no C compiler is installed; on Debian: apt-get install gcc libc6-dev"
        if os.environ.get("PLANTROOM_REQUIRE_REAL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    library, offset = tmp_path / "set_clock.so", tmp_path / "offset"
    source = ROOT / "tests/support/set_clock.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source], check=True, timeout=120)
    offset.write_bytes(struct.pack("d", 0))

    def set_it(seconds: int) -> None:
        with offset.open("r+b") as file:  # the same file: the processes have it mapped
            file.write(struct.pack("d", seconds))

    monkeypatch.setenv("PLANTROOM_TEST_OFFSET", str(offset))
    monkeypatch.setenv("LD_PRELOAD", str(library))
    return set_it


def test_a_clock_set_by_an_hour_both_ways_loses_nothing_and_accuses_nobody(
    new_tank_plant: Callable[..., tuple[System, Tanks]],
    set_wall_clock: Callable[[int], None],
    soak_row: Begin,
) -> None:
    counted = soak_row("this machine's clock set by an hour, back and forth")
    system, tanks = new_tank_plant()

    def set_clock(offset_s: int, findings: int) -> None:
        """Set it, and wait until ingest has noticed and readings go on."""
        said = system.log().count(NOTICED)
        set_wall_clock(offset_s)
        wait_until(lambda: system.log().count(NOTICED) > said, 90, f"ingest to notice {offset_s:+d} s")
        before = sum(journalled(system.journal).values())
        wait_until(lambda: sum(journalled(system.journal).values()) > before + 200, 90, "readings to go on")
        assert len(system.get("/api/findings", limit="1000")) == findings, "our clock is nobody's fault"
        counted["times set"] = counted.get("times set", 0) + 1

    set_clock(-3600, 0)
    set_clock(0, 0)
    episode(system, tanks, 0, [], random.Random(1))
    set_clock(3600, 1)
    set_clock(0, 1)
    counted.update(finish(system, tanks))
