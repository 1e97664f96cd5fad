"""Runs one role of the program in this process; only what the role needs is imported."""

import os
import sys
from importlib import import_module

import structlog

from facility.errors import PermanentError, RetryableError
from ingest.shard import MAIN_SHARD
from plantroom.backup.unfinished import refuse_unfinished
from plantroom.heap import grow_heap
from plantroom.lifeline import stop_event
from plantroom.part import PLANT, Role
from plantroom.settings import Settings
from plantroom.supervisor import EXIT_CONFIGURATION

log = structlog.get_logger(__name__)
_YIELDING = {Role.BROKER: 5, Role.ENGINE: 10, Role.WEB: 10, Role.JOBS: 10}
"""Niceness. When the CPU is short, the broker then takes less from the devices, rather than letting its queue grow, and
the engine lags and catches up; it and the pages must not keep the broker waiting either."""


def run_role(roles: frozenset[Role], settings: Settings, shard: str = MAIN_SHARD) -> None:
    """Run `broker`, `ingest`, or any of `engine`, `web` and `jobs` until SIGTERM, or until the parent is gone.

    `shard` is whose journal `ingest` writes and `engine` judges.

    The process ends with 78 when starting it again would not help, with 1 when it may.
    """
    stop = stop_event()
    os.nice(max(_YIELDING.get(role, 0) for role in roles))
    if Role.ENGINE in roles and hasattr(os, "sched_setscheduler"):  # Linux: it takes the CPU from nobody who just woke
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        refuse_unfinished(settings.var)
        if roles <= PLANT:
            grow_heap()
            import_module("plantroom.engine_role").run(settings, stop, roles, shard)
        elif Role.INGEST in roles:
            import_module("plantroom.ingest_role").run(settings, stop, shard)
        else:
            import_module(f"plantroom.{min(roles)}_role").run(settings, stop)
    except PermanentError as error:
        for line in str(error).splitlines():  # one problem a line
            log.error("cannot go on", reason=line)
        sys.exit(EXIT_CONFIGURATION)
    except RetryableError as error:
        log.error("ended, may be started again", reason=str(error))
        sys.exit(1)
