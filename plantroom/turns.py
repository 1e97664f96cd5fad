"""A lock that is taken in turns: who asks next has it next, even when its holder asks again at once."""

import threading
from types import TracebackType


class Turns:
    """Held by one thread, as often as it likes. A plain lock goes mostly to the thread that just let go of it, so that
    pages would wait until the engine has nothing left to judge."""

    def __init__(self) -> None:
        self._next, self._held = threading.Lock(), threading.Lock()
        self._owner: int | None = None
        self._depth = 0

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for it."""
        return self._next.locked()

    def __enter__(self) -> None:
        me = threading.get_ident()
        if self._owner != me:
            with self._next:  # whoever waits for the lock holds this, and nobody passes
                self._held.acquire()
            self._owner = me
        self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._owner = None
            self._held.release()
