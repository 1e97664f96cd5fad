"""What changed, told to every open page that may know of it. Any thread publishes; listeners live in the web's loop."""

import asyncio
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

MOST_LISTENERS = 500
MOST_WAITING = 32


@dataclass(frozen=True, slots=True)
class Change:
    """A finding or an order (`what`) that was raised or changed, where it is, and its state or the verb."""

    what: str
    id: str
    building_id: str
    state: str = ""


class Listener:
    """What one page has not been told yet: at most 32 changes. A page that cannot keep up loses the oldest; the one
    that is left still tells it to look again. Used in one loop; `tell` and `end` from any thread."""

    def __init__(self, buildings: frozenset[str] | None) -> None:
        self._buildings = buildings
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Change] = deque(maxlen=MOST_WAITING)
        self._news = asyncio.Event()
        self.is_over = False

    def tell(self, changes: Iterable[Change]) -> None:
        """Wake the page when one of them is in a building it may see."""
        seen = [one for one in changes if self._buildings is None or one.building_id in self._buildings]
        if seen:
            self._call(seen, over=False)

    def end(self) -> None:
        """The stream ends: the program stops."""
        self._call([], over=True)

    async def wait(self, seconds: float) -> list[Change]:
        """What there is to tell, as soon as there is something; empty after so many seconds, or when it is over."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return []
        self._news.clear()
        told = list(self._waiting)
        self._waiting.clear()
        return told

    def _call(self, seen: list[Change], *, over: bool) -> None:
        def put() -> None:
            self._waiting.extend(seen)
            self.is_over = self.is_over or over
            self._news.set()

        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(put)


class ChangeFeed:
    """All listeners."""

    def __init__(self, most: int = MOST_LISTENERS) -> None:
        self._most, self._lock = most, threading.Lock()
        self._listeners: set[Listener] = set()
        self._closed = False

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners)

    @property
    def is_full(self) -> bool:
        """Whether as many listen as are served, or the program stops: a page asks by itself instead."""
        return self._closed or len(self._listeners) >= self._most

    @contextmanager
    def listen(self, buildings: frozenset[str] | None) -> Iterator[Listener]:
        """Listen to these buildings, or to all; over at once when the program stops."""
        listener = Listener(buildings)
        with self._lock:
            self._listeners.add(listener)
        if self._closed:
            listener.end()
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners.discard(listener)

    def publish(self, changes: Iterable[Change]) -> None:
        """Tell everybody whom it concerns; never waits for them."""
        news = list(changes)
        for listener in self._now() if news else ():
            listener.tell(news)

    def close(self) -> None:
        """End every stream; later ones are refused."""
        with self._lock:
            self._closed = True
        for listener in self._now():
            listener.end()

    def _now(self) -> list[Listener]:
        with self._lock:
            return list(self._listeners)
