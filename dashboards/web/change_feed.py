"""What changed, told to every open page that may know of it. Any thread publishes; listeners live in the web's loop."""

import asyncio
import threading
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from facility.clock import Clock, RealClock

MOST_LISTENERS = 500
MOST_WAITING = 32


@dataclass(frozen=True, slots=True)
class Change:
    """A finding or an order (`what`) that was raised or changed, where it is, and its state or the verb."""

    what: str
    id: str
    building: str
    asset: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A change as a page hears it: how far the changes have come with it, and when it was published (Unix, ms).

    An empty `what` stands for more changes than are told one by one: look at everything.
    """

    what: str
    id: str
    building: str
    asset: str
    state: str
    token: str
    at_ms: int


class Listener:
    """What one page has not been told yet. A page that cannot keep up with 32 changes is told to look at everything.
    Used in one loop; `tell` and `end` from any thread."""

    def __init__(self, buildings: frozenset[str] | None) -> None:
        self._buildings = buildings
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Told] = deque()
        self._news = asyncio.Event()
        self.is_over = False

    def tell(self, changes: Iterable[Told]) -> None:
        """Wake the page when one of them is in a building it may see."""
        seen = [one for one in changes if self._buildings is None or one.building in self._buildings]
        if seen:
            self._call(seen, over=False)

    def end(self) -> None:
        """The stream ends: the program stops."""
        self._call([], over=True)

    async def wait(self, seconds: float) -> list[Told]:
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

    def _call(self, seen: Sequence[Told], *, over: bool) -> None:
        def put() -> None:
            self._waiting.extend(seen)
            if len(self._waiting) > MOST_WAITING:
                last = self._waiting[-1]
                self._waiting.clear()
                self._waiting.append(Told("", "", "", "", "", last.token, last.at_ms))
            self.is_over = self.is_over or over
            self._news.set()

        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(put)


class ChangeFeed:
    """All listeners, and how many changes there were: a page that was made at another `token` has missed some."""

    def __init__(self, most: int = MOST_LISTENERS, clock: Clock | None = None) -> None:
        self._most, self._lock, self._clock = most, threading.Lock(), clock or RealClock()
        self._listeners: set[Listener] = set()
        self._epoch, self._count = uuid.uuid4().hex[:8], 0
        self._closed = False

    @property
    def token(self) -> str:
        """How far the changes have come; another one after a restart."""
        return f"{self._epoch}-{self._count}"

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
        at_ms = self._clock.now_us() // 1000
        told = []
        with self._lock:
            for one in changes:
                self._count += 1
                told.append(Told(one.what, one.id, one.building, one.asset, one.state, self.token, at_ms))
            listeners = list(self._listeners) if told else []
        for listener in listeners:
            listener.tell(told)

    def close(self) -> None:
        """End every stream; later ones are refused."""
        with self._lock:
            self._closed = True
            listeners = list(self._listeners)
        for listener in listeners:
            listener.end()
