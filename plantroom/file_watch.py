"""Files that people edit while the program runs: what is in order comes into force, what is broken is refused.

They are read every two seconds and judged when two looks in a row agree, so that a half-saved file never is; what is
refused leaves what is in force in force.
"""

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from facility.errors import InputError

log = structlog.get_logger(__name__)
POLL_SECONDS = 2.0
Files = TypeVar("Files")


@dataclass(frozen=True, slots=True)
class _Unreadable:
    why: str


class FileWatch(ABC, Generic[Files]):
    """One thread looks. `in_force` are the files that are; `refused` is why those on disk are not, empty when they are.

    `noun` says in the log what files they are.
    """

    noun: str

    def __init__(self, in_force: Files) -> None:
        self.in_force = in_force
        self.refused = ""
        self._seen: Files | _Unreadable = in_force

    @abstractmethod
    def read(self) -> Files:
        """What is on disk. Raises InputError for what cannot be read."""

    @abstractmethod
    def take(self, found: Files) -> None:
        """Bring other files into force, whole. Raises InputError for what is not in order, and takes nothing of it;
        OSError when they cannot be handed over now."""

    def look(self) -> bool:
        """Compare once; whether others came into force. Raises OSError as `take`; the next look tries again."""
        found = self._look()
        settled, self._seen = found == self._seen, found
        if not settled:
            return False
        if isinstance(found, _Unreadable):
            self.refuse(found.why)
            return False
        if found == self.in_force:
            self.refused = ""
            return False
        try:
            self.take(found)
        except InputError as error:
            self.refuse(str(error))
            return False
        self.settle(found)
        log.info("changed files are in force", files=self.noun)
        return True

    def settle(self, found: Files) -> None:
        """These files, which are on disk, are in force."""
        self._seen = self.in_force = found
        self.refused = ""

    def refuse(self, why: str) -> None:
        """What is on disk is not in order; what is in force stays in force."""
        if why != self.refused:
            log.error("changed files are refused, those in force stay in force", files=self.noun, reason=why)
        self.refused = why

    def run(self, stop: threading.Event) -> None:
        """Look until `stop`."""
        while not stop.wait(POLL_SECONDS):
            try:
                self.look()
            except OSError as error:
                log.error("changed files cannot be handed over yet", files=self.noun, reason=str(error))

    def _look(self) -> Files | _Unreadable:
        try:
            return self.read()
        except InputError as error:
            return _Unreadable(str(error))
