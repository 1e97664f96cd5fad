"""The files and readings of a backtest, read once, and its runs over them with other rules or parameters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from facility.errors import refuse
from facility.fields import unknown
from facility.reading import ParameterOverridden, Reading
from facility.registry import Registry
from ingest.map_file import parse_map
from ingest.segment import JournalError
from ingest.stores.base import DAY_US
from ingest.stores.folder import ParquetFolder
from ingest.stores.unwritten import unwritten
from ingest.wide_csv import WideCsv
from plantroom.backtest import Backtest, run_backtest
from plantroom.backtest_history import CsvHistory, History, StoreHistory, StoreSource
from plantroom.contracts import load_contracts
from plantroom.files import read_texts
from plantroom.plant_files import load_rule_files
from plantroom.series_store import open_store
from plantroom.settings import Settings, StoreKind
from plantroom.several_stores import SeveralFolders, holds_parts
from plantroom.shard import shard_folders
from rules.rule import Rule
from rules.rule_set import RuleSet
from ticketing.contract_book import ContractBook

INFLUX = "influx"


@dataclass(frozen=True, slots=True)
class Trial:
    """Everything but the rules. `run` may be called any number of times."""

    registry: Registry
    site_texts: Mapping[str, str]
    history: History
    book: ContractBook
    console: Console
    attended: timedelta | None = None
    workers: int = 0
    told: Callable[[int, int], None] | None = None
    """Told of each run how much of how much it has read."""

    def run(
        self, rule_files: Mapping[str, str], overrides: Sequence[ParameterOverridden] = (), about: str = ""
    ) -> Backtest:
        """One pass with a progress bar. Raises InputError for what cannot be used."""
        total = self.history.total

        def progress(_scans: int) -> None:
            bar.update(task, completed=self.history.done)
            if self.told is not None:
                self.told(self.history.done, total)

        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
                   TimeRemainingColumn())  # fmt: skip
        with Progress(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task(f"{self.history.name} {about}".strip(), total=total)
            return run_backtest(
                self.history.scans(), self.registry, self.site_texts, rule_files, self.book,
                attended=self.attended, workers=self.workers, overrides=overrides,
                progress=progress,
            )  # fmt: skip


def read_book(contracts: Sequence[Path], registry: Registry, rules: Path | None) -> ContractBook:
    """The contracts, checked against buildings and rules; the built-in level alone without any. Raises InputError."""
    if not contracts:
        return ContractBook()
    texts = read_texts(contracts, "contract")
    return load_contracts(texts, registry, RuleSet.load(load_rule_files(rules)).rules)


def csv_history(readings: Path, wide_map: Path, registry: Registry) -> CsvHistory:
    """A wide CSV through its map. Raises InputError."""
    ((where, text),) = read_texts([wide_map], "map").items()
    return CsvHistory(readings, WideCsv(readings, parse_map(text, where, registry)))


def store_history(store: str, registry: Registry, from_us: int | None, to_us: int | None) -> StoreHistory:
    """A program's folder (with what is only in its journal yet), a Parquet store's, or `influx` with the address of the
    settings. Raises InputError."""
    if store == INFLUX:
        if from_us is None or to_us is None:
            raise refuse(
                "--store", "InfluxDB is read over a span", "Give --from and --to, such as 2026-03-01T00:00:00Z."
            )
        settings = Settings(store=StoreKind.INFLUX)
        source = StoreSource(open_store(settings, settings.main, lambda: registry, writes=False))
        return StoreHistory("InfluxDB", source, registry, from_us, to_us)
    folder = Path(store)
    parquet, missing = _parquet(folder, registry)
    first, last = parquet.span()
    begin_us = max(first * DAY_US, from_us) if from_us is not None else first * DAY_US
    end_us = min((last + 1) * DAY_US, to_us) if to_us is not None else (last + 1) * DAY_US
    return StoreHistory(str(folder), parquet, registry, begin_us, end_us, missing)


def _parquet(folder: Path, registry: Registry) -> tuple[SeveralFolders, str]:
    """What the stores of all shards hold, and what is missing of it and why."""
    if not (folder / "readings").is_dir():
        return SeveralFolders([ParquetFolder(folder)]), ""
    found: list[ParquetFolder] = []
    missing: list[str] = []
    for place in shard_folders(folder):
        newest, why = _newest(place / "readings", place / "journal", registry)
        missing += [why] if why else []
        if place == folder or newest or holds_parts(place / "readings"):
            found.append(ParquetFolder(place / "readings", newest))
    return SeveralFolders(found), "; ".join(missing)


def _newest(parts: Path, journal: Path, registry: Registry) -> tuple[list[Reading], str]:
    """What the program that writes the parts has not written yet, as far as the directory knows it; and what is
    missing of it and why."""
    if parts == journal.parent or not journal.is_dir():
        return [], ""
    assets = registry.assets
    try:
        return [one for one in unwritten(parts, journal) if (asset := assets.get(one.asset_id)) is not None
                and one.point in asset.points], ""  # fmt: skip
    except JournalError as error:
        return [], f"the newest readings, which are in the journal only, are missing: {error}"


def parse_setting(text: str, rules: Mapping[str, Rule], registry: Registry) -> list[ParameterOverridden]:
    """Read `RULE.PARAM=VALUE`, for all sites, or with `@SCOPE` behind it (an asset, `class:NAME` or `site:ID`).

    Raises InputError.
    """
    hint = "Write it like zone-co2-high.limit=1100, or with @ASSET, @class:NAME or @site:ID behind it."
    name, equals, rest = text.partition("=")
    rule_id, _, parameter = name.strip().rpartition(".")
    if rule_id not in rules or parameter not in rules[rule_id].parameters:
        raise refuse("--set", f"there is no parameter {name.strip()!r} in these rules", hint)
    number, at, scope = rest.partition("@")
    try:
        value = float(number)
    except ValueError as error:
        raise refuse("--set", f"{number!r} is no number", hint) from error
    if not equals:
        raise refuse("--set", f"{text!r} sets nothing", hint)
    known = {*registry.assets, *(f"site:{one}" for one in registry.sites),
             *(f"class:{one.equipment_class.name}" for one in registry.assets.values())}  # fmt: skip
    if at and scope not in known:
        raise refuse("--set", unknown("scope", scope, known), hint)
    scopes = [scope] if at else [f"site:{one}" for one in registry.sites]
    return [
        ParameterOverridden(f"set-{rule_id}-{parameter}-{each}", 0, rule_id, parameter, each, value) for each in scopes
    ]
