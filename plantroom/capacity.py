"""How much disk, memory and load an installation will need, from its points, their cadence and what is kept. Pure.

The figures it works with are measured (`python -m bench capacity`, docs/benchmarks.md); a forecast is good to about a
factor of two, because how well readings compress depends on how much they move.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.stores.keeping import Keep

HOUR_S, DAY_S = 3_600.0, 86_400.0
MONTH_DAYS = 30.44
_COMMITS_A_SECOND = 20.0
"""A group commit takes up to 50 ms, so there are no more than this."""
_HEADROOM = 1.5
_DISKS_GB = (16, 32, 64, 128, 256, 512, 1_000, 2_000, 4_000, 8_000, 16_000)


@dataclass(frozen=True, slots=True)
class Measured:
    """Bytes, as measured by `python -m bench capacity`.

    A commit of the journal with a heartbeat; what a scan costs that is a commit of its own, and each reading in it; a
    reading in a merged part of the Parquet store, and a row that stands for five minutes or an hour; the same two in
    InfluxDB (`python -m bench grafana`, InfluxDB 1.6); an order with its finding, evidence and history;
    memory of the engine for a point, and of all processes without any.
    """

    beat_bytes: float = 45.0
    scan_bytes: float = 45.0
    reading_bytes: float = 37.0
    parquet_bytes: float = 3.0
    parquet_mean_bytes: float = 14.0
    influx_bytes: float = 6.3
    influx_mean_bytes: float = 23.0
    order_bytes: float = 8_600.0
    engine_point_bytes: float = 23_000.0
    base_bytes: float = 500e6


MEASURED = Measured()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for. `cadence_s` is the mean time between two readings of a point, `per_message` the readings of
    one message, `orders_a_month` of the whole installation, `months` the time it is to last."""

    points: int
    cadence_s: float
    months: float
    per_message: float
    orders_a_month: float
    keep: Keep
    journal_keep_hours: float
    journal_max_bytes: float
    influx: bool = False
    backups: int = 14

    def __post_init__(self) -> None:
        numbers = (self.points, self.cadence_s, self.months, self.per_message, self.journal_keep_hours)
        if min(numbers) <= 0 or min(self.orders_a_month, self.backups) < 0:
            msg = f"points, cadence, months and readings of a message must be above 0, orders at least 0: got {numbers}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What it comes to: a second, bytes on disk at the end of the months, memory, and a disk (bytes) that holds it."""

    readings_a_second: float
    messages_a_second: float
    journal_bytes: float
    journal_hours: float
    """How far back the journal reaches; less than asked for when its cap is smaller."""
    store_bytes: float
    store_rows: float
    database_bytes: float
    backup_bytes: float
    memory_bytes: float
    disk_bytes: float
    warnings: tuple[str, ...]

    @property
    def total_bytes(self) -> float:
        """On the program's own disk."""
        return self.journal_bytes + self.store_bytes + self.database_bytes


def forecast(plan: Plan, measured: Measured = MEASURED) -> Forecast:
    """The whole forecast."""
    readings = plan.points / plan.cadence_s
    messages = readings / plan.per_message
    journal_rate = _journal_rate(readings, messages, measured)
    hours = min(plan.journal_keep_hours, plan.months * MONTH_DAYS * 24)
    wanted = journal_rate * hours * HOUR_S
    journal = min(wanted, plan.journal_max_bytes)
    rows, store = _store(plan, readings, measured)
    database = plan.orders_a_month * plan.months * measured.order_bytes
    memory = measured.base_bytes + plan.points * measured.engine_point_bytes
    backup = store + journal + plan.backups * database
    return Forecast(
        readings, messages, journal, journal / journal_rate / HOUR_S, store, rows, database, backup, memory,
        _disk(journal + store + database), tuple(_warnings(plan, readings, messages, wanted)),
    )  # fmt: skip


def _journal_rate(readings: float, messages: float, measured: Measured) -> float:
    """Bytes a second: readings, scans, and commits, of which there are no more than the group commit makes."""
    own_commit = min(1.0, _COMMITS_A_SECOND / messages)
    a_scan = measured.scan_bytes * own_commit + (measured.scan_bytes - measured.beat_bytes / 2) * (1 - own_commit)
    return readings * measured.reading_bytes + messages * a_scan + measured.beat_bytes


def _store(plan: Plan, readings: float, measured: Measured) -> tuple[float, float]:
    """Rows and bytes of the store at the end: single readings, then one for five minutes, then one for an hour."""
    days = plan.months * MONTH_DAYS
    raw_days = _between(0, plan.keep.raw_days, days)
    five_days = _between(plan.keep.raw_days, plan.keep.five_minute_days, days) if plan.keep.raw_days else 0.0
    hour_days = (
        _between(plan.keep.five_minute_days, plan.keep.hour_days, days)
        if plan.keep.raw_days and plan.keep.five_minute_days
        else 0.0
    )
    single = readings * raw_days * DAY_S
    means = sum(
        min(readings, plan.points / span_s) * span_days * DAY_S
        for span_s, span_days in ((300.0, five_days), (HOUR_S, hour_days))
    )
    if not plan.influx:
        return single + means, single * measured.parquet_bytes + means * measured.parquet_mean_bytes
    spans = plan.points * days * DAY_S * (1 / 300.0 + 1 / HOUR_S)  # the means for plots, of every span there is
    return single + means + spans, measured.influx_bytes * single + measured.influx_mean_bytes * (means + spans)


def _between(first: float, last: float, days: float) -> float:
    """Days of age from `first` to `last` (0 is for ever) that there are after so many days."""
    return max(0.0, (days if last == 0 else min(days, last)) - first)


def _disk(used: float) -> float:
    wanted = used * _HEADROOM + 10e9  # system, logs, and room to upgrade and to restore
    return next((size * 1e9 for size in _DISKS_GB if size * 1e9 >= wanted), wanted)


def _warnings(plan: Plan, readings: float, messages: float, journal: float) -> Sequence[str]:
    found = []
    if journal > plan.journal_max_bytes:
        found.append(
            f"the journal would need {journal / 1e9:,.0f} GB for {plan.journal_keep_hours:g} h and is capped at "
            f"{plan.journal_max_bytes / 1e9:g} GB: raise PLANTROOM_JOURNAL_MAX_GB"
        )
    if readings > 60_000:
        found.append(
            "more than 60,000 readings a second is beyond one machine of two cores: split buildings over several"
        )
    elif messages > 4_000:
        found.append("above 4,000 messages a second: put several readings into one message")
    if plan.keep.raw_days == 0 and plan.months > 24:
        found.append("single readings are kept for ever: see PLANTROOM_READINGS_RAW_DAYS")
    return found
