"""Leaves out Python's search for garbage while very many values are made that are all still needed."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_busy = 0
_was_on = True


@contextmanager
def many_values() -> Iterator[None]:
    """No search for garbage within: among half a million new values it finds none, and takes as long as making them.

    For a second or two of work. May be nested and used by several threads at once; the last one to leave turns the
    search on again.
    """
    global _busy, _was_on  # noqa: PLW0603 - there is one collector in a process
    with _lock:
        if not _busy:
            _was_on = gc.isenabled()
        _busy += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _busy -= 1
            if not _busy and _was_on:
                gc.enable()
