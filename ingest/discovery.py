"""The inbox of devices nobody described: topics of no asset, and points that an asset's site entry does not name.

A follower of the journal that reads the dead letters. Bounded: the newest `KEPT` devices, of each at most 64 values.
What it knows is kept in a file, so that a start does not empty it; the journal's other rows cost it nothing.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import msgspec
import structlog

from facility.errors import InputError
from facility.reading import Commit, DeadLetter, SiteEdited
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.discovery_shape import MAX_VALUES, Named, Shape, shape_of
from ingest.routing import Router
from ingest.state_file import Saved, StateFile, Write

log = structlog.get_logger(__name__)
KEPT = 1_000
_TOPICS = 5
_READ_FULLY = 50
_READ_EVERY = 20
_NO_ASSET = "belongs to no asset"
_NO_POINT = re.compile(r"'(?P<name>[^']{1,128})' is not a point of asset (?P<asset>[A-Za-z0-9_.-]*[A-Za-z0-9_-])")


class Stranger(msgspec.Struct):
    """A device of the inbox. `asset_id` is set when the asset is known and only these points are not."""

    key: str
    dialect: str
    words: str
    first_us: int
    last_us: int = 0
    messages: int = 0
    asset_id: str = ""
    time: str = ""
    topics: list[str] = []
    values: dict[str, Named] = {}

    def add(self, letter: DeadLetter, shape: Shape, names: frozenset[str]) -> None:
        """One more message; of a known asset only the values of these names."""
        if letter.topic not in self.topics and len(self.topics) < _TOPICS:
            self.topics.append(letter.topic)
        self.time = shape.time or self.time
        for value in shape.values:
            if names and value.name not in names:
                continue
            if value.name in self.values or len(self.values) < MAX_VALUES:
                self.values[value.name] = value
        for name in names:
            if name not in self.values and len(self.values) < MAX_VALUES:
                self.values[name] = Named(name, "")


class _Inbox(Saved):
    strangers: list[Stranger]


class DeviceInbox:
    """A follower's sink. One thread takes commits, any number ask. `write` puts bytes into a file, whole or not."""

    def __init__(self, path: Path, write: Write, *, kept: int = KEPT) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._file = StateFile(path, _Inbox, write, "the device inbox")
        saved = self._file.load()
        self._strangers = OrderedDict((one.key, one) for one in saved.strangers) if saved is not None else OrderedDict()
        self._taken = self._file.cursor
        self._changed = False

    @property
    def cursor(self) -> int:
        """Up to here everything is in the file."""
        return self._file.cursor

    def take(self, commits: Sequence[Commit]) -> None:
        """Note the strangers among these commits. Raises RetryableError when the file cannot be written."""
        with self._lock:
            for commit in commits:
                for entry in commit.entries:
                    if isinstance(entry, DeadLetter):
                        self._note(entry)
                    elif isinstance(entry, SiteEdited):
                        self._drop_known(entry)
                self._taken = commit.seq
        if self._file.is_due(self._taken, changed=self._changed):
            self._save()

    def rewind(self, seq: int) -> None:
        """The journal was cut back: what was heard stays heard."""
        with self._lock:
            self._taken = seq
        self._save()

    def strangers(self) -> list[Stranger]:
        """Every device, the one heard last first; copies."""
        with self._lock:
            return [self._copy(one) for one in reversed(self._strangers.values())]

    def find(self, key: str) -> Stranger | None:
        """One device by its key or by one of its topics."""
        with self._lock:
            for one in self._strangers.values():
                if one.key == key or key in one.topics:
                    return self._copy(one)
        return None

    def forget(self, key: str) -> bool:
        """Take it out; it comes back with its next message. False when it was not there."""
        with self._lock:
            gone = self._strangers.pop(key, None)
            self._changed = self._changed or gone is not None
        return gone is not None

    def __len__(self) -> int:
        return len(self._strangers)

    # --- inside ------------------------------------------------------------------------------------------------
    def _note(self, letter: DeadLetter) -> None:
        unknown = list(_NO_POINT.finditer(letter.reason))
        if _NO_ASSET not in letter.reason and not unknown:
            return
        asset_id = unknown[0]["asset"] if unknown else ""
        names = frozenset(match["name"] for match in unknown)
        shape = shape_of(letter.topic, b"")
        if not shape.dialect:
            return
        key = f"{shape.key} ({asset_id})" if asset_id else shape.key
        known = self._strangers.pop(key, None)
        if known is None:
            known = Stranger(key, shape.dialect, shape.words, letter.at_us, asset_id=asset_id)
            while len(self._strangers) >= self._kept:
                self._strangers.popitem(last=False)
        self._strangers[key] = known
        known.messages += 1
        known.last_us = max(known.last_us, letter.at_us)
        if known.messages <= _READ_FULLY or known.messages % _READ_EVERY == 0:
            whole = shape_of(letter.topic, letter.payload)
            known.dialect = whole.dialect
            known.add(letter, whole, names)
        self._changed = True

    def _drop_known(self, edited: SiteEdited) -> None:
        """What a new site file describes is no stranger any more."""
        try:
            registry = Registry.merge(parse_site(text, name) for name, text in edited.files.items())
            router = Router(registry)
        except InputError as error:
            log.warning("a site in the journal cannot be used; the inbox stays as it is", reason=str(error))
            return
        for key, one in list(self._strangers.items()):
            asset = registry.assets.get(one.asset_id)
            if asset is not None:
                mapped = {*asset.points, *(asset.source.points if asset.source is not None else ())}
                for name in mapped & one.values.keys():
                    del one.values[name]
                is_known = not one.values
            else:
                is_known = bool(one.asset_id) or any(router.find(topic) is not None for topic in one.topics)
            if is_known:
                del self._strangers[key]
        self._changed = True

    @staticmethod
    def _copy(one: Stranger) -> Stranger:
        return Stranger(
            one.key, one.dialect, one.words, one.first_us, one.last_us, one.messages, one.asset_id, one.time,
            list(one.topics), dict(one.values),
        )  # fmt: skip

    def _save(self) -> None:
        with self._lock:
            state = _Inbox(self._taken, [self._copy(one) for one in self._strangers.values()])
            self._changed = False
        self._file.save(state)
