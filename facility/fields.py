"""Fields that files of several kinds share: time zones, units, durations; and the sentence about an unknown name."""

import difflib
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator

from facility.instant import parse_duration
from facility.units import UnitError, check_unit


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        msg = f"{name!r} is not a time zone; write it like Asia/Shanghai or Etc/GMT+8"
        raise ValueError(msg) from error
    return name


def _unit(name: str) -> str:
    try:
        return check_unit(name)
    except UnitError as error:
        raise ValueError(str(error)) from error


def unknown(noun: str, name: str, known: Iterable[str]) -> str:
    """`'pmup' is not a known equipment class; did you mean 'pump'?`, or the list when nothing is close."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, 1)
    advice = f"did you mean {close[0]!r}?" if close else f"known are: {', '.join(names) or 'none'}"
    return f"{name!r} is not a known {noun}; {advice}"


Zone = Annotated[str, AfterValidator(_zone)]
UnitName = Annotated[str, AfterValidator(_unit)]
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
