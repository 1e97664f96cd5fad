"""From messages to journal entries: route, decode, judge quality; what cannot be read becomes a dead letter."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from facility.clock import Clock
from facility.reading import DeadLetter, Entry, Heartbeat, Scan
from facility.registry import Registry
from ingest.heartbeat import Beat, Pulse
from ingest.limits import Limits
from ingest.link import DROPPED_TOPIC, Delivery
from ingest.payload import MAX_PAYLOAD_BYTES, Arrival, PayloadError
from ingest.quality import QualityJudge, RecentHashes
from ingest.routing import HEARTBEAT_TOPIC, Route, Router

log = structlog.get_logger(__name__)
_DEAD_MEMORY = 1 << 12
_TIMELESS_MEMORY = 1 << 13
"""More than a broker delivers without an acknowledgement."""
_MAX_ASKED = 100
"""Messages to devices that wait for the next commit; of more, the oldest are dropped."""


@dataclass(slots=True)
class Batch:
    """The entries of one group commit in the making, and what happened on the way."""

    entries: list[Entry] = field(default_factory=list)
    received: int = 0
    readings: int = 0
    duplicates: int = 0
    ignored: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    letters_dropped: int = 0
    own_beats: list[Beat] = field(default_factory=list)
    newest_us: int = 0
    broker_dropped: bytes = b""
    returned_us: int = 0
    """When the newest of our own heartbeats that came back was sent (monotonic)."""


class Intake:
    """Turns messages into entries in the order they arrive. Totals count since it was made.

    With `own` it reads what is of these buildings and leaves alone what is of others. A topic that is of none becomes a
    dead letter where it `keeps_strangers`.
    """

    def __init__(
        self,
        registry: Registry,
        judge: QualityJudge,
        clock: Clock,
        pulse: Pulse,
        limits: Limits | None = None,
        *,
        own: frozenset[str] | None = None,
        heartbeat_topic: str = HEARTBEAT_TOPIC,
        keeps_strangers: bool = True,
    ) -> None:
        self._judge, self._clock, self._pulse = judge, clock, pulse
        self._limits = limits or Limits(message_bytes=MAX_PAYLOAD_BYTES)
        self._asked: deque[tuple[str, bytes]] = deque(maxlen=_MAX_ASKED)
        self._heartbeat_topic, self._keeps_strangers = heartbeat_topic, keeps_strangers
        self._router = Router(registry, self._ask, own=own)
        self._timeless = RecentHashes(_TIMELESS_MEMORY)
        self._dead = RecentHashes(_DEAD_MEMORY)
        self._received = self._rejected = 0

    def use(self, registry: Registry, own: frozenset[str] | None = None) -> None:
        """From here on route and judge by this registry. Raises InputError, and changes nothing, when it cannot."""
        self._router = Router(registry, self._ask, self._router, own)
        self._judge.use(registry)

    def topics(self) -> dict[str, frozenset[str]]:
        """By building, ours alone: the topics and filters on which something of it may come."""
        return self._router.topics()

    def _ask(self, topic: str, payload: bytes) -> None:
        self._asked.append((topic, payload))

    def asked(self) -> list[tuple[str, bytes]]:
        """What dialects want to ask of devices, once: messages to publish (topic, payload)."""
        found = list(self._asked)
        self._asked.clear()
        return found

    def take(self, delivery: Delivery, batch: Batch, now_us: int | None = None) -> None:
        """Add what a message says to the batch. Never raises: a message we trip over is a dead letter too.

        `now_us` is the clock's now when it was read, for who reads many at once.
        """
        if delivery.topic == DROPPED_TOPIC:
            batch.broker_dropped = delivery.payload
            return
        now_us = self._clock.now_us() if now_us is None else now_us
        batch.received += 1
        self._received += 1
        if delivery.topic == self._heartbeat_topic:
            self._beat(delivery, batch)
            return
        route = None
        try:
            route = self._router.find(delivery.topic)
            if not (self._keeps_strangers if route is None else route.is_ours):
                batch.ignored += 1
            elif len(delivery.payload) > self._limits.message_bytes:
                self._reject("size", self._limits.explain_size(len(delivery.payload)), delivery, batch)
            elif route is not None and self._limits.is_flood(delivery.topic):
                self._reject("rate", self._limits.explain_flood(delivery.topic), delivery, batch)
            elif route is not None:
                self._read(route, delivery, batch, now_us)
            elif self._router.is_ignored(delivery.topic):
                batch.ignored += 1
            else:
                self._reject("unknown_topic", self._router.explain_unknown, delivery, batch)
        except PayloadError as error:
            scans = error.scans if route is None else _ours(error.scans, route)
            self._scans(scans, delivery, batch, now_us)
            self._reject("payload", str(error), delivery, batch)
        except Exception as error:  # one message must never stop the stream: the next ones are read all the same
            log.exception("message tripped the decoder", topic=delivery.topic)
            reason = f"reading it failed with {error!r}: a defect of this program. Report it with this message"
            self._reject("defect", reason, delivery, batch)

    def _read(self, route: Route, delivery: Delivery, batch: Batch, now_us: int) -> None:
        if not route.is_timed:
            # Its readings may get the instant of arrival: a second copy would look new, so the message itself is known.
            is_known = self._timeless.is_known(hash((delivery.topic, delivery.payload, delivery.mid)))
            if is_known and delivery.redelivered:
                batch.duplicates += 1
                return
        arrival = Arrival(now_us, delivery.retained, delivery.redelivered)
        scans = route.decoder.decode(delivery.topic, delivery.payload, arrival)
        self._scans(_ours(scans, route) if route.strangers else scans, delivery, batch, now_us)

    def _scans(self, scans: tuple[Scan, ...], delivery: Delivery, batch: Batch, now_us: int) -> None:
        for scan in scans:
            judged = self._judge.judge(scan, retained=delivery.retained, now_us=now_us)
            if judged is None:
                batch.duplicates += 1
            else:
                batch.entries += self._judge.take_settled()
                batch.entries.append(judged)
                batch.readings += len(judged.values)
                batch.newest_us = max(batch.newest_us, judged.at_us)

    def _beat(self, delivery: Delivery, batch: Batch) -> None:
        beat = self._pulse.read(delivery.payload)
        if beat is None:
            batch.rejected["heartbeat"] += 1
            self._rejected += 1
            return
        batch.returned_us = max(batch.returned_us, self._pulse.sent_us(beat) or 0)
        if beat.at_us > 0 and self._judge.advance(beat.at_us):
            batch.entries.append(Heartbeat(beat.at_us, self._received, self._rejected))
            batch.own_beats.append(beat)

    def _reject(self, kind: str, reason: str | Callable[[str], str], delivery: Delivery, batch: Batch) -> None:
        """A dead letter, or only a count when there are too many. `reason` may be what explains the topic."""
        known = self._dead.is_known(hash((delivery.topic, delivery.payload)))
        if known and delivery.redelivered:
            batch.duplicates += 1
            return
        self._rejected += 1
        batch.rejected[kind] += 1
        if not self._limits.keeps_letter(delivery.topic):
            batch.letters_dropped += 1
            return
        text = reason if isinstance(reason, str) else reason(delivery.topic)
        payload = delivery.payload[:MAX_PAYLOAD_BYTES]
        batch.entries.append(DeadLetter(self._clock.now_us(), delivery.topic, payload, text))

    def remember(self, entry: Entry) -> None:
        """This entry is in the journal already: should the broker send it again, it is not new."""
        if isinstance(entry, Scan):
            self._judge.remember(entry)
            self._router.remember(entry)
        elif isinstance(entry, Heartbeat):
            self._judge.advance(entry.at_us)
        elif isinstance(entry, DeadLetter):
            self._dead.is_known(hash((entry.topic, entry.payload)))


def _ours(scans: tuple[Scan, ...], route: Route) -> tuple[Scan, ...]:
    return tuple(scan for scan in scans if scan.asset_id not in route.strangers)
