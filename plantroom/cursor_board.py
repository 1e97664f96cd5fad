"""Tells ingest, through a small file, up to which commit nobody here will ever read the journal again."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from ingest.retention import publish_cursors

log = structlog.get_logger(__name__)
_EVERY_S = 5.0


class CursorBoard:
    """Publishes what `cursors` says by name: cursors that are durable, of everything that follows the journal."""

    def __init__(self, path: Path, cursors: Mapping[str, Callable[[], int]]) -> None:
        self._path, self._cursors = path, cursors
        self._said: dict[str, int] = {}

    def publish(self) -> None:
        """Say it where something has moved. Raises OSError."""
        now = {name: cursor() for name, cursor in self._cursors.items()}
        if now != self._said:
            publish_cursors(self._path, now)
            self._said = now

    def run(self, stop: threading.Event) -> None:
        """Publish every 5 s until told to stop. What cannot be said keeps the journal longer, and no more."""
        while not stop.wait(_EVERY_S):
            try:
                self.publish()
            except OSError as error:
                log.warning("cursors cannot be published, so the journal keeps more", reason=str(error))
