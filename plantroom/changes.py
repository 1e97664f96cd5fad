"""Tells open pages what changed: findings as soon as the engine has kept them, orders by the lines of their history,
whoever wrote those (a page, the API, a job, a command in another process)."""

import threading
from collections import deque
from collections.abc import Sequence

from dashboards.web.change_feed import Change, ChangeFeed
from facility.errors import RetryableError
from facility.finding import Finding
from plantroom.engine_host import EngineHost
from ticketing.api import Sessions
from ticketing.history_rows import lines_after

EVERY_S = 0.25
MOST, BEHIND = 1_000, 100
"""Lines of one look, and how far it looks back: numbers are given before they are committed, so that a line may appear
behind its successors."""


def watch_changes(host: EngineHost, sessions: Sessions) -> "ChangeWatch":
    """A watch over what the engine keeps and over the histories of orders."""
    watch = ChangeWatch(ChangeFeed(), sessions)
    host.tell = watch.found
    return watch


class ChangeWatch:
    """Reads new lines of history only while somebody listens."""

    def __init__(self, feed: ChangeFeed, sessions: Sessions) -> None:
        self.feed, self._sessions = feed, sessions
        self._newest = 0
        self._told: deque[int] = deque(maxlen=2 * BEHIND)

    def found(self, findings: Sequence[Finding]) -> None:
        """Findings that were raised, changed or cleared."""
        if self.feed.is_heard:
            self.feed.publish(Change("finding", one.id, one.building_id, one.state.value) for one in findings)

    def look(self) -> None:
        """Tell of the lines written since the last look. Raises RetryableError when the database is away."""
        if not self.feed.is_heard:
            self._newest = 0  # who comes later has read everything until then
            return
        with self._sessions.reading() as session:
            lines = lines_after(session, max(0, self._newest - BEHIND) if self._newest else None, MOST)
        fresh = [line for line in lines if line.id not in self._told]
        if self._newest:
            self.feed.publish(Change("order", line.order_id, line.building_id, line.verb) for line in fresh)
        self._told.extend(line.id for line in fresh[-2 * BEHIND :])
        self._newest = max((line.id for line in lines), default=self._newest or 1)

    def run(self, stop: threading.Event) -> None:
        """Look four times a second until told to stop."""
        while not stop.wait(EVERY_S):
            try:
                self.look()
            except RetryableError:
                continue  # the engine says so; the lines are there when the database is back
