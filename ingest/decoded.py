"""What was decoded of the journal a moment ago: the followers of a process read the same commits in turn."""

import threading
from collections import OrderedDict

from facility.reading import Entry, decode_entries

SHELF_BYTES = 8 * 2**20


class DecodedCommits:
    """Packed entries to entries, the ones asked for last: at most `most_bytes` of packed ones. Any thread may ask.

    The bytes themselves are the key: a journal that was cut back and filled again cannot give old entries. Entries are
    shared by everyone who asks; nobody changes them.
    """

    def __init__(self, most_bytes: int = SHELF_BYTES) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        self._lock = threading.Lock()
        self._found: OrderedDict[bytes, tuple[Entry, ...]] = OrderedDict()

    def decode(self, packed: bytes) -> tuple[Entry, ...]:
        """The entries. Raises ValueError when the bytes are none."""
        with self._lock:
            known = self._found.get(packed)
            if known is not None:
                self._found.move_to_end(packed)
                return known
        entries = decode_entries(packed)
        with self._lock:
            if packed not in self._found:
                self._found[packed] = entries
                self._bytes += len(packed)
            while self._bytes > self._most_bytes:
                gone, _ = self._found.popitem(last=False)
                self._bytes -= len(gone)
        return entries

    @property
    def held_bytes(self) -> int:
        """Packed bytes whose entries are held."""
        return self._bytes
