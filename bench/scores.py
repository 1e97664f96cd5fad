"""Every score on data nobody here wrote, as Markdown: `python -m bench.scores [NAME ...] [--table docs/scores.md]`.

What is not in the repository is found through PLANTROOM_DATA and named where it is missing.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from bench import score_ahu, score_ambient, score_occupancy, score_openfdd, score_water_bench, score_water_network
from bench.history import EXAMPLES, evaluation_data
from plantroom.score_page import put_table

BEGIN, END = "<!-- data sets -->", "<!-- /data sets -->"
MISSING = "not measured here: set PLANTROOM_DATA (evaluate only)"


def air_handlers() -> str:
    """Whole files, orders attended."""
    folder = EXAMPLES / "lbnl"
    labels = score_ahu.read_labels(folder / "day_labels.csv")
    units = {name: score_ahu.Unit(folder, name) for name in score_ahu.FILES}
    return score_ahu.score(labels, score_ahu.opened_orders(units, labels)).line()


def water_network() -> str:
    """All scenarios."""
    folder = evaluation_data("water_network")
    return score_water_network.run(folder).line() if folder is not None else MISSING


def water_bench() -> str:
    """All files, pooled."""
    folder = evaluation_data("water_bench")
    if folder is None:
        return MISSING
    return score_water_bench.pool(list(score_water_bench.run(folder).values())).line()


SCORES: dict[str, tuple[str, str, Callable[[], str]]] = {
    "ahu": ("air handlers (LBNL)", ">= 14/17 found, <= 1/11 false, >= 12/17 right", air_handlers),
    "openfdd": ("open-fdd golden cases", "6/6, nothing else", lambda: score_openfdd.run(EXAMPLES / "openfdd").line()),
    "occupancy": (
        "lights in the empty office (UCI)",
        "the true episodes only",
        lambda: score_occupancy.run(EXAMPLES / "occupancy").line(),
    ),
    "ambient": (
        "office temperature (NAB)",
        "2/2 early, <= 1 false",
        lambda: "; ".join(line.strip() for line in score_ambient.run(EXAMPLES / "ambient").lines()),
    ),
    "water_network": ("district inflow (LeakDB procedure)", "F1 >= 99, early detection >= 92", water_network),
    "water_bench": ("water bench (SKAB)", "F1 >= 0.80 at <= 12 % false alarms", water_bench),
}


def main() -> None:
    """Score the named sets, or every one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SCORES)}; all without any")
    parser.add_argument("--table", type=Path, help="also put the table into this Markdown page, between its marks")
    given = parser.parse_args()
    if unknown := [name for name in given.names if name not in SCORES]:
        parser.error(f"no set is called {', '.join(unknown)}; there are {', '.join(SCORES)}")
    lines = ["| set | goal | score | command |", "|---|---|---|---|"]
    for name in given.names or SCORES:
        what, goal, measure = SCORES[name]
        lines.append(f"| {what} | {goal} | {measure()} | `python -m bench.score_{name}` |")
        print(lines[-1], flush=True)
    if given.table is not None:
        page = put_table(given.table.read_text("utf-8"), str(given.table), "\n".join(lines) + "\n", (BEGIN, END))
        given.table.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
