"""Why a process with engine, pages or jobs is not ready. Each cause has a section of docs/runbook/not-ready.md."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from facility.errors import PermanentError, RetryableError
from plantroom.database import Database


class Host(Protocol):
    """The engine's host, as far as it can stand in the way."""

    @property
    def away(self) -> str:
        """Why nothing can be kept now; empty when it can."""

    def awaits_files(self) -> bool:
        """Whether the journal does not say yet which site and rules hold."""


class Cause(StrEnum):
    """What stands in the way, in the words of the runbook's headings."""

    AWAY = "the database is away"
    UNUSABLE = "the database cannot be used"
    WAITS = "the engine waits"
    THREAD = "a thread has ended"
    FILES = "files are not in force"


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that stands in the way, as `/readyz` says it."""

    cause: Cause
    said: str


def why_not_ready(host: Host, database: Database, threads: Sequence[threading.Thread]) -> list[Reason]:
    """Every reason; empty when the process does its work."""
    found = [Reason(Cause.THREAD, f"the {one.name} thread has ended") for one in threads if not one.is_alive()]
    if host.away:
        found.append(Reason(Cause.WAITS, host.away))
    if host.awaits_files():
        said = "the site and rule files are not in force yet: ingest has to write them into the journal first"
        found.append(Reason(Cause.FILES, said))
    try:
        database.check()
    except RetryableError as error:
        found.append(Reason(Cause.AWAY, str(error)))
    except PermanentError as error:
        found.append(Reason(Cause.UNUSABLE, str(error)))
    return found
