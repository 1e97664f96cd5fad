"""The process that tries a rule over the readings kept: `python -m plantroom.trial_process FOLDER`.

The folder holds `order.json` (what to do, with the files in force); it leaves `result.json` there, or `error` in words,
and says how far it is in `progress`. Settings for InfluxDB come from the environment, as for the program.
"""

import sys
from pathlib import Path

import msgspec
from rich.console import Console

from dashboards.web.backtest_report import BacktestReport
from facility.errors import InputError, PlantroomError, refuse
from facility.reading import ParameterOverridden
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.backtest import ATTENDED
from plantroom.backtest_compare import Tuning, tuned
from plantroom.backtest_gather import Setting, gather
from plantroom.backtest_trial import Trial, store_history
from plantroom.contracts import load_contracts
from plantroom.files import write_atomically
from plantroom.lifeline import stop_event
from rules.rule_set import RuleSet


class Ordered(msgspec.Struct, frozen=True):
    """What is to be tried: the files and overrides in force (name -> text), over which store and span.

    `tune` is a parameter of `rule_id` and its values; empty for a plain backtest. Instants are microseconds.
    """

    site_files: dict[str, str]
    rule_files: dict[str, str]
    contract_files: dict[str, str]
    overrides: list[ParameterOverridden]
    store: str
    from_us: int
    to_us: int
    rule_id: str
    tune: str = ""
    values: tuple[float, ...] = ()


class Progress:
    """Whole percents of all runs together, in a file."""

    def __init__(self, path: Path, runs: int) -> None:
        self._path, self._runs, self._run, self._share, self._shown = path, runs, 0, 0.0, -1

    def tell(self, done: int, total: int) -> None:
        """How much of this run was read; less than before begins the next one."""
        share = min(done / total, 1.0) if total else 1.0
        if share < self._share:
            self._run += 1
        self._share = share
        percent = min(99, round(100 * (self._run + share) / self._runs))
        if percent > self._shown:
            self._shown = percent
            temporary = self._path.with_suffix(".tmp")
            temporary.write_text(f"{percent}\n", encoding="ascii")
            temporary.replace(self._path)


def try_it(ordered: Ordered, progress: Progress) -> BacktestReport:
    """Run it. Raises InputError or RetryableError in words for people."""
    registry = Registry.merge(parse_site(text, name) for name, text in ordered.site_files.items())
    rule_set = RuleSet.load(ordered.rule_files)
    history = store_history(ordered.store, registry, ordered.from_us, ordered.to_us)
    trial = Trial(
        registry=registry,
        site_texts=ordered.site_files,
        history=history,
        book=load_contracts(ordered.contract_files, registry, rule_set.rules),
        console=Console(quiet=True),
        attended=ATTENDED,
        told=progress.tell,
    )
    result = trial.run(rule_set.files, ordered.overrides)
    if history.span is None:
        raise refuse(
            "the store", "holds no readings of these days", "Choose more days, or try again when readings have come."
        )
    curve = None
    if ordered.tune:
        curve = tuned(trial, Tuning(ordered.rule_id, ordered.tune, ordered.values), rule_set, ordered.overrides)
    told = tuple(f"{one.rule_id}.{one.parameter} = {one.value:g} ({one.scope})" for one in ordered.overrides
                 if one.value is not None)  # fmt: skip
    return gather(Setting(registry, rule_set, trial.book, ATTENDED, told), history, result, tuned=curve)


def main(folder: Path) -> int:
    """The exit code: 0 done, 1 refused in words."""
    stop_event()  # ends us when the program does
    ordered = msgspec.json.decode((folder / "order.json").read_bytes(), type=Ordered)
    try:
        report = try_it(ordered, Progress(folder / "progress", 1 + len(ordered.values)))
    except (InputError, PlantroomError) as error:
        (folder / "error").write_text(str(error), encoding="utf-8")
        return 1
    write_atomically(folder / "result.json", msgspec.json.encode(report))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
