"""The doctor on what people write and on the machine: site, contract, rules, folder, disk, clock."""

import ctypes
import os
import shutil
import sys
from dataclasses import dataclass

from facility.clock import RealClock
from facility.errors import InputError
from facility.instant import format_instant, from_us
from facility.registry import Registry
from plantroom.clocks import clock_for, describe_clock
from plantroom.contracts import load_contracts
from plantroom.doctor import Check, bad, good, warn
from plantroom.files import read_texts
from plantroom.launch import newest_us
from plantroom.plant_files import load_registry, load_rule_files
from plantroom.settings import ClockKind, Mode, Settings
from rules.rule_set import RuleSet

GIB = 2**30
BUILT_US = 1_764_000_000_000_000
"""Nobody ran this program before it was written (November 2025): an older clock is a wrong one."""

_TIME_ERROR = 5
_TIMEX_BYTES = 512


@dataclass(frozen=True, slots=True)
class Papers:
    """What the files gave: the directory (None when there is none that can be used) and the checks."""

    registry: Registry | None
    checks: tuple[Check, ...]


def check_papers(settings: Settings) -> Papers:
    """Site, rules and contract, each with its problems."""
    checks: list[Check] = []
    registry: Registry | None = None
    if not settings.site:
        checks.append(bad("site", "no site file is set", "Start from `plantroom init`, then set PLANTROOM_SITE."))
    else:
        try:
            registry, texts = load_registry(settings.site_files)
        except InputError as error:
            checks.append(_problems("site", error))
        else:
            assets, points = len(registry.assets), sum(len(asset.points) for asset in registry.assets.values())
            checks.append(good("site", f"{assets} assets with {points} points in {len(texts)} file(s)"))
    rule_set: RuleSet | None = None
    try:
        rule_set = RuleSet.load(load_rule_files(settings.rules))
        checks.append(good("rules", f"{len(rule_set.rules)} rules"))
    except InputError as error:
        checks.append(_problems("rules", error))
    checks.append(_contract(settings, registry, rule_set))
    return Papers(registry, tuple(checks))


def _contract(settings: Settings, registry: Registry | None, rule_set: RuleSet | None) -> Check:
    if not settings.contract:
        advice = "Write one (`plantroom init` gives an example) and set PLANTROOM_CONTRACT."
        return warn("contract", "none is set: every order gets the default level", advice)
    if registry is None:
        return warn("contract", "cannot be checked without a site", "Put the site file right first.")
    try:
        book = load_contracts(read_texts(settings.contract, "contract"), registry, rule_set.rules if rule_set else None)
    except InputError as error:
        return _problems("contract", error)
    return good("contract", f"{len(book.contracts)} contract(s)")


def _problems(name: str, error: InputError) -> Check:
    count = len(error.problems)
    more = f" (and {count - 1} more; `plantroom check` lists them)" if count > 1 else ""
    first = error.problems[0]
    place = first.where + (f":{first.line}" if first.line is not None else "")
    return bad(name, f"{place}: {first.what}{more}", first.hint or "Correct the file.")


def check_disk(settings: Settings) -> Check:
    """Whether the folder of the program can be written and has room for a while."""
    folder = settings.var
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        advice = "Give the user of the program the right to write there, or set PLANTROOM_VAR."
        return bad("disk", f"{folder} cannot be written", advice)
    usage = shutil.disk_usage(folder)
    said = f"{usage.free / GIB:.1f} GiB of {usage.total / GIB:.0f} GiB free under {folder}"
    if usage.free < GIB // 2:
        return bad("disk", said, "Make room now: without it nothing is acknowledged and the broker fills up.")
    if usage.free < 4 * GIB or usage.free < usage.total // 20:
        return warn("disk", said, "Make room, or move PLANTROOM_VAR: a busy building writes a GiB in some days.")
    return good("disk", said)


def check_clock(settings: Settings) -> list[Check]:
    """Whether the machine knows the time, and which clock the program lives by."""
    now_us = RealClock().now_us()
    said = format_instant(from_us(now_us - now_us % 1_000_000))
    if now_us < BUILT_US:
        return [bad("clock", f"the machine says {said}", "Set its clock; readings would be judged in the future.")]
    checks = []
    has_lived_in_simulated_time = settings.clock_file.exists()
    is_real = settings.clock is ClockKind.REAL and not has_lived_in_simulated_time
    newest = newest_us(settings) if is_real else None
    if newest is not None and newest > now_us + 60_000_000:
        stood = format_instant(from_us(newest - newest % 1_000_000))
        advice = "Set the clock, or wait: event time stands still until then."
        checks.append(bad("clock", f"{said}, but the journal has reached {stood}", advice))
    elif is_synchronised() is False:
        advice = "Let chrony or systemd-timesyncd keep it: silence and deadlines are judged by it."
        checks.append(warn("clock", f"{said}; the kernel says that nothing keeps it right", advice))
    else:
        checks.append(good("clock", said))
    if settings.clock is ClockKind.REAL and has_lived_in_simulated_time:
        advice = "Set PLANTROOM_CLOCK=scaled to look at it, or another PLANTROOM_VAR for a real building."
        checks.append(warn("time", f"{settings.var} has lived in simulated time", advice))
    if settings.clock is ClockKind.SCALED:
        try:
            shown = describe_clock(clock_for(settings))
        except InputError as error:
            checks.append(_problems("time", error))
        else:
            if settings.mode is Mode.PRODUCTION:
                checks.append(warn("time", shown, "Set PLANTROOM_CLOCK=real for a real building."))
            else:
                checks.append(good("time", shown))
    return checks


def is_synchronised() -> bool | None:
    """Whether the kernel's clock is kept right by NTP or the like (adjtimex); None where it cannot be asked."""
    if sys.platform != "linux":
        return None
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    state = adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return None if state < 0 else state != _TIME_ERROR
