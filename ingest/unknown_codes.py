"""Codes that no code map explains: kept as the device sent them, and listed here so that somebody can explain them."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from facility.asset import Asset
from facility.code_map import code_maps
from facility.reading import Commit, Scan
from facility.registry import Registry
from ingest.state_file import Saved, StateFile, Write

CODE_POINT = "fault_code"
MOST = 1_000
"""So many pairs of asset and code are remembered, those said last."""


class UnknownCode(msgspec.Struct, frozen=True):
    """A code of an asset, how often it was said, and when last (event time)."""

    asset_id: str
    code: str
    times: int
    last_us: int


class _Codes(Saved):
    codes: list[UnknownCode]


class UnknownCodes:
    """A follower's sink; what it knows is kept in a file. One thread takes commits, any number ask."""

    def __init__(self, registry: Callable[[], Registry], path: Path, write: Write) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._file = StateFile(path, _Codes, write, "the list of unknown codes")
        saved = self._file.load()
        known = saved.codes if saved is not None else []
        self._found = OrderedDict(((one.asset_id, one.code), one) for one in known)
        self._taken, self._changed = self._file.cursor, False
        words = {meaning.word for code_map in code_maps().values() for meaning in code_map.meanings.values()}
        self._words = frozenset(words)

    @property
    def cursor(self) -> int:
        """Up to here everything is in the file."""
        return self._file.cursor

    def take(self, commits: Sequence[Commit]) -> None:
        """Note what has no meaning. Raises RetryableError when the file cannot be written."""
        assets = self._registry().assets
        for commit in commits:
            for entry in commit.entries:
                asset = assets.get(entry.asset_id) if isinstance(entry, Scan) else None
                if asset is not None and isinstance(entry, Scan) and CODE_POINT in asset.points:
                    for value in entry.values:
                        if value.point == CODE_POINT and self.is_unknown(asset, value.value):
                            self._note(asset.id, str(value.value), entry.at_us)
            self._taken = commit.seq
        if self._file.is_due(self._taken, changed=self._changed):
            self._save()

    def rewind(self, seq: int) -> None:
        """The journal was cut back: other commits come after `seq`. What was heard was heard."""
        self._taken = seq
        self._save()

    def is_unknown(self, asset: Asset, value: float | str) -> bool:
        """Whether this is neither a code nor a word of the asset's code map, nor a word of those that come along."""
        code_map = asset.source.code_map if asset.source is not None else None
        if not isinstance(value, str) or value in self._words:
            return False
        if code_map is None:
            return True
        return code_map.find(value) is None and all(meaning.word != value for meaning in code_map.meanings.values())

    def all(self) -> list[UnknownCode]:
        """Those that no map explains by now, the one said last first."""
        assets = self._registry().assets
        with self._lock:
            found = list(self._found.values())
        still = [one for one in found if one.asset_id in assets and self.is_unknown(assets[one.asset_id], one.code)]
        return sorted(still, key=lambda one: (-one.last_us, one.asset_id, one.code))

    def _note(self, asset_id: str, code: str, at_us: int) -> None:
        key = (asset_id, code)
        with self._lock:
            known = self._found.pop(key, None)
            if known is None and len(self._found) >= MOST:
                self._found.popitem(last=False)
            times, last_us = (known.times, known.last_us) if known is not None else (0, at_us)
            self._found[key] = UnknownCode(asset_id, code, times + 1, max(last_us, at_us))
            self._changed = True

    def _save(self) -> None:
        with self._lock:
            state = _Codes(self._taken, list(self._found.values()))
            self._changed = False
        self._file.save(state)
