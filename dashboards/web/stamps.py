"""Short texts that change when something does which no event tells: values, pending findings, the dead letters.

An open page names what it shows (`values/asset/lift-1`), and each pulse says the stamps of that. They are worked out at
most once a second, however many pages ask.
"""

import time
from collections.abc import Callable, Iterable
from typing import Annotated

from fastapi import Query

from dashboards.web.protocols import PlantView

KEPT_SECONDS = 1.0
MOST_KEPT, MOST_WATCHED = 2_000, 8
Buildings = frozenset[str] | None
Watch = Annotated[str, Query(max_length=1_000, description="what the page shows, by commas")]


def watched(text: str) -> list[str]:
    """The topics of a page's wish, at most eight."""
    return [one for one in dict.fromkeys(text.split(",")) if one][:MOST_WATCHED]


class Stamps:
    """The stamps of topics for whoever sees these buildings. May be called from several threads."""

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._kept: dict[tuple[str, Buildings], tuple[float, str]] = {}

    def of(self, view: PlantView, buildings: Buildings, topics: Iterable[str]) -> dict[str, str]:
        """The stamp of each; the same for ever for what is not known or not seen."""
        return {topic: self._one(view, buildings, topic) for topic in topics}

    def _one(self, view: PlantView, buildings: Buildings, topic: str) -> str:
        now, key = self._steady(), (topic, buildings)
        kept = self._kept.get(key)
        if kept is not None and now - kept[0] < KEPT_SECONDS:
            return kept[1]
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        stamp = _stamp(view, topic)
        self._kept[key] = (now, stamp)
        return stamp


def _stamp(view: PlantView, topic: str) -> str:
    what, _, rest = topic.partition("/")
    part, _, name = rest.partition("/")
    if what == "values":
        assets = view.registry().assets
        chosen = [one.id for one in assets.values() if one.building_id == name] if part == "building" else [name]
        return str(sum(reading.at_us for each in chosen for reading in view.latest(each)))
    if what == "pending":
        return str(hash(tuple(sorted(one.id for one in view.pending()))))
    if what == "letters":
        return next((str(one.at_us) for one in view.dead_letters(1)), "")
    return ""
