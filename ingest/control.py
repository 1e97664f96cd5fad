"""The way of control events (site edited, rules activated, shelved ...) into the journal: a durable spool folder.

Any process submits a file; the ingest service commits it to the journal and then unlinks it. After a crash between
the two an event stands in the journal twice: consumers ignore an `event_id` they know.
"""

import hashlib
import os
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
    """The events of the spool by instant. A file that cannot be read is set aside as `*.rejected` and logged."""
    found = []
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(_SUFFIX))  # noqa: PTH208 - polled often
    except FileNotFoundError:
        return []
    for name in names:
        path = folder / name
        try:
            found.append(Submitted(path, decode_event(path.read_bytes())))
        except (msgspec.DecodeError, OSError) as error:
            reject(path, str(error))
    return found


def reject(path: Path, reason: str) -> None:
    """Set a spool file aside: it stays beside the spool as `*.rejected` for a person to look at."""
    log.error("control event rejected", file=path.name, reason=reason, set_aside=path.name + ".rejected")
    path.rename(path.with_name(path.name + ".rejected"))
