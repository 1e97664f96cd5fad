"""Which process of this host does what only one may: keep readings, dead letters and what was learned of devices, or
serve the pages. It is the one with the lock file.

The operating system gives the lock on when its holder dies, however it dies. A holder that is stopped keeps it: what it
does waits until it goes on or is ended, and nobody else writes into the same files meanwhile.
"""

import fcntl
import threading
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)
_EVERY_S = 0.2


class Keeper:
    """This process's side of the lock. It is asked for by `take`, and held until the process ends. `does` says in the
    log what its holder does."""

    def __init__(self, path: Path, does: str = "keeps readings and dead letters") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="ascii")
        self._does, self._held = does, threading.Event()

    @property
    def held(self) -> bool:
        """Whether this process keeps them."""
        return self._held.is_set()

    def take(self) -> bool:
        """Take the lock if it is free; whether this process has it."""
        if not self.held:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self._held.set()
        return True

    def wait(self, stop: threading.Event) -> bool:
        """Wait for the lock, asking five times a second; False when `stop` came first."""
        if self.take():
            return True
        log.info(f"another process {self._does}, this one stands by")
        while not stop.wait(_EVERY_S):
            if self.take():
                log.info(f"this process {self._does} now")
                return True
        return False

    def close(self) -> None:
        """Let another process take it."""
        self._file.close()
        self._held.clear()
