"""The one clock, chosen by a setting and shared by every process of the program.

Simulated time is kept in `var/clock.json`: the instant it showed when it was started, and when that was. It goes on
where it stopped, so that nobody's deadline passes while the program is off.
"""

import json
from pathlib import Path
from typing import Protocol

import msgspec

from facility.clock import Clock, JournalClock, RealClock, ScaledClock
from facility.errors import refuse
from facility.instant import format_instant, from_us
from plantroom.files import write_atomically
from plantroom.settings import ClockKind, Settings


class _Epoch(msgspec.Struct, frozen=True):
    epoch_us: int
    started_us: int
    factor: float


class NewestEvent(Protocol):
    """Who knows the newest instant in the journal."""

    def newest_us(self) -> int | None:
        """Microseconds since the epoch, None for an empty journal."""


def start_scaled(settings: Settings, first_us: int, newest_us: int | None) -> ScaledClock:
    """Set simulated time going: from the newest event it had reached, or from `first_us` at the first start."""
    epoch_us = max(first_us, newest_us or 0)
    epoch = _Epoch(epoch_us, RealClock().now_us(), settings.clock_factor)
    settings.var.mkdir(parents=True, exist_ok=True)
    write_atomically(settings.clock_file, json.dumps(msgspec.to_builtins(epoch)).encode())
    return ScaledClock(epoch.epoch_us, epoch.started_us, epoch.factor)


def check_same_time(settings: Settings) -> None:
    """Raises InputError when the folder's journal was written in simulated time and now is not, or the other way."""
    was, will_be = settings.clock_file.exists(), settings.clock is ClockKind.SCALED
    if settings.main.journal_folder.exists() and was != will_be:
        what = "holds simulated time, as of a demo" if was else "holds readings in real time, not simulated ones"
        hint = "The two must not mix: name another folder with --var, one for each building."
        raise refuse(str(settings.var), what, hint)


def clock_for(settings: Settings) -> Clock:
    """The clock of this process. For simulated time the supervisor has written its start before."""
    if settings.clock is ClockKind.REAL:
        return RealClock()
    if settings.clock is ClockKind.JOURNAL:
        return JournalClock()
    epoch = read_epoch(settings.clock_file)
    return ScaledClock(epoch.epoch_us, epoch.started_us, epoch.factor)


def read_epoch(path: Path) -> _Epoch:
    """What `start_scaled` wrote. Raises InputError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Epoch)
    except (OSError, msgspec.DecodeError) as error:
        hint = "Simulated time is started by `plantroom demo`, or by `plantroom run` without a role."
        raise refuse(str(path), f"cannot be read: {error}", hint) from error


def describe_clock(clock: Clock) -> str:
    """Empty for the wall clock, else what to show beside every time: `simulated time, 60 x`."""
    if isinstance(clock, ScaledClock):
        return f"simulated time, {clock.factor:g} x"
    if isinstance(clock, JournalClock):
        return f"journal time, newest event {format_instant(from_us(clock.now_us()))}"
    return ""
