"""Whatever arrives, memory is bounded: size, rate, unknown topics; and a clock that is set is said."""

import tracemalloc
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from sqlmodel import Session, SQLModel, create_engine

from facility.clock import RealClock
from facility.instant import format_instant, from_us
from facility.reading import Commit, DeadLetter, Scan
from facility.site_file import parse_site
from ingest.clock_watch import ClockWatch
from ingest.dead_letters import DeadLetterBox
from ingest.heartbeat import Pulse
from ingest.intake import Batch, Intake
from ingest.limits import Limits
from ingest.link import Delivery
from ingest.metrics import IngestMetrics
from ingest.quality import QualityJudge
from ingest.tables import DeadLetterRow

T0 = 1_790_000_000_000_000
SITE = (
    "site: {id: s, zone: UTC}\nbuildings: [{id: b, assets: [{id: meter, class: water_meter, points: [water_volume]}]}]"
)


class SetClock:
    """A clock that goes where it is put."""

    factor = 1.0

    def __init__(self, at_us: int) -> None:
        self.at_us = at_us

    def now(self) -> datetime:
        return from_us(self.at_us)

    def now_us(self) -> int:
        return self.at_us


def intake(limits: Limits) -> Intake:
    registry = parse_site(SITE, "site.yaml")
    clock = RealClock()
    return Intake(registry, QualityJudge(registry, clock, allowance_us=2_000_000), clock, Pulse(), limits)


def delivery(topic: str, payload: bytes) -> Delivery:
    return Delivery(topic, payload, 1, 1, False, False, 1)


def reading(number: int) -> bytes:
    return msgspec.json.encode({"at": format_instant(from_us(T0 + number)), "values": {"water_volume": number}})


def test_a_device_that_floods_loses_what_is_beyond_and_no_other_does() -> None:
    now = [0.0]
    limited = intake(Limits(message_bytes=1000, device_per_s=1.0, steady=lambda: now[0]))
    batch = Batch()
    for number in range(1000):
        limited.take(delivery("plantroom/s/meter/readings", reading(number)), batch)
    assert sum(isinstance(entry, Scan) for entry in batch.entries) == 600, "ten minutes' worth at once"
    assert batch.rejected == {"rate": 400}
    letters = [entry for entry in batch.entries if isinstance(entry, DeadLetter)]
    assert len(letters) == 20
    assert batch.letters_dropped == 380
    assert "more than 1 messages a second for long" in letters[0].reason
    now[0] += 30.0
    again = Batch()
    for number in range(1000, 1100):
        limited.take(delivery("plantroom/s/meter/readings", reading(number)), again)
    assert sum(isinstance(entry, Scan) for entry in again.entries) == 30


def test_a_message_above_the_limit_is_a_dead_letter_with_the_reason() -> None:
    batch = Batch()
    intake(Limits(message_bytes=1000)).take(delivery("plantroom/s/meter/readings", b"x" * 1001), batch)
    (letter,) = batch.entries
    assert isinstance(letter, DeadLetter)
    assert "the message has 1,001 bytes; at most 1,000 are read" in letter.reason
    assert batch.rejected == {"size": 1}


def test_ten_thousand_unknown_topics_keep_memory_letters_and_labels_bounded(tmp_path: Path) -> None:
    now = [0.0]
    unknown = intake(Limits(message_bytes=1000, steady=lambda: now[0]))
    engine = create_engine(f"sqlite:///{tmp_path / 'letters.db'}")
    SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables[str(DeadLetterRow.__tablename__)]])
    box = DeadLetterBox(lambda: Session(engine), tmp_path / "cursor", kept=1_000)
    registry = CollectorRegistry()
    metrics = IngestMetrics(registry)
    sizes: list[int] = []
    letters = 0
    tracemalloc.start()
    try:
        for seq in range(1, 5):
            batch = Batch()
            for number in range(10_000):
                unknown.take(delivery(f"unknown/device-{number}", b'{"n": %d}' % (seq * 10_000 + number)), batch)
            letters += len(batch.entries)
            for reason, count in batch.rejected.items():
                metrics.rejected.labels(reason).inc(count)
            if seq <= 2:
                box.take([Commit(seq, seq, tuple(batch.entries[:3_000]))])
            del batch
            sizes.append(tracemalloc.get_traced_memory()[0])
            now[0] += 1.0
    finally:
        tracemalloc.stop()
    assert letters <= 20_000 + 3 * 50 + 1
    assert box.count() == 1_000
    assert sizes[-1] - sizes[1] < 2 * 2**20, f"memory grows: {sizes}"
    assert len([sample for metric in registry.collect() for sample in metric.samples if "reason" in sample.labels]) <= 2
    engine.dispose()


@pytest.mark.parametrize(("by_s", "said"), [(3600, "nobody listened"), (-3600, "event time stands still until")])
def test_a_clock_that_is_set_is_said(capsys: pytest.CaptureFixture[str], by_s: int, said: str) -> None:
    clock, steady = SetClock(T0), [0.0]
    watch = ClockWatch(clock, lambda: steady[0])
    for _ in range(5):
        clock.at_us, steady[0] = clock.at_us + 1_000_000, steady[0] + 1.0
        assert watch.look() == 0.0
    clock.at_us, steady[0] = clock.at_us + 1_000_000 + by_s * 10**6, steady[0] + 1.0
    assert watch.look() == by_s
    assert said in capsys.readouterr().out
    clock.at_us, steady[0] = clock.at_us + 1_000_000, steady[0] + 1.0
    assert watch.look() == 0.0
