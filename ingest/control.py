"""The way of control events (site edited, rules activated, shelved ...) into the journal: a durable spool folder.

Any process submits a file; the ingest service commits it to the journal and then unlinks it. After a crash between
the two an event stands in the journal twice: consumers ignore an `event_id` they know.
"""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from facility.reading import ControlEvent, decode_event, encode_event
from ingest.segment import sync_folder

log = structlog.get_logger(__name__)
_SUFFIX = ".event"


@dataclass(frozen=True, slots=True)
class Submitted:
    """An event that waits in the spool, with its file."""

    path: Path
    event: ControlEvent


def submit(folder: Path, event: ControlEvent) -> Path:
    """Put an event into the spool; durable when this returns. The same event again replaces the first."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{event.at_us:020d}-{hashlib.blake2b(event.event_id.encode(), digest_size=10).hexdigest()}"
    path, fresh = folder / (name + _SUFFIX), folder / f"{name}.{os.getpid()}.fresh"
    with fresh.open("wb") as handle:
        handle.write(encode_event(event))
        handle.flush()
        os.fsync(handle.fileno())
    fresh.rename(path)
    sync_folder(folder)
    return path


def waiting(folder: Path) -> list[Submitted]:
    """The events of the spool by instant, for ingest, whose the spool is. What is no event is set aside as
    `*.rejected` and logged. Raises OSError for a file that cannot be read now: what follows it waits too."""
    found = []
    for path in _files(folder):
        try:
            found.append(Submitted(path, decode_event(path.read_bytes())))
        except FileNotFoundError:
            continue
        except msgspec.DecodeError as error:
            reject(path, str(error))
    return found


def peek(folder: Path) -> list[ControlEvent]:
    """What waits in the spool by instant, for everybody else: nothing is touched. Raises OSError."""
    found = []
    for path in _files(folder):
        with suppress(FileNotFoundError, msgspec.DecodeError):  # taken meanwhile, or for ingest to set aside
            found.append(decode_event(path.read_bytes()))
    return found


def _files(folder: Path) -> list[Path]:
    try:
        return [folder / name for name in sorted(os.listdir(folder)) if name.endswith(_SUFFIX)]  # noqa: PTH208 - polled often
    except FileNotFoundError:
        return []


def reject(path: Path, reason: str) -> None:
    """Set a spool file aside: it stays beside the spool as `*.rejected` for a person to look at."""
    log.error("control event rejected", file=path.name, reason=reason, set_aside=path.name + ".rejected")
    path.rename(path.with_name(path.name + ".rejected"))
