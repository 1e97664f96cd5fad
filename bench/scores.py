"""Every score on data nobody here wrote, as Markdown: `python -m bench.scores [NAME ...] [--table docs/scores.md]`.

What is not in the repository is found through PLANTROOM_DATA and named where it is missing.
"""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from bench import score_ahu, score_ambient, score_occupancy, score_openfdd, score_water_bench, score_water_network
from bench.history import EXAMPLES, NO_DAYS, Healthy, evaluation_data
from plantroom.score_board import GOAL
from plantroom.score_page import put_table

BEGIN, END = "<!-- data sets -->", "<!-- /data sets -->"
MISSING = "not measured here: set PLANTROOM_DATA (evaluate only)"


Measured = tuple[str, Healthy]
"""The score in a line, and the healthy asset-days with the orders on them (none where a set has no whole days)."""


def air_handlers() -> Measured:
    """Whole files, orders attended."""
    folder = EXAMPLES / "lbnl"
    labels = score_ahu.read_labels(folder / "day_labels.csv")
    units = {name: score_ahu.Unit(folder, name) for name in score_ahu.FILES}
    score = score_ahu.score(labels, score_ahu.opened_orders(units, labels))
    return score.line(), Healthy(score.healthy, score.false_orders)


def openfdd() -> Measured:
    """All six cases."""
    score = score_openfdd.run(EXAMPLES / "openfdd")
    return score.line(), score.healthy


def occupancy() -> Measured:
    """Every file."""
    score = score_occupancy.run(EXAMPLES / "occupancy")
    return score.line(), score.healthy


def ambient() -> Measured:
    """The whole file."""
    score = score_ambient.run(EXAMPLES / "ambient")
    return "; ".join(line.strip() for line in score.lines()), score.healthy


def water_network() -> Measured:
    """All scenarios."""
    folder = evaluation_data("water_network")
    if folder is None:
        return MISSING, NO_DAYS
    score = score_water_network.run(folder)
    return score.line(), score.healthy


def water_bench() -> Measured:
    """All files, pooled; each lasts minutes, so there are no days to count."""
    folder = evaluation_data("water_bench")
    if folder is None:
        return MISSING, NO_DAYS
    return score_water_bench.pool(list(score_water_bench.run(folder).values())).line(), NO_DAYS


SCORES: dict[str, tuple[str, str, Callable[[], Measured]]] = {
    "ahu": ("air handlers (LBNL)", ">= 14/17 found, <= 1/11 false, >= 12/17 right", air_handlers),
    "openfdd": ("open-fdd golden cases", "6/6, nothing else", openfdd),
    "occupancy": ("lights in the empty office (UCI)", "the true episodes only", occupancy),
    "ambient": ("office temperature (NAB)", "2/2 early, <= 1 false", ambient),
    "water_network": ("district inflow (LeakDB procedure)", "F1 >= 99, early detection >= 92", water_network),
    "water_bench": ("water bench (SKAB)", "F1 >= 0.80 at <= 12 % false alarms", water_bench),
}


def simulated(scoreboard: Path) -> Healthy:
    """The simulated months as `plantroom score --json` wrote them."""
    sums = json.loads(scoreboard.read_bytes())["sums"]
    return Healthy(sums["healthy_asset_days"], sums["false_orders"])


def pooled(parts: Mapping[str, Healthy]) -> str:
    """All healthy asset-days together, real and simulated, as a line of the table."""
    whole = sum(parts.values(), NO_DAYS)
    of_which = ", ".join(f"{name} {one.orders} on {one.days:,}" for name, one in parts.items() if one.days)
    rate = whole.orders / whole.days if whole.days else 0.0
    said = f"{whole.orders} on {whole.days:,}: {rate:.4f} a day ({of_which})"
    return f"| false orders on healthy asset-days, pooled | <= {GOAL:g} a day | {said} | `python -m bench.scores` |"


def main() -> None:
    """Score the named sets, or every one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SCORES)}; all without any")
    parser.add_argument("--table", type=Path, help="also put the table into this Markdown page, between its marks")
    parser.add_argument(
        "--months", type=Path, default=EXAMPLES.parent / "docs" / "scoreboard.json",
        help="the simulated months to pool with them, as `plantroom score --json` writes them",
    )  # fmt: skip
    given = parser.parse_args()
    if unknown := [name for name in given.names if name not in SCORES]:
        parser.error(f"no set is called {', '.join(unknown)}; there are {', '.join(SCORES)}")
    if not given.months.is_file():
        parser.error(f"--months {given.months} is no file: write it with `plantroom score examples/scenarios --json`")
    lines, healthy = ["| set | goal | score | command |", "|---|---|---|---|"], {}
    for name in given.names or SCORES:
        what, goal, measure = SCORES[name]
        said, healthy[what] = measure()
        lines.append(f"| {what} | {goal} | {said} | `python -m bench.score_{name}` |")
        print(lines[-1], flush=True)
    lines.append(pooled({**healthy, "simulated months": simulated(given.months)}))
    print(lines[-1])
    if given.table is not None:
        page = put_table(given.table.read_text("utf-8"), str(given.table), "\n".join(lines) + "\n", (BEGIN, END))
        given.table.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
