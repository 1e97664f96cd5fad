"""What a wide CSV held, and what was wrong with it: counted while it is read, told at the end, never fatal."""

from dataclasses import dataclass, field
from datetime import timedelta

from facility.instant import format_duration, format_instant, from_us

EXAMPLES = 5
GAPS_KEPT = 1_000


@dataclass(slots=True)
class Flaw:
    """How often one thing was wrong, and the first few line numbers (the header is line 1)."""

    count: int = 0
    lines: list[int] = field(default_factory=list)

    def add(self, line: int) -> None:
        """Once more, in this line."""
        self.count += 1
        if len(self.lines) < EXAMPLES:
            self.lines.append(line)

    def __str__(self) -> str:
        if not self.count:
            return "none"
        more = ", ..." if self.count > len(self.lines) else ""
        return f"{self.count:,} (line {', '.join(map(str, self.lines))}{more})"


@dataclass(slots=True)
class ColumnReport:
    """One mapped column. `out_of_range` readings are kept with that quality; the other three are no readings."""

    readings: int = 0
    empty: Flaw = field(default_factory=Flaw)
    missing: Flaw = field(default_factory=Flaw)
    unreadable: Flaw = field(default_factory=Flaw)
    out_of_range: Flaw = field(default_factory=Flaw)


@dataclass(slots=True)
class CsvReport:
    """One pass through a file.

    `rows` were read, header excluded. Rows with an unreadable or non-existent time give no readings. Repeated rows
    (same instant as the row before) and unordered ones (earlier than a row before) give readings like any other, and
    ambiguous ones (clocks set back) too. `gaps` holds the first thousand as (last instant before, first after), in
    microseconds since the epoch; `gap_count` all.
    """

    rows: int = 0
    scans: int = 0
    first_us: int | None = None
    last_us: int | None = None
    unreadable_times: Flaw = field(default_factory=Flaw)
    nonexistent_times: Flaw = field(default_factory=Flaw)
    ambiguous_times: Flaw = field(default_factory=Flaw)
    repeated: Flaw = field(default_factory=Flaw)
    unordered: Flaw = field(default_factory=Flaw)
    broken_rows: Flaw = field(default_factory=Flaw)
    gap_count: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    unmapped: tuple[str, ...] = ()
    columns: dict[str, ColumnReport] = field(default_factory=dict)

    @property
    def readings(self) -> int:
        """Readings of all columns together."""
        return sum(column.readings for column in self.columns.values())

    def add_gap(self, from_us: int, to_us: int) -> None:
        """No row between these two instants."""
        self.gap_count += 1
        if len(self.gaps) < GAPS_KEPT:
            self.gaps.append((from_us, to_us))

    def lines(self) -> list[str]:
        """For people: one line a fact, and only what was wrong after the first."""
        span = ""
        if self.first_us is not None and self.last_us is not None:
            span = f", {format_instant(from_us(self.first_us))} to {format_instant(from_us(self.last_us))}"
        told = [f"{self.rows:,} rows, {self.scans:,} scans, {self.readings:,} readings{span}"]
        for flaw, what in (
            (self.broken_rows, "rows that are no CSV or have too few cells, left out or cut"),
            (self.unreadable_times, "rows whose time cannot be read, left out; check time.format in the map"),
            (self.nonexistent_times, "rows at a local time that the clocks skipped, left out; is the offset fixed?"),
            (self.ambiguous_times, "rows at a local time that comes twice, taken in file order"),
            (self.repeated, "rows with the same time as the row before"),
            (self.unordered, "rows earlier than a row before"),
        ):
            if flaw.count:
                told.append(f"{what}: {flaw}")
        for name, column in self.columns.items():
            for flaw, what in (
                (column.empty, "empty cells"),
                (column.missing, "cells that say nothing was measured"),
                (column.unreadable, "cells that are not a value"),
                (column.out_of_range, "values outside the point's valid range, kept as out_of_range"),
            ):
                if flaw.count:
                    told.append(f"{name}: {what}: {flaw}")
        for start, end in self.gaps[:EXAMPLES]:
            length = format_duration(timedelta(microseconds=end - start))
            told.append(
                f"gap of {length} after {format_instant(from_us(start))}; nobody listened, so it is not silence"
            )
        if self.gap_count > EXAMPLES:
            told.append(f"{self.gap_count:,} gaps in all")
        if self.unmapped:
            told.append(f"columns not in the map: {', '.join(self.unmapped)}")
        return told
