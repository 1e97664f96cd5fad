"""Runs one role of the program in this process; only what the role needs is imported."""

import os
import sys
from importlib import import_module

import structlog

from facility.errors import PermanentError, RetryableError
from plantroom.backup.unfinished import refuse_unfinished
from plantroom.lifeline import stop_event
from plantroom.settings import Settings
from plantroom.supervisor import EXIT_CONFIGURATION

log = structlog.get_logger(__name__)
_YIELDING = {"broker": 5, "engine": 10}
"""Niceness. When the CPU is short, the broker then takes less from the devices, rather than letting its queue grow, and
the engine lags and catches up; it must not keep the broker waiting either."""


def run_role(role: str, settings: Settings) -> None:
    """Run `broker`, `ingest` or `engine` until SIGTERM, or until the parent is gone.

    The process ends with 78 when starting it again would not help, with 1 when it may.
    """
    stop = stop_event()
    os.nice(_YIELDING.get(role, 0))
    if role == "engine" and hasattr(os, "sched_setscheduler"):  # Linux: it never takes the CPU from who just woke up
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        refuse_unfinished(settings.var)
        import_module(f"plantroom.{role}_role").run(settings, stop)
    except PermanentError as error:
        for line in str(error).splitlines():  # one problem a line
            log.error("cannot go on", reason=line)
        sys.exit(EXIT_CONFIGURATION)
    except RetryableError as error:
        log.error("ended, may be started again", reason=str(error))
        sys.exit(1)
