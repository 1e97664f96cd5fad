"""What a shard's ingest hears, reads, leaves alone, and says it covers."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from facility.clock import RealClock
from facility.reading import BuildingsAssigned, DeadLetter, Heartbeat, Scan
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.assigned import absorb
from ingest.hearing import Hearing
from ingest.heartbeat import Pulse, steady_us
from ingest.intake import Batch, Intake
from ingest.link import ALL_TOPICS, DROPPED_TOPIC, Delivery
from ingest.quality import QualityJudge
from ingest.routing import HEARTBEAT_TOPIC
from ingest.shard import ShardFeed, read_covered, write_covered

SITE = """
site: {id: demo, zone: UTC}
buildings:
  - id: tower
    assets:
      - {id: lift, class: elevator, points: [car_position]}
      - id: meter-1
        class: water_meter
        points: [water_volume]
        source: {dialect: json, topic: gateway/7, points: {a: {point: water_volume}}}
  - id: mall
    assets:
      - id: meter-2
        class: water_meter
        points: [water_volume]
        source: {dialect: json, topic: gateway/7, points: {b: {point: water_volume}}}
      - {id: fan, class: elevator, points: [car_position], source: {dialect: plantroom, topic: fans/1}}
"""


@pytest.fixture
def registry() -> Registry:
    return parse_site(SITE, "site.yaml")


def intake(registry: Registry, *own: str, is_main: bool = False, pulse: Pulse | None = None) -> Intake:
    clock = RealClock()
    judge = QualityJudge(registry, clock, allowance_us=2_000_000)
    topic = HEARTBEAT_TOPIC if is_main else f"{HEARTBEAT_TOPIC}/south"
    return Intake(
        registry,
        judge,
        clock,
        pulse or Pulse(),
        own=frozenset(own),
        heartbeat_topic=topic,
        keeps_strangers=is_main,
    )


SAID = b'{"at": "2026-03-01T08:00:00Z", "values": {"car_position": 3}}'


def taken(reader: Intake, topic: str, payload: bytes = SAID) -> Batch:
    batch = Batch()
    reader.take(Delivery(topic, payload, 1, 1, retained=False, redelivered=False, generation=1), batch)
    return batch


OWN, OTHER = "plantroom/demo/lift/readings", "fans/1"


@pytest.mark.parametrize("is_main", [True, False])
def test_what_is_of_another_shard_is_left_alone(registry: Registry, *, is_main: bool) -> None:
    reader = intake(registry, "tower", is_main=is_main)
    assert [type(one) for one in taken(reader, OWN).entries] == [Scan]
    for topic, times in ((OTHER, 200_000), ("plantroom/demo/meter-2/readings", 1), (f"{HEARTBEAT_TOPIC}/north", 1)):
        batch = taken(reader, topic, b"not even JSON" * times)
        assert (batch.entries, batch.received, batch.ignored) == ([], 1, 1), topic
    reader.use(registry, frozenset({"mall"}))
    assert taken(reader, OWN).ignored == 1
    assert [type(one) for one in taken(reader, OTHER).entries] == [Scan]


def test_what_belongs_to_nobody_is_a_dead_letter_of_main_alone(registry: Registry) -> None:
    assert [type(one) for one in taken(intake(registry, "tower", is_main=True), "who/knows").entries] == [DeadLetter]
    assert taken(intake(registry, "tower"), "who/knows").ignored == 1
    assert taken(intake(registry, "tower"), HEARTBEAT_TOPIC).ignored == 1


def test_of_a_channel_of_several_buildings_each_shard_reads_its_own(registry: Registry) -> None:
    body = b'{"a": 1, "b": 2}'
    for own, asset in (("tower", "meter-1"), ("mall", "meter-2")):
        entries = taken(intake(registry, own), "gateway/7", body).entries
        assert [one.asset_id for one in entries if isinstance(one, Scan)] == [asset]
    assert len(taken(intake(registry, "tower", "mall"), "gateway/7", body).entries) == 2
    assert taken(intake(registry), "gateway/7", body).ignored == 1


def test_a_heartbeat_without_an_instant_only_tells_what_came_before_it(registry: Registry) -> None:
    pulse = Pulse()
    reader = intake(registry, "tower", pulse=pulse)
    before_us = steady_us()
    batch = taken(reader, f"{HEARTBEAT_TOPIC}/south", pulse.make(0))
    assert batch.entries == []
    assert batch.returned_us >= before_us
    batch = taken(reader, f"{HEARTBEAT_TOPIC}/south", pulse.make(7))
    assert [type(one) for one in batch.entries] == [Heartbeat]
    assert taken(reader, f"{HEARTBEAT_TOPIC}/south", Pulse().make(8)).returned_us == 0, "another run sent it"


@dataclass
class Broker:
    """What a link says the broker said."""

    granted: frozenset[str] = frozenset()
    refused: tuple[str, ...] = ()
    held: frozenset[str] = frozenset()

    def grants(self, *filters: str) -> None:
        self.granted = self.held = frozenset(filters)


def assigned(event_id: str, *buildings: str, expected: tuple[str, ...] = ()) -> BuildingsAssigned:
    return BuildingsAssigned(event_id, 1, buildings, expected)


def south(folder: Path, event: BuildingsAssigned | None = None, *, hears_all: bool = False) -> Hearing:
    return Hearing(ShardFeed("south", folder), absorb(None, [event] if event is not None else []), hears_all=hears_all)


def test_without_shards_everything_is_heard_and_nothing_said(registry: Registry, tmp_path: Path) -> None:
    for feed in (None, ShardFeed("main", tmp_path)):
        hearing, broker = Hearing(feed, None, hears_all=False), Broker()
        assert hearing.own is None
        assert hearing.filters({}) == (ALL_TOPICS, DROPPED_TOPIC)
        broker.grants(ALL_TOPICS, DROPPED_TOPIC)
        hearing.look(broker, steady_us())
        assert not hearing.waits
        assert hearing.may_assign(assigned("all", *registry.buildings), registry)
    assert list(tmp_path.iterdir()) == []


def test_a_shard_that_was_told_nothing_hears_nothing(tmp_path: Path) -> None:
    assert south(tmp_path).own == frozenset()
    assert south(tmp_path).is_untold
    assert not south(tmp_path, assigned("nothing")).is_untold
    assert not Hearing(ShardFeed("main", tmp_path), None, hears_all=False).is_untold
    assert south(tmp_path).filters({}) == (f"{HEARTBEAT_TOPIC}/south",)
    assert south(tmp_path, hears_all=True).filters({}) == (ALL_TOPICS,)


def test_a_building_is_covered_when_all_its_topics_are_granted(tmp_path: Path) -> None:
    hearing, broker = south(tmp_path, assigned("own", "tower", expected=("mall",))), Broker()
    topics = {"tower": frozenset({"a/1", "a/2"}), "mall": frozenset({"a/2", "b/#", "b/1"})}
    beat = f"{HEARTBEAT_TOPIC}/south"
    assert hearing.filters(topics) == (beat, "a/1", "a/2", "b/#")
    broker.grants(beat, "a/2", "b/#")
    hearing.look(broker, steady_us())
    assert read_covered(tmp_path) == {"mall"}
    broker.grants(beat, "a/1", "a/2", "b/#")
    hearing.look(broker, steady_us())
    assert read_covered(tmp_path) == {"mall", "tower"}
    broker.grants()
    hearing.look(broker, steady_us())
    assert read_covered(tmp_path) == frozenset()
    assert south(tmp_path).held_before() == frozenset()
    broker.grants("a/1")
    hearing.look(broker, steady_us())
    assert south(tmp_path).held_before() == {"a/1"}


def test_what_leaves_waits_for_a_heartbeat_sent_after_it_was_seen(registry: Registry, tmp_path: Path) -> None:
    hearing, broker = south(tmp_path, assigned("own", "tower", "mall"), hears_all=True), Broker()
    hearing.filters(intake(registry, "tower", "mall").topics())
    broker.grants(ALL_TOPICS)
    hearing.look(broker, steady_us())
    leave = assigned("leave", "mall")
    hearing.came_back(steady_us())
    assert not hearing.may_assign(leave, registry)
    assert hearing.waits
    hearing.came_back(1)
    assert not hearing.may_assign(leave, registry)
    sent_us = steady_us()
    hearing.reconnected()
    hearing.came_back(sent_us - 1)
    assert not hearing.may_assign(leave, registry), "sent on another connection"
    hearing.came_back(steady_us())
    assert hearing.may_assign(leave, registry)
    hearing.assign(leave)
    assert read_covered(tmp_path) == {"mall"}, "before it is journalled"
    assert hearing.own == frozenset({"mall"})
    assert [hearing.waits] == [False]
    assert hearing.is_known(leave)
    assert not hearing.is_known(assigned("come", "mall", "tower"))


def test_a_building_is_covered_once_its_newest_grant_has_settled(tmp_path: Path) -> None:
    """A broker that is killed forgets what its last snapshot on the disk does not hold."""
    event = assigned("own", "tower", expected=("mall",))
    hearing = Hearing(ShardFeed("south", tmp_path), absorb(None, [event]), hears_all=False, settle_s=5.0)
    broker, second_us = Broker(), 1_000_000
    hearing.filters({"tower": frozenset({"a"}), "mall": frozenset({"a", "b"})})
    broker.grants("a")
    hearing.look(broker, 100 * second_us)
    broker.grants("a", "b")
    hearing.look(broker, 103 * second_us)
    covered = []
    for at_s in range(104, 110):
        hearing.look(broker, at_s * second_us)
        covered.append(len(read_covered(tmp_path)))
    assert covered == [0, 1, 1, 1, 2, 2]
    broker.grants("a", "b")
    hearing.reconnected()
    hearing.look(broker, 200 * second_us)
    assert read_covered(tmp_path) == {"mall", "tower"}, "they were before"
    hearing.filters({"tower": frozenset({"a", "c"}), "mall": frozenset({"a", "b"})})
    hearing.look(broker, 201 * second_us)
    broker.grants("a", "b", "c")
    for at_s, buildings in ((202, {"mall"}), (206, {"mall"}), (207, {"mall", "tower"})):
        hearing.look(broker, at_s * second_us)
        assert read_covered(tmp_path) == buildings


@pytest.mark.parametrize("hears_all", [True, False])
def test_a_building_that_no_site_file_knows_yet_is_not_covered(
    registry: Registry, tmp_path: Path, *, hears_all: bool
) -> None:
    hearing, broker = south(tmp_path, assigned("own", "mall", expected=("new",)), hears_all=hears_all), Broker()
    broker.grants(*hearing.filters(intake(registry, "mall", "new").topics()))
    hearing.look(broker, steady_us())
    assert read_covered(tmp_path) == {"mall"}


def test_main_reads_what_no_other_shard_is_known_to_have(registry: Registry, tmp_path: Path) -> None:
    event = assigned("own", "tower")
    for name, elsewhere, reads in (
        ("main", None, ["tower"]),
        ("main", ("mall",), ["tower"]),
        ("main", (), ["mall", "tower"]),
        ("south", (), ["tower"]),
    ):
        told = msgspec.structs.replace(event, elsewhere=elsewhere)
        hearing = Hearing(ShardFeed(name, tmp_path), absorb(None, [told]), hears_all=False)
        assert sorted(hearing.reads(registry) or ()) == reads, (name, elsewhere)
        assert sorted(hearing.own or ()) == ["tower"]
    assert Hearing(ShardFeed("main", tmp_path), None, hears_all=False).reads(registry) is None


def test_a_run_that_begins_covers_no_more_than_what_is_its_own(tmp_path: Path) -> None:
    write_covered(tmp_path, frozenset({"mall", "tower"}))
    south(tmp_path, assigned("own", "mall"))
    assert read_covered(tmp_path) == {"mall"}
    south(tmp_path)
    assert read_covered(tmp_path) == frozenset()
