"""Which asset and which dialect a topic belongs to. An unknown topic gets a reason that names the closest one."""

import difflib
from bisect import bisect_left
from dataclasses import dataclass

from facility.errors import InputError, Problem
from facility.registry import Registry
from ingest.dialects import DIALECTS, TOPICS, Decoder
from ingest.dialects.plantroom_json import PlantroomJson, own_topic

HEARTBEAT_TOPIC = "plantroom/$ingest/heartbeat"
SIMULATION_PREFIX = "simulation/"
_NEIGHBOURS = 50
"""Comparing texts costs: a topic is compared only with its neighbours in the alphabet."""


@dataclass(frozen=True, slots=True)
class Route:
    """The asset a topic belongs to, and what reads its payload."""

    asset_id: str
    decoder: Decoder


class Router:
    """Every topic of a registry. Each asset is reachable by its source and, in the own dialect, by its own topic.

    Raises InputError when two assets claim one topic.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._routes: dict[str, Route] = {}
        self._prefixes: list[str] = []
        problems: list[Problem] = []
        for asset in registry.assets.values():
            topics: dict[str, Decoder] = {}
            own = own_topic(registry.site_of(asset.id).id, asset.id)
            if asset.source is not None:
                decoder = DIALECTS[asset.source.dialect](asset, asset.source.points)
                topics = dict.fromkeys(TOPICS[asset.source.dialect](asset.source.topic), decoder)
                if asset.source.dialect == "udmi":
                    self._prefixes.append(asset.source.topic.rstrip("/") + "/")
            topics.setdefault(own, PlantroomJson(asset, {}))
            for topic, decoder in topics.items():
                if topic in self._routes:
                    what = f"assets {self._routes[topic].asset_id!r} and {asset.id!r} both publish on {topic!r}"
                    problems.append(Problem("site files", what, "Give each asset its own topic."))
                else:
                    self._routes[topic] = Route(asset.id, decoder)
        if problems:
            raise InputError(problems)
        self._sorted = sorted(self._routes)

    def find(self, topic: str) -> Route | None:
        """The route of a topic, None when it belongs to no asset."""
        return self._routes.get(topic)

    def is_ignored(self, topic: str) -> bool:
        """Whether a topic is no data at all: a simulator's ground truth, other messages of a UDMI device."""
        return topic.startswith(SIMULATION_PREFIX) or any(topic.startswith(prefix) for prefix in self._prefixes)

    def explain_unknown(self, topic: str) -> str:
        """Why a topic is refused, with the closest one we know."""
        what = f"the topic {topic[:300]!r} belongs to no asset"
        here = bisect_left(self._sorted, topic)
        known = self._sorted[max(0, here - _NEIGHBOURS) : here + _NEIGHBOURS]
        close = difflib.get_close_matches(topic[:300], known, 1)
        if close:
            return f"{what}. Did you mean {close[0]!r}?"
        return f"{what}. Publish on plantroom/SITE/ASSET/readings, or name the topic under source in the site file."
