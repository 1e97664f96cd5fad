"""The scoreboard of simulated months: one row a kind of fault, the false orders, and all of it as JSON or Markdown."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from statistics import median

import msgspec

from facility.instant import format_duration, format_instant, from_us
from plantroom.score import FaultScore, Month

GOAL = 0.03
"""False orders per healthy asset-day, pooled over every simulated month and the real sets."""


class Row(msgspec.Struct, frozen=True):
    """All faults of one kind. `delay_s` is the median of those found, None when none was."""

    fault: str
    component: str
    times: int
    found: int
    right: int
    delay_s: float | None
    rules: tuple[str, ...]


class Scoreboard(msgspec.Struct, frozen=True):
    """Months in the order they were given."""

    months: tuple[Month, ...]

    @property
    def faults(self) -> list[FaultScore]:
        """Every fault of every month."""
        return [fault for month in self.months for fault in month.faults]

    @property
    def found(self) -> int:
        """How many faults led to an order on the broken asset."""
        return sum(fault.delay_s is not None for fault in self.faults)

    @property
    def right(self) -> int:
        """How many of them with the broken part among the first three diagnoses."""
        return sum(fault.right for fault in self.faults)

    @property
    def healthy_days(self) -> int:
        """Asset-days on which nothing was wrong."""
        return sum(month.healthy_days for month in self.months)

    @property
    def false_calls(self) -> int:
        """Orders on such days."""
        return sum(len(month.false_calls) for month in self.months)

    @property
    def false_rate(self) -> float:
        """False orders per healthy asset-day."""
        return self.false_calls / self.healthy_days if self.healthy_days else 0.0

    def rows(self) -> list[Row]:
        """By system and kind of fault, in the order they first came."""
        kinds: dict[tuple[str, str], list[FaultScore]] = {}
        for fault in self.faults:
            kinds.setdefault((fault.month.partition("/")[0], fault.truth.fault), []).append(fault)
        return [_row(f"{system}: {name}", group) for (system, name), group in kinds.items()]


def _row(name: str, group: Sequence[FaultScore]) -> Row:
    delays = [fault.delay_s for fault in group if fault.delay_s is not None]
    return Row(
        fault=name,
        component=group[0].truth.component,
        times=len(group),
        found=len(delays),
        right=sum(fault.right for fault in group),
        delay_s=median(delays) if delays else None,
        rules=tuple(dict.fromkeys(rule for fault in group for rule in fault.rules)),
    )


def headline(board: Scoreboard) -> str:
    """The whole board in one sentence."""
    return (
        f"{board.found} of {len(board.faults)} faults found, {board.right} with the right part; "
        f"{board.false_calls} false orders on {board.healthy_days:,} healthy asset-days ({board.false_rate:.3f} a day, "
        f"goal {GOAL:g})."
    )


def markdown(board: Scoreboard) -> str:
    """Headline, one line a kind of fault, one a month, and every false order, as Markdown."""
    lines = [headline(board), "", "| fault | broken part | times | found | right part | delay | orders by |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for row in board.rows():
        by = ", ".join(f"`{rule}`" for rule in row.rules) or "nobody"
        lines.append(
            f"| {row.fault} | {row.component} | {row.times} | {row.found} | {row.right} | {delay(row.delay_s)} | {by} |"
        )
    lines += ["", "| month | days | healthy asset-days | false orders | by |", "|---|---|---|---|---|"]
    for month in board.months:
        rules = ", ".join(f"`{name}`" for name in _false_rules(month)) or "none"
        lines.append(f"| {month.name} | {month.days} | {month.healthy_days} | {len(month.false_calls)} | {rules} |")
    return "\n".join(lines) + "\n"


def details(board: Scoreboard) -> Iterable[str]:
    """One line for each fault and each false order, for whoever wants to know which."""
    for fault in board.faults:
        truth = fault.truth
        what = f"found after {delay(fault.delay_s)}" if fault.delay_s is not None else "MISSED"
        part = "right part" if fault.right else "other part" if fault.delay_s is not None else ""
        rules = ", ".join((*fault.rules, *(f"[{other}]" for other in fault.elsewhere)))
        yield (
            f"{fault.month} {_at(truth.from_us)} {truth.asset_id} {truth.fault} {truth.severity:g}: "
            f"{what} {part} {rules}".rstrip()
        )
    for month in board.months:
        for one in month.false_calls:
            yield f"{one.month} {_at(one.call.at_us)} {one.call.asset_id} {one.call.rule_id}: FALSE"


def as_json(board: Scoreboard) -> bytes:
    """The board with its sums and every single fault and order, readable by people too."""
    sums = {
        "faults": len(board.faults), "found": board.found, "right_part": board.right,
        "healthy_asset_days": board.healthy_days, "false_orders": board.false_calls,
        "false_orders_a_day": round(board.false_rate, 5), "goal": GOAL,
    }  # fmt: skip
    answer = {"sums": sums, "rows": board.rows(), "months": board.months}
    return msgspec.json.format(msgspec.json.encode(answer), indent=1) + b"\n"


def delay(seconds: float | None) -> str:
    """A delay in words; a dash when there is none."""
    return format_duration(timedelta(seconds=60 * round(seconds / 60))) if seconds is not None else "-"


def _false_rules(month: Month) -> list[str]:
    counts: dict[str, int] = {}
    for one in month.false_calls:
        counts[one.call.rule_id] = counts.get(one.call.rule_id, 0) + 1
    return [f"{rule} x{number}" if number > 1 else rule for rule, number in counts.items()]


def _at(at_us: int) -> str:
    return format_instant(from_us(at_us))
