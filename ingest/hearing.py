"""What a shard's ingest is to hear: which buildings are its own, which topics that takes, and when it may let go.

A building that leaves is not let go at once: what was published before its new shard was subscribed may still wait for
us at the broker. A heartbeat that was sent after its leaving was seen has to come back first: it stands behind all of
that in our session (the fence).
"""

import operator
from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

import msgspec
import structlog

from facility.instant import SECOND_US
from facility.reading import BuildingsAssigned
from facility.registry import Registry
from ingest.assigned import Standing, absorb, is_known
from ingest.heartbeat import steady_us
from ingest.link import ALL_TOPICS, DROPPED_TOPIC
from ingest.shard import ShardFeed, read_covered, write_covered
from ingest.stores.cursor import write_whole
from ingest.topic_tree import TopicTree

log = structlog.get_logger(__name__)
SETTLE_S = 5.0
"""Twice what Mosquitto of deploy/ lets pass between two snapshots (`autosave_interval`), and time to write one."""


class Subscribed(Protocol):
    """A link, as far as its filters go."""

    @property
    def granted(self) -> frozenset[str]:
        """What the broker has granted."""

    @property
    def refused(self) -> tuple[str, ...]:
        """What it has refused."""

    @property
    def held(self) -> frozenset[str]:
        """What the session may hold."""


class Hearing:
    """Of one shard; without a feed, of a plant that has no shards. `hears_all`: by one filter for everything, because
    the broker keeps the order of messages within a subscription only. `settle_s`: how old a grant is before the broker
    has it on its disk and it is counted on. Raises OSError."""

    def __init__(
        self, feed: ShardFeed | None, standing: Standing | None, *, hears_all: bool, settle_s: float = 0.0
    ) -> None:
        self._feed = feed
        self.is_main = feed is None or feed.is_main
        self._by_all = self.is_main or hears_all
        self._standing = standing
        self._needed: Mapping[str, frozenset[str]] = {}
        self._fences: dict[str, int] = {}
        self._returned_us = 0
        self._seen: tuple[object, ...] = ()
        self._settle_us = round(settle_s * SECOND_US)
        self._granted_us: dict[str, int] = {}
        self._settles_us: dict[str, int] = {}
        self._covered = read_covered(feed.run_folder) if feed is not None else frozenset()
        self._held_file = feed.run_folder / "filters.json" if feed is not None and not self._by_all else None
        self._say(self._covered & (self.own or frozenset()))

    @property
    def own(self) -> frozenset[str] | None:
        """The buildings that the journal is about; None: all of them."""
        if self._standing is None:
            return None if self.is_main else frozenset()
        event = self._standing.event
        return frozenset((*event.buildings, *event.expected))

    def reads(self, registry: Registry) -> frozenset[str] | None:
        """Of the buildings of these site files those whose messages are read; None: all of them. `main` reads what no
        other shard has, too: of a building that is new its journal will be told."""
        own = self.own
        if own is None or not self.is_main or self._standing is None or self._standing.event.elsewhere is None:
            return own
        return own | (registry.buildings.keys() - {*self._standing.event.elsewhere})

    @property
    def is_untold(self) -> bool:
        """Whether its journal does not say yet what it is about: then whatever comes may be its own, and to read it as
        another's would lose it."""
        return self._standing is None and not self.is_main

    def is_known(self, event: BuildingsAssigned) -> bool:
        """Whether it was journalled before: said again, late, it changes nothing."""
        return is_known(self._standing, event)

    def filters(self, topics: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
        """What to be subscribed to, for these topics by building; the first is the one nothing goes without."""
        if self._feed is None or self._by_all:
            self._needed = dict.fromkeys(topics, frozenset({ALL_TOPICS}))
            return (ALL_TOPICS, DROPPED_TOPIC) if self.is_main else (ALL_TOPICS,)
        wide = _widest(topics.values())
        self._needed = {name: frozenset(wide[one] for one in of) for name, of in topics.items()}
        return (self._feed.heartbeat_topic, *sorted({one for of in self._needed.values() for one in of}))

    def held_before(self) -> frozenset[str]:
        """The filters that the session at the broker may hold from an earlier run."""
        try:
            return frozenset(_FILTERS.decode(self._held_file.read_bytes()) if self._held_file is not None else ())
        except (OSError, msgspec.DecodeError):
            return frozenset()

    def may_assign(self, event: BuildingsAssigned, registry: Registry) -> bool:
        """Whether nothing stands against journalling it: at once for what comes, behind the fence for what goes."""
        before = frozenset(registry.buildings) if self.own is None else self.own
        if before <= {*event.buildings, *event.expected}:
            return True
        if event.event_id not in self._fences:
            leave = sorted(before - {*event.buildings, *event.expected})[:10]
            log.info("buildings leave once everything sent before is in the journal", buildings=leave)
        return self._returned_us >= self._fences.setdefault(event.event_id, steady_us())

    @property
    def waits(self) -> bool:
        """Whether a heartbeat is to come back before something can go on."""
        return any(self._returned_us < since_us for since_us in self._fences.values())

    def assign(self, event: BuildingsAssigned) -> None:
        """From here on, what it says. What goes is durably not covered any more when this returns. Raises OSError."""
        self._say(self._covered & {*event.buildings, *event.expected})
        self._standing = absorb(self._standing, [event])
        self._fences.pop(event.event_id, None)
        self._seen = ()

    def reconnected(self) -> None:
        """On another connection what waits at the broker comes again: fences begin anew. What it grants may be new."""
        self._fences = dict.fromkeys(self._fences, steady_us())
        self._granted_us = {}

    def came_back(self, sent_us: int) -> None:
        """Our own heartbeat that was sent at `sent_us` (monotonic) is among what is committed now."""
        self._returned_us = max(self._returned_us, sent_us)

    def look(self, link: Subscribed, now_us: int) -> None:
        """Note what the broker has granted at `now_us` (monotonic), and say durably what is covered by it. Raises
        OSError."""
        seen = (link.granted, link.held, self._needed)
        if not self._seen or not all(map(operator.is_, seen, self._seen)):
            self._note(link, now_us)
            self._seen = seen
        if settled := {name for name, due_us in self._settles_us.items() if due_us <= now_us}:
            self._say(self._covered | settled)
            self._settles_us = {name: due for name, due in self._settles_us.items() if name not in settled}

    def _note(self, link: Subscribed, now_us: int) -> None:
        """What is granted now. Of that what was covered before stays so; the rest settles first."""
        if self._held_file is not None and (not self._seen or self._seen[1] != link.held):
            self._held_file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._held_file, msgspec.json.encode(sorted(link.held)))
        if link.refused:
            log.error("the broker refuses topics: what is published there is not heard", topics=link.refused[:10])
        self._granted_us = {one: self._granted_us.get(one, now_us) for one in link.granted}
        granted = {name: needed for name, needed in self._needed.items() if needed <= link.granted}
        self._say(self._covered & granted.keys())
        self._settles_us = {
            name: max((self._granted_us[one] for one in needed), default=now_us) + self._settle_us
            for name, needed in granted.items()
            if name not in self._covered
        }

    def _say(self, covered: frozenset[str]) -> None:
        if self._feed is not None and covered != self._covered:
            write_covered(self._feed.run_folder, covered)
            self._covered = covered


_FILTERS = msgspec.json.Decoder(list[str])


def _widest(topics: Iterable[Collection[str]]) -> dict[str, str]:
    """Each topic or filter with the filter that takes it in, itself as a rule: brokers may send a message twice to who
    has two filters for it."""
    every = {one for of in topics for one in of}
    wild: TopicTree[str] = TopicTree()
    for one in every:
        if "+" in one or "#" in one:
            wild.add(one, one)
    return {one: one if "+" in one or "#" in one else wild.find(one) or one for one in every}
