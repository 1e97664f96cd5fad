"""Queries as Grafana would send them: variables in their formats, and the macros of the two plug-ins.

As documented for Grafana 12: `$__interval` from the shown time and the points a panel wants, `$timeFilter` of the
InfluxDB plug-in, `$__timeFilter`, `$__timeFrom` and `$__timeTo` of the PostgreSQL plug-in; `${name:format}`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

ALL = ".*"
"""What `All` stands for: the variables' own `allValue`, which no format changes."""
_NICE_S = (1, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)")


@dataclass(frozen=True, slots=True)
class Shown:
    """The shown time, milliseconds since the epoch, and what is chosen of each variable; `ALL` alone is All."""

    from_ms: int
    to_ms: int
    chosen: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def interval_s(self, points: int, least_s: int = 10) -> int:
        """How long an interval is that gives about so many points."""
        wanted = (self.to_ms - self.from_ms) / 1000 / points
        nice = next((one for one in _NICE_S if one * 1.5 >= wanted), _NICE_S[-1])
        return max(nice, least_s)


def expand_influx(query: str, shown: Shown, points: int) -> str:
    """InfluxQL as it goes to the server. Raises ValueError for what nothing stands for."""
    query = query.replace("$timeFilter", f"time >= {shown.from_ms}ms and time <= {shown.to_ms}ms")
    query = query.replace("$__interval", f"{shown.interval_s(points)}s")
    return _variables(query, shown)


def expand_sql(query: str, shown: Shown) -> str:
    """SQL as it goes to the server. Raises ValueError for what nothing stands for."""
    since, until = (f"'{_instant(at_ms)}'" for at_ms in (shown.from_ms, shown.to_ms))
    query = re.sub(r"\$__timeFilter\(([^)]+)\)", rf"\1 BETWEEN {since} AND {until}", query)
    query = query.replace("$__timeFrom()", since).replace("$__timeTo()", until)
    return _variables(query, shown)


def _instant(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _variables(query: str, shown: Shown) -> str:
    values = {"__from": [str(shown.from_ms)], "__to": [str(shown.to_ms)], **shown.chosen}

    def fill(found: re.Match[str]) -> str:
        name, way = found[1] or found[3], found[2] or ""
        if name not in values:
            msg = f"nothing stands for {found[0]} in {query}"
            raise ValueError(msg)
        chosen = list(values[name])
        return ALL if chosen == [ALL] else _FORMATS[way](chosen)

    return _VARIABLE.sub(fill, query)


def _as_regex(chosen: list[str]) -> str:
    escaped = [re.sub(r"([\\^$*+?.()|{}\[\]/])", r"\\\1", one) for one in chosen]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def _as_is(chosen: list[str]) -> str:
    if len(chosen) > 1:
        msg = f"several values need a format: {chosen}"
        raise ValueError(msg)
    return chosen[0]


_FORMATS: Mapping[str, Callable[[list[str]], str]] = {"": _as_is, "pipe": "|".join, "regex": _as_regex}
