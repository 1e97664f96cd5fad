"""What the score scripts share: tables of one site, merged in time, judged as `plantroom backtest --attended "1 h"`."""

import heapq
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from facility.instant import to_us
from facility.reading import Scan
from facility.registry import Registry
from ingest.map_file import parse_map
from ingest.wide_csv import WideCsv
from plantroom.backtest import ATTENDED, Backtest, run_backtest
from plantroom.score import Call, Truth, judge_month
from rules.catalogue import shipped_files
from ticketing.contract_book import ContractBook

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


@dataclass(frozen=True, slots=True)
class Healthy:
    """Asset-days on which nothing was wrong, and the orders opened on them."""

    days: int = 0
    orders: int = 0

    def __add__(self, other: "Healthy") -> "Healthy":
        return Healthy(self.days + other.days, self.orders + other.orders)


NO_DAYS = Healthy()


def count_healthy(
    registry: Registry, done: Backtest, faults: Sequence[tuple[str, int, int]], begin_us: int, end_us: int
) -> Healthy:
    """As the simulated months count: a day is healthy when no fault (asset, from, until) touches the asset in it."""
    truths = [Truth(asset_id, "", "", 1.0, from_us, until_us) for asset_id, from_us, until_us in faults]
    calls = [
        Call(one["asset_id"], one["rule_id"], (), instant_us(one["opened_at"]) or 0)
        for one in done.work_orders
        if one["asset_id"] in registry.assets
    ]
    month = judge_month("", registry, truths, calls, begin_us, end_us)
    return Healthy(month.healthy_days, len(month.false_calls))


def evaluation_data(name: str) -> Path | None:
    """A folder of the sets that never enter the repository, found through PLANTROOM_DATA; None without it."""
    root = os.environ.get("PLANTROOM_DATA")
    folder = Path(root) / name if root else None
    return folder if folder is not None and folder.is_dir() else None


def table(readings: Path, map_file: Path, registry: Registry) -> Iterator[Scan]:
    """The scans of one wide CSV through its map."""
    return WideCsv(readings, parse_map(map_file.read_text("utf-8"), map_file.name, registry)).scans()


def judge(
    streams: Iterable[Iterator[Scan]],
    registry: Registry,
    site_texts: Mapping[str, str],
    attended: timedelta | None = ATTENDED,
) -> Backtest:
    """Every stream, each in order of time, through the shipped catalogue at once."""
    merged = heapq.merge(*streams, key=lambda scan: scan.at_us)
    return run_backtest(merged, registry, site_texts, shipped_files(), ContractBook(), attended=attended)


def instant_us(text: str | None) -> int | None:
    """Microseconds of an instant as the API writes it; None for none."""
    return to_us(datetime.fromisoformat(text)) if text is not None else None
