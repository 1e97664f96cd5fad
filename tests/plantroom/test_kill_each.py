"""Kill -9 and SIGTERM of each process by the real clock, under load: a rule that waits raises at its right instant.

A tank falls low; while the rule's persistence runs, processes die. When the finding shows at last, it is raised at the
reading's stamp plus the persistence to the microsecond, there is one of it, and every acknowledged reading is in the
journal once. Then the disk refuses and comes back.
"""

import random
import resource
import signal

import httpx
import pytest
from running import PLAIN, System, wait_until
from soaking import Begin
from tanks import Tanks, children, episode, finish

from ingest.journal import JournalReader


def refuse_writing(system: System, tanks: Tanks) -> None:
    """No file of ingest may grow: it stops acknowledging and says so; then it may again, and nothing is lost."""
    pid = children(system)["ingest"]
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, before[1]))
    metrics = f"http://127.0.0.1:{system.settings['PLANTROOM_METRICS_PORT']}/metrics"
    try:
        refused = "plantroom_ingest_refused_commits_total "
        wait_until(
            lambda: f"{refused}0.0" not in httpx.get(metrics, trust_env=False, verify=PLAIN).text,
            20,
            "a refused commit",
        )
        at = JournalReader(system.journal).last_seq()
        sent = len(tanks.sent)
        wait_until(lambda: len(tanks.sent) > sent + 50, 30, "devices to go on sending")
        assert JournalReader(system.journal).last_seq() == at
        assert children(system)["ingest"] == pid, "it lives"
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    wait_until(lambda: "journal can be written again" in system.log(), 30, "it to recover by itself")


def test_processes_die_while_a_rule_waits_and_the_disk_refuses(tank_plant: tuple[System, Tanks]) -> None:
    system, tanks = tank_plant
    dice = random.Random(7)
    episode(system, tanks, 0, [("ingest", signal.SIGKILL), ("engine", signal.SIGTERM)], dice)
    episode(system, tanks, 1, [("nats-server", signal.SIGKILL)], dice)
    refuse_writing(system, tanks)
    finish(system, tanks)


@pytest.mark.soak
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_each_process_dies_at_a_random_instant_of_the_persistence(
    tank_plant: tuple[System, Tanks], how: signal.Signals, soak_row: Begin
) -> None:
    counted = soak_row(f"{how.name} of each process under load while a rule waits, then files that may not grow")
    system, tanks = tank_plant
    dice = random.Random(int(how))
    victims = ["ingest", "engine", "nats-server", "broker", "supervisor"]
    for tank, victim in enumerate([*victims, "ingest", "engine"]):
        more = [(dice.choice(victims[:4]), how)] if tank >= len(victims) else []
        episode(system, tanks, tank, [(victim, how), *more], dice)
        counted["kills"] = counted.get("kills", 0) + 1 + len(more)
    refuse_writing(system, tanks)
    counted.update(finish(system, tanks))
