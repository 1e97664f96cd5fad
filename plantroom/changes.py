"""Tells open pages what changed: findings as soon as the engine has kept them, orders by the lines of their history,
whoever wrote those (a page, the API, a job, a command in another process)."""

import threading
from collections import deque
from collections.abc import Sequence

from dashboards.web.change_feed import Change, ChangeFeed
from facility.errors import RetryableError
from facility.finding import Finding
from plantroom.judging import Judging
from ticketing.api import Sessions
from ticketing.history_rows import lines_after, newest_line

EVERY_S = 0.25
MOST, BEHIND = 1_000, 100
"""Lines of one look, and how far it looks back: numbers are given before they are committed, so that a line may appear
behind its successors."""


def watch_changes(judging: Judging, sessions: Sessions) -> "ChangeWatch":
    """A watch over what the engines keep and over the histories of orders."""
    watch = ChangeWatch(ChangeFeed(), sessions)
    judging.tell(watch.found)
    return watch


class ChangeWatch:
    """Asks for the number of the newest line, and reads lines only when there are new ones."""

    def __init__(self, feed: ChangeFeed, sessions: Sessions) -> None:
        self.feed, self._sessions = feed, sessions
        self._state: tuple[int, int] | None = None
        self._newest: int | None = None
        self._told: deque[int] = deque(maxlen=2 * BEHIND)
        self._now = threading.Event()

    def found(self, findings: Sequence[Finding]) -> None:
        """Findings that were raised, changed or cleared; with none, that a person did something: look at once."""
        self.feed.publish(Change("finding", one.id, one.building_id, one.asset_id, one.state.value) for one in findings)
        self._now.set()

    def look(self) -> None:
        """Tell of the lines written since the last look. Raises RetryableError when the database is away."""
        after = max(0, self._newest - BEHIND) if self._newest is not None else None
        with self._sessions.reading() as session:
            state = newest_line(session, after or 0)
            if state == self._state:
                return
            lines = lines_after(session, after, MOST)
        fresh = [line for line in lines if line.id not in self._told]
        if self._newest is not None:
            self.feed.publish(
                Change("order", line.order_id, line.building_id, line.asset_id, line.verb) for line in fresh
            )
        self._told.extend(line.id for line in fresh[-2 * BEHIND :])
        self._newest = max((line.id for line in lines), default=self._newest or 0)
        self._state = state if self._newest >= state[0] else None

    def run(self, stop: threading.Event) -> None:
        """Look four times a second, and at once when something is known to have happened, until told to stop."""
        while not stop.is_set():
            self._now.wait(EVERY_S)
            self._now.clear()
            try:
                self.look()
            except RetryableError:
                continue  # the engine says so; the lines are there when the database is back
