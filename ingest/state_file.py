"""What the sink of a follower has learnt, in a file with the cursor it belongs to: read at start, written now and then.

Written when something changed, at most every two seconds; and without a change every thousand commits, so that a start
does not read the journal from its beginning.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
import structlog

from facility.errors import RetryableError

log = structlog.get_logger(__name__)
_SAVE_S = 2.0
_STRIDE = 1_000

Write = Callable[[Path, bytes], None]
"""Puts bytes into a file, whole or not at all. Raises OSError."""


class Saved(msgspec.Struct):
    """The content of such a file. `seq` is the newest commit that is in it."""

    seq: int


S = TypeVar("S", bound=Saved)


class StateFile(Generic[S]):
    """`noun` names the content in messages. Used by the thread that takes commits."""

    def __init__(self, path: Path, kind: type[S], write: Write, noun: str) -> None:
        self._path, self._kind, self._write, self._noun = path, kind, write, noun
        self._saved_at = 0.0
        self.cursor = 0
        """Up to here everything is in the file."""

    def load(self) -> S | None:
        """What the file holds; None, with a word in the log when there is a reason, when it begins anew."""
        try:
            saved = msgspec.json.decode(self._path.read_bytes(), type=self._kind)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            log.warning(f"{self._noun} cannot be read; it begins anew", file=str(self._path), reason=str(error))
            return None
        self.cursor = saved.seq
        return saved

    def is_due(self, taken: int, *, changed: bool) -> bool:
        """Whether to save now, when everything up to the commit `taken` is known."""
        return (changed and time.monotonic() - self._saved_at >= _SAVE_S) or taken - self.cursor >= _STRIDE

    def save(self, state: S) -> None:
        """Raises RetryableError when the file cannot be written."""
        self._saved_at = time.monotonic()
        try:
            self._write(self._path, msgspec.json.encode(state))
        except OSError as error:
            msg = f"{self._noun} cannot be written: {error}; check the disk"
            raise RetryableError(msg) from error
        self.cursor = state.seq
