"""A building moves between two ingest processes while its messages flow, and any of them is killed at any step.

What the broker took is in the journal the building had before it left, or in the one it came to; twice is no harm.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from brokers import Broker, Mosquitto, Nats
from running import wait_until
from shards import SITE, Meters, ShardProcess

from facility.reading import BuildingsAssigned, DeadLetter, Heartbeat, SiteEdited
from ingest.control import submit
from ingest.hearing import SETTLE_S

EVENTS = ("expect", "leave", "come")
KILLS = ["", "away", *(f"{when}:{event}" for event in EVENTS for when in ("before", "after", "soon"))]
AT_ONCE = ("away", "before:expect", "soon:leave", "after:come")
"""The kills that are not left to the long runs."""


@contextmanager
def running(broker: Broker, *shards: ShardProcess) -> Iterator[None]:
    try:
        yield
    finally:
        for shard in shards:
            shard.stop()
        broker.kill()


def move(first: ShardProcess, second: ShardProcess, kill: str, port: int) -> None:
    """The tower goes from the first to the second, which has the mall; the school stays at the first."""
    event = kill.partition(":")[2]
    first.assign("first", "tower", "school")
    second.assign("second", "mall")
    first.start(kill if event == "leave" else "")
    second.start(kill if event in ("expect", "come") else "")
    first.wait(lambda: first.covers() == {"tower", "school"}, "the first to cover its own")
    second.wait(lambda: second.covers() == {"mall"}, "the second to cover its own")
    meters = Meters(port)
    for shard in (first, second):
        shard.wait_for_heartbeat()
    if kill == "away":  # while the first is away the broker keeps what comes before and after the second is there
        first.stop()
        wait_until(lambda: len(meters.sent) > 300, 30, "messages to wait for the first")
    second.assign("expect", "mall", expected=("tower",))
    second.wait(lambda: second.place("expect") >= 0 and second.covers() == {"mall", "tower"}, "the second to cover it")
    first.assign("leave", "school")
    if kill == "away":
        first.start()
    first.wait(lambda: first.place("leave") >= 0 and first.covers() == {"school"}, "the first to let go")
    second.assign("come", "mall", "tower")
    first.assign("first", "tower", "school")  # by somebody who was stopped and wakes
    second.wait(lambda: second.place("come") >= 0, "the second to have it")
    for shard in (first, second):
        shard.wait_for_heartbeat()
    meters.stop()
    for shard in (first, second):
        shard.wait_for_heartbeat()
    check(first, second, meters)


def check(first: ShardProcess, second: ShardProcess, meters: Meters) -> None:
    left, came = first.values(first.place("leave")), second.values()
    assert meters.taken["meter-tower"] - left["meter-tower"] - came["meter-tower"] == set()
    assert meters.taken["meter-school"] - first.values()["meter-school"] == set()
    assert meters.taken["meter-mall"] - came["meter-mall"] == set()
    assert set(first.values()) == {"meter-tower", "meter-school"}
    assert set(came) == {"meter-tower", "meter-mall"}
    assert left["meter-tower"] - came["meter-tower"], "it was at the first before"
    assert came["meter-tower"] - left["meter-tower"], "it is at the second now"
    assert "meter-tower" not in second.values(second.place("expect"))
    for shard in (first, second):
        entries = shard.entries()
        assert not any(isinstance(one, DeadLetter) for one in entries)
        ids = [one.event_id for one in entries if isinstance(one, BuildingsAssigned)]
        assert list(dict.fromkeys(ids)) == [one for one in ("first", "second", "expect", "leave", "come") if one in ids]
        beats = [one.at_us for one in entries if isinstance(one, Heartbeat)]
        assert beats == sorted(set(beats))
        assert not list((shard.folder / "spool").glob("*"))


@pytest.mark.parametrize("kill", [pytest.param("", marks=pytest.mark.soak), "away", "after:expect", "after:leave"])
def test_a_building_moves_on_the_embedded_broker(kill: str, tmp_path: Path) -> None:
    broker = Nats(tmp_path)
    broker.start()
    first = ShardProcess(tmp_path / "first", broker.port, "main", "raw", hears_all=True)
    second = ShardProcess(tmp_path / "second", broker.port, "south", "raw", hears_all=True)
    with running(broker, first, second):
        move(first, second, kill, broker.port)


@pytest.mark.service
@pytest.mark.parametrize("kill", [pytest.param(one, marks=[] if one in AT_ONCE else pytest.mark.soak) for one in KILLS])
def test_a_building_moves_on_mosquitto(kill: str, tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path, "allow_anonymous true\nmax_queued_messages 0\n")
    broker.start()
    names = ("main", "south") if len(kill) % 2 else ("north", "south")
    first = ShardProcess(tmp_path / "first", broker.port, names[0], "raw", hears_all=False)
    second = ShardProcess(tmp_path / "second", broker.port, names[1], "raw", hears_all=False)
    with running(broker, first, second):
        move(first, second, kill, broker.port)


@pytest.mark.service
@pytest.mark.parametrize("client", ["raw", "paho"])
def test_a_site_edit_changes_what_a_shard_hears(client: str, tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path, "allow_anonymous true\n")
    broker.start()
    shard = ShardProcess(tmp_path / "south", broker.port, "south", client, hears_all=False)
    with running(broker, shard):
        shard.assign("own", "tower", "annex")
        shard.start()
        shard.wait(lambda: shard.covers() == {"tower"}, "it to cover its own; no site file knows the annex yet")
        annex = SITE + "  - {id: annex, assets: [{id: meter-annex, class: water_meter, points: [water_volume]}]}\n"
        submit(shard.folder / "spool", SiteEdited("annex", 9, {"site.yaml": annex.replace("meter-tower", "meter-new")}))
        shard.wait(lambda: shard.place("annex") >= 0, "the edit")
        wanted = {f"plantroom/demo/{name}/readings" for name in ("meter-annex", "meter-new")}
        beat = "plantroom/$ingest/heartbeat/south"
        shard.wait(lambda: shard.holds() == wanted | {beat}, "the broker to grant the new topics and take back the old")
        shard.wait(lambda: shard.covers() == {"tower", "annex"}, "it to cover both")
        meters = Meters(broker.port, ("meter-tower", "meter-annex", "meter-new", "meter-mall"))
        wait_until(lambda: len(meters.sent) > 40, 30, "messages")
        meters.stop()
        shard.wait_for_heartbeat()
        values = shard.values()
        assert set(values) == {"meter-annex", "meter-new"}
        assert values["meter-new"] == meters.taken["meter-new"]


@pytest.mark.service
def test_a_building_moves_back_to_main_by_the_other_client(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path, "allow_anonymous true\nmax_queued_messages 0\n")
    broker.start()
    first = ShardProcess(tmp_path / "first", broker.port, "south", "paho", hears_all=False)
    second = ShardProcess(tmp_path / "second", broker.port, "main", "paho", hears_all=False)
    with running(broker, first, second):
        move(first, second, "", broker.port)


@pytest.mark.service
def test_what_the_broker_holds_for_a_shard_waits_until_a_new_journal_says_what_it_is_about(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path, "allow_anonymous true\nmax_queued_messages 0\n")
    broker.start()
    shard = ShardProcess(tmp_path / "north", broker.port, "north", "raw", hears_all=False)
    with running(broker, shard):
        shard.assign("own", "tower")
        shard.start()
        shard.wait(lambda: shard.covers() == {"tower"}, "it to cover its own")
        shard.stop()
        shutil.rmtree(shard.folder / "journal")
        meters = Meters(broker.port, ("meter-tower",))
        wait_until(lambda: len(meters.sent) > 40, 30, "messages to wait for it")
        shard.start()
        shard.wait(lambda: b"does not say yet which buildings" in shard.log(), "it to say what it waits for")
        wait_until(lambda: len(meters.sent) > 80, 30, "further messages")
        meters.stop()
        shard.assign("again", "tower")
        shard.wait_for_heartbeat()
        assert meters.taken["meter-tower"] - shard.values()["meter-tower"] == set()


def test_main_reads_a_new_building_before_its_journal_is_told_of_it(tmp_path: Path) -> None:
    """The assignment that names it may wait behind another one, for a heartbeat."""
    broker = Nats(tmp_path)
    broker.start()
    shard = ShardProcess(tmp_path / "main", broker.port, "main", "raw", hears_all=True)
    with running(broker, shard):
        shard.assign("own", "tower", "school", elsewhere=("mall",))
        shard.start()
        shard.wait(lambda: shard.covers() == {"tower", "school"}, "it to cover its own")
        annex = SITE + "  - {id: annex, assets: [{id: meter-annex, class: water_meter, points: [water_volume]}]}\n"
        submit(shard.folder / "spool", SiteEdited("annex", 9, {"site.yaml": annex}))
        shard.wait(lambda: shard.place("annex") >= 0, "the edit")
        meters = Meters(broker.port, ("meter-annex", "meter-mall"))
        wait_until(lambda: len(meters.sent) > 40, 30, "messages")
        meters.stop()
        shard.wait_for_heartbeat()
        assert set(shard.values()) == {"meter-annex"}
        assert meters.taken["meter-annex"] - shard.values()["meter-annex"] == set()


@pytest.mark.service
def test_a_building_that_is_covered_is_heard_although_the_broker_is_killed(tmp_path: Path) -> None:
    """The old shard lets go soon after; with `autosave_interval` as in deploy/."""
    broker = Mosquitto(tmp_path, "allow_anonymous true\nmax_queued_messages 0\nautosave_interval 2\n")
    broker.start()
    shard = ShardProcess(tmp_path / "south", broker.port, "south", "raw", hears_all=False, settle_s=SETTLE_S)
    with running(broker, shard):
        shard.assign("own", "tower")
        shard.start()
        shard.wait(lambda: shard.covers() == {"tower"}, "it to cover its own")
        shard.stop()
        broker.crash()
        broker.start()
        meters = Meters(broker.port, ("meter-tower",))
        wait_until(lambda: len(meters.sent) > 40, 30, "messages while nobody has subscribed anew")
        meters.stop()
        shard.start()
        shard.wait_for_heartbeat()
        assert meters.taken["meter-tower"] - shard.values()["meter-tower"] == set()
