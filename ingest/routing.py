"""Which assets and which dialect a topic belongs to. An unknown topic gets a reason that names the closest one."""

import difflib
from bisect import bisect_left
from dataclasses import dataclass

from facility.errors import InputError, Problem
from facility.reading import Scan
from facility.registry import Registry
from ingest.dialects import DIALECTS, Decoder
from ingest.dialects.harvest import Tenant
from ingest.dialects.plantroom_json import PlantroomJson, own_topic
from ingest.dialects.sparkplug import Ask
from ingest.dialects.udmi import Udmi
from ingest.payload import Arrival
from ingest.topic_tree import TopicTree

HEARTBEAT_TOPIC = "plantroom/$ingest/heartbeat"
SIMULATION_FILTER = "simulation/#"
_NEIGHBOURS = 50
"""Comparing texts costs: a topic is compared only with its neighbours in the alphabet."""


@dataclass(frozen=True, slots=True)
class Route:
    """What reads a topic's payload. `asset_id` is the first of the assets that may be in it.

    `is_timed`: its messages carry their own instant, so a message that comes twice is known by its readings. With
    `is_ours` False all of it belongs to other shards, otherwise the assets among `strangers` do.
    """

    asset_id: str
    decoder: Decoder
    is_timed: bool = True
    is_ours: bool = True
    strangers: frozenset[str] = frozenset()


class _Unread:
    """Stands for the decoder of what other shards read."""

    def decode(self, _topic: str, _payload: bytes, _arrival: Arrival, /) -> tuple[Scan, ...]:
        return ()


_UNREAD = _Unread()


def _ask_nobody(_topic: str, _payload: bytes) -> None:
    """For readers that have no connection to the devices."""


class Router:
    """Every topic of a registry. Each asset is reachable by its source and, in the own dialect, by its own topic.

    `ask` publishes what a dialect has to ask of a device. What decoders have learned of devices (`before`) stays where
    the site file says the same of them. With `own` only what is of these buildings is read; the topics of the others
    are known and left alone. Raises InputError when two assets claim one topic and cannot share it.
    """

    def __init__(
        self,
        registry: Registry,
        ask: Ask = _ask_nobody,
        before: "Router | None" = None,
        own: frozenset[str] | None = None,
    ) -> None:
        self.registry, self._own = registry, own
        self._routes: dict[str, Route] = {}
        self._tree: TopicTree[Route] = TopicTree()
        self._quiet: TopicTree[bool] = TopicTree()
        for topic in (SIMULATION_FILTER, f"{HEARTBEAT_TOPIC}/+"):
            self._quiet.add(topic, True)  # noqa: FBT003 - the item of the tree
        self._problems: list[Problem] = []
        self._udmi: dict[str, Udmi] = {}
        self._decoders: dict[tuple[str, str], tuple[tuple[Tenant, ...], Decoder]] = {}
        channels = self._channels()
        for key, tenants in channels.items():
            if not any(map(self._is_ours, tenants)):
                self._open(key[0], tenants, _UNREAD, is_ours=False)
                continue
            kept = before._decoders.get(key) if before is not None else None  # noqa: SLF001 - its own kind
            decoder = kept[1] if kept is not None and kept[0] == tenants else DIALECTS[key[0]].build(tenants, ask)
            self._decoders[key] = (tenants, decoder)
            if isinstance(decoder, Udmi):
                self._udmi[tenants[0].asset.id] = decoder
            self._open(key[0], tenants, decoder)
        for asset in registry.assets.values():
            topic = own_topic(registry.site_of(asset.id).id, asset.id)
            route = self._routes.get(topic)
            if route is None or route.asset_id != asset.id:
                is_ours = own is None or asset.building_id in own
                self._claim(topic, Route(asset.id, PlantroomJson(asset, None) if is_ours else _UNREAD, is_ours=is_ours))
        if self._problems:
            raise InputError(self._problems)
        self._sorted = sorted(self._routes)

    def _channels(self) -> dict[tuple[str, str], tuple[Tenant, ...]]:
        """The assets that share a decoder, by dialect and channel."""
        channels: dict[tuple[str, str], list[Tenant]] = {}
        for asset in self.registry.assets.values():
            source = asset.source
            if source is None:
                continue
            zone = source.zone or self.registry.buildings[asset.building_id].zone
            channels.setdefault((source.dialect, DIALECTS[source.dialect].channel(source.topic)), []).append(
                Tenant(asset, source, zone)
            )
        for (name, topic), tenants in channels.items():
            if len(tenants) > 1 and not DIALECTS[name].is_shared:
                self._refuse(tenants[0].asset.id, tenants[1].asset.id, topic)
        return {key: tuple(tenants) for key, tenants in channels.items()}

    def _is_ours(self, tenant: Tenant) -> bool:
        return self._own is None or tenant.asset.building_id in self._own

    def _open(self, name: str, tenants: tuple[Tenant, ...], decoder: Decoder, *, is_ours: bool = True) -> None:
        dialect = DIALECTS[name]
        strangers = frozenset(tenant.asset.id for tenant in tenants if not self._is_ours(tenant))
        claimed: set[str] = set()
        for tenant in tenants:
            for topic in dialect.quiet(tenant.source.topic):
                self._quiet.add(topic, True)  # noqa: FBT003 - the item of the tree
            for topic in dialect.filters(tenant.source.topic):
                if topic not in claimed:
                    claimed.add(topic)
                    self._claim(topic, Route(tenant.asset.id, decoder, dialect.is_timed, is_ours, strangers))

    def _claim(self, topic: str, route: Route) -> None:
        if topic in self._routes:
            self._refuse(self._routes[topic].asset_id, route.asset_id, topic)
            return
        self._routes[topic] = route
        if "+" in topic or "#" in topic:
            self._tree.add(topic, route)

    def _refuse(self, first: str, second: str, topic: str) -> None:
        first, second = sorted((first, second), key=list(self.registry.assets).index)
        what = f"assets {first!r} and {second!r} both publish on {topic!r}"
        self._problems.append(Problem("site files", what, "Give each asset its own topic."))

    def find(self, topic: str) -> Route | None:
        """The route of a topic, None when it belongs to no asset. Its own name counts before any filter."""
        return self._routes.get(topic) or self._tree.find(topic)

    def topics(self) -> dict[str, frozenset[str]]:
        """By building, ours alone: the topics and filters on which something of it may come. A building that no site
        file knows yet is not among them."""
        found: dict[str, set[str]] = {name: set() for name in self._own or () if name in self.registry.buildings}
        for asset in self.registry.assets.values():
            if asset.building_id in found:
                own = own_topic(self.registry.site_of(asset.id).id, asset.id)
                source = DIALECTS[asset.source.dialect].filters(asset.source.topic) if asset.source is not None else ()
                found[asset.building_id] |= {own, *source}
        return {name: frozenset(topics) for name, topics in found.items()}

    def remember(self, scan: Scan) -> None:
        """This scan is in the journal already: what it tells of its device's state is known from here on."""
        if scan.asset_id in self._udmi:
            self._udmi[scan.asset_id].remember(scan)

    def is_ignored(self, topic: str) -> bool:
        """Whether a topic is no data at all: a simulator's ground truth, commands, other messages of a device."""
        return self._quiet.find(topic) is not None

    def explain_unknown(self, topic: str) -> str:
        """Why a topic is refused, with the closest one we know."""
        what = f"the topic {topic[:300]!r} belongs to no asset"
        here = bisect_left(self._sorted, topic)
        known = self._sorted[max(0, here - _NEIGHBOURS) : here + _NEIGHBOURS]
        close = difflib.get_close_matches(topic[:300], known, 1)
        if close:
            return f"{what}. Did you mean {close[0]!r}?"
        return f"{what}. Publish on plantroom/SITE/ASSET/readings, or name the topic under source in the site file."
