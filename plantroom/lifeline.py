"""How a child process ends: on SIGTERM, SIGINT, or when its parent is gone (its standard input closes)."""

import os
import signal
import sys
import threading
from types import FrameType

import structlog

LIFELINE = "PLANTROOM_LIFELINE"
_GRACE_SECONDS = 10.0
log = structlog.get_logger(__name__)


def stop_event() -> threading.Event:
    """An event that is set when this process should end.

    Call it in the main thread. If the parent dies, the process is given 10 s to end by itself before it is ended.
    """
    stop = threading.Event()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        log.debug("stopping", signal=signal.Signals(number).name)
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    if os.environ.get(LIFELINE):
        threading.Thread(target=_watch_parent, args=(stop,), name="lifeline", daemon=True).start()
    return stop


def _watch_parent(stop: threading.Event) -> None:
    try:
        while os.read(sys.stdin.fileno(), 1024):
            continue
    except OSError as error:
        log.debug("lifeline broke", error=str(error))
    if stop.is_set():
        return
    log.warning("the parent process is gone, stopping")
    stop.set()
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_GRACE_SECONDS)
    os._exit(1)
