"""What only the Parquet store promises: parts by range and day, merging, and nothing lost or doubled by a kill."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facility.errors import InputError, RetryableError
from facility.reading import Reading
from ingest.stores.base import DAY_US
from ingest.stores.parquet import ParquetStore
from ingest.stores.parts import Part, choose_run, parse_part, part_path, superfluous

T0 = 20_000 * DAY_US  # 2024-10-04
SECOND_US = 1_000_000


def reading(second: int, value: float, asset: str = "p1") -> Reading:
    return Reading(asset, "water_flow", T0 + second * SECOND_US, value)


def values(store: ParquetStore, asset: str = "p1") -> list[tuple[int, object]]:
    found = store.read(asset, "water_flow", T0 - 9 * DAY_US, T0 + 9 * DAY_US)
    return [((r.at_us - T0) // SECOND_US, r.value) for r in found]


def part_names(folder: Path) -> list[str]:
    return sorted(f"{path.parent.name}/{path.name}" for path in folder.rglob("*.parquet"))


def test_parts_are_named_by_event_day_and_range_and_any_tool_opens_them(tmp_path: Path) -> None:
    store = ParquetStore(tmp_path)
    store.write(3, 5, [reading(0, 1.0), reading(-1, 2.0)])
    store.flush()
    assert part_names(tmp_path) == [
        "day=2024-10-03/part-000000000003-000000000005.parquet",
        "day=2024-10-04/part-000000000003-000000000005.parquet",
    ]
    frame = pl.read_parquet(tmp_path / "day=2024-10-04", hive_partitioning=False)
    assert frame.columns == ["asset", "point", "at", "value", "text", "quality"]
    assert frame.schema["at"] == pl.Datetime("us", "UTC")


def test_the_tail_becomes_parts_by_time_and_by_size(tmp_path: Path) -> None:
    now_s = [0.0]
    store = ParquetStore(tmp_path, part_s=60, part_readings=10, elapsed=lambda: now_s[0])
    store.write(1, 1, [reading(n, 1.0) for n in range(9)])
    assert store.cursor == 0
    store.write(2, 2, [reading(9, 1.0)])
    assert store.cursor == 2
    now_s[0] = 61.0
    store.write(3, 3, [])
    assert store.cursor == 3
    assert len(part_names(tmp_path)) == 1


def test_small_parts_are_merged_and_late_ones_join_their_day(tmp_path: Path) -> None:
    store = ParquetStore(tmp_path)
    for seq in range(1, 10):
        store.write(seq, seq, [reading(seq, float(seq)), reading(0, float(seq))])
        store.flush()
    store.write(10, 10, [reading(-DAY_US // SECOND_US, 0.5)])
    store.flush()
    assert store.merge() == 1
    store.write(11, 11, [reading(-DAY_US // SECOND_US + 1, 0.25), reading(3, -3.0)])
    store.flush()
    before = values(store)
    assert store.merge() == 1
    assert values(store) == before
    assert part_names(tmp_path) == [
        "day=2024-10-03/part-000000000010-000000000011.parquet",
        "day=2024-10-04/part-000000000001-000000000009.parquet",
        "day=2024-10-04/part-000000000011-000000000011.parquet",
    ]
    assert dict(values(ParquetStore(tmp_path)))[0] == 9.0
    assert dict(values(ParquetStore(tmp_path)))[3] == -3.0


def test_a_range_taken_before_changes_nothing(tmp_path: Path) -> None:
    store = ParquetStore(tmp_path)
    store.write(1, 3, [reading(0, 1.0)])
    store.write(1, 3, [reading(0, 9.0)])
    assert values(store) == [(0, 1.0)]


def test_leftovers_of_a_kill_are_cleared_away(tmp_path: Path) -> None:
    store = ParquetStore(tmp_path)
    for seq in (1, 2):
        store.write(seq, seq, [reading(seq, float(seq))])
        store.flush()
    day = tmp_path / "day=2024-10-04"
    kept = {path.name: path.read_bytes() for path in day.iterdir()}
    store.write(3, 3, [reading(DAY_US // SECOND_US, 3.0)])
    store.flush()
    store.merge()
    for name, data in kept.items():  # as if killed before the merged parts were unlinked
        (day / name).write_bytes(data)
    (day / "part-000000000004-000000000004.parquet.tmp").write_bytes(b"PAR1 half")
    again = ParquetStore(tmp_path)
    assert [path.name for path in day.iterdir()] == ["part-000000000001-000000000002.parquet"]
    assert len(values(again)) == 3


def test_commits_read_again_after_a_kill_before_the_cursor_moved_are_not_doubled(tmp_path: Path) -> None:
    store = ParquetStore(tmp_path)
    store.write(1, 4, [reading(1, 1.0), reading(2, 2.0)])
    store.flush()
    (tmp_path / "cursor").unlink()  # as if killed between the parts and the cursor
    again = ParquetStore(tmp_path)
    assert again.cursor == 0
    again.write(1, 2, [reading(1, 1.0)])
    again.flush()
    again.write(3, 6, [reading(2, 2.0), reading(1, 5.0)])
    assert values(again) == [(1, 5.0), (2, 2.0)]
    again.flush()
    assert values(ParquetStore(tmp_path)) == [(1, 5.0), (2, 2.0)]


@pytest.mark.parametrize("cut", [99, 100, 120, 150, 200])
def test_what_comes_under_old_numbers_after_a_cut_is_kept_beside_what_was_there(tmp_path: Path, cut: int) -> None:
    store = ParquetStore(tmp_path)
    for first, last in ((1, 100), (101, 120), (121, 200)):
        store.write(first, last, [reading(last, float(last)), reading(0, 0.0)])
        store.flush()
    store.rewind(cut)
    store.write(cut + 1, cut + 20, [reading(300, 3.0), reading(0, 5.0)])
    store.flush()
    expected = [(0, 5.0), (100, 100.0), (120, 120.0), (200, 200.0), (300, 3.0)]
    assert values(store) == expected
    again = ParquetStore(tmp_path)  # which clears away what others cover
    assert values(again) == expected
    again.rewind(cut)  # killed before anybody wrote down that it was done
    assert values(ParquetStore(tmp_path)) == expected


def test_a_full_disk_keeps_the_tail_and_a_later_flush_succeeds(tmp_path: Path) -> None:
    store = ParquetStore(tmp_path)
    (tmp_path / "day=2024-10-04").write_text("in the way")
    store.write(1, 1, [reading(0, 1.0)])
    with pytest.raises(RetryableError, match="cannot write parts"):
        store.flush()
    store.write(2, 2, [reading(1, 2.0)])
    assert values(store) == [(0, 1.0), (1, 2.0)]
    assert store.cursor == 0
    (tmp_path / "day=2024-10-04").unlink()
    store.flush()
    assert store.cursor == 2
    assert values(ParquetStore(tmp_path)) == [(0, 1.0), (1, 2.0)]


def test_a_damaged_part_is_told_and_the_other_days_go_on(tmp_path: Path) -> None:
    now_s = [0.0]
    store = ParquetStore(tmp_path, part_s=60, elapsed=lambda: now_s[0])
    store.write(1, 1, [reading(0, 1.0), reading(-DAY_US // SECOND_US, 2.0)])
    store.flush()
    (tmp_path / "day=2024-10-04" / "part-000000000001-000000000001.parquet").write_bytes(b"PAR1 not any more")
    now_s[0] = 61.0
    store.write(2, 2, [reading(1, 3.0), reading(DAY_US // SECOND_US, 4.0)])
    assert store.cursor == 2
    with pytest.raises(RetryableError, match="cannot read parts"):
        store.read("p1", "water_flow", T0, T0 + DAY_US)
    assert [r.value for r in store.read("p1", "water_flow", T0 - DAY_US, T0)] == [2.0]
    store.write(3, 3, [reading(2 * DAY_US // SECOND_US, 5.0), reading(DAY_US // SECOND_US + 1, 4.0)])
    store.flush()
    with pytest.raises(RetryableError, match="cannot merge parts"):
        store.merge()
    assert len([name for name in part_names(tmp_path) if name.startswith("day=2024-10-05")]) == 1


def test_a_cursor_that_is_no_number_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "cursor").write_text("twelve")
    with pytest.raises(InputError, match=r"cursor: holds 'twelve'.*Move it aside"):
        ParquetStore(tmp_path)


def test_readers_see_every_reading_while_parts_are_written_and_merged(tmp_path: Path) -> None:
    store = ParquetStore(tmp_path, part_readings=20)
    written, problems, done = [0], list[str](), threading.Event()

    def watch() -> None:
        while not done.is_set():
            floor = written[0]
            found = values(store)
            if len(found) < floor or [second for second, _ in found] != list(range(len(found))):
                problems.append(f"{len(found)} readings after {floor} were written")

    threads = [threading.Thread(target=watch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for seq in range(1, 200):
        store.write(seq, seq, [reading(second, 1.0) for second in range(written[0], written[0] + 5)])
        written[0] += 5
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []


_CHILD = """
import sys
from pathlib import Path
from facility.reading import Reading
from ingest.stores.parquet import ParquetStore

T0, last = 20_000 * 86_400_000_000, 4_000
store = ParquetStore(Path(sys.argv[1]), part_readings=60)
print("ready", flush=True)
for seq in range(store.cursor + 1, last + 1):
    at = T0 + (seq * 7_919 % 3_000) * 60_000_000
    store.write(seq, seq, [Reading("p1", "water_flow", at, float(seq))])
store.close()
"""


def test_killed_at_any_instant_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    expected: dict[int, float] = {}
    for seq in range(1, 4_001):
        expected[(seq * 7_919 % 3_000) * 60] = float(seq)
    waiting, kills = threading.Event(), 0
    for delay_s in (0.02, 0.15, 0.05, 0.3, 0.1, 0.0):
        child = subprocess.Popen([sys.executable, "-c", _CHILD, str(tmp_path)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        with child:
            assert child.stdout.readline() == b"ready\n"
            waiting.wait(delay_s)
            if delay_s:
                kills += child.poll() is None
                os.kill(child.pid, signal.SIGKILL)
    assert kills >= 3
    store = ParquetStore(tmp_path)
    assert store.cursor == 4_000
    assert values(store) == sorted(expected.items())


def test_only_neighbours_of_a_size_are_merged() -> None:
    def part(first: int, last: int, size: int) -> Part:
        return Part(last, first, 0, part_path(Path(), 0, first, last), size)

    small = [part(n, n, 1_000) for n in range(1, 9)]
    assert choose_run(small, 8, 10**9) == small
    assert choose_run(small[:7], 8, 10**9) == ()
    assert choose_run([*small[:4], part(9, 9, 10**8), part(10, 10, 1_000)], 2, 10**6) == small[:4]
    assert choose_run([part(1, 1, 200_000), part(2, 2, 300_000)], 2, 10**9)
    assert choose_run([part(1, 1, 200_000), part(2, 2, 300_000), part(3, 3, 1_000)], 2, 400_000) == [
        part(2, 2, 300_000), part(3, 3, 1_000),
    ]  # fmt: skip
    assert choose_run([part(1, 1, 200_000), part(2, 2, 300_000)], 2, 400_000) == ()
    assert superfluous([part(1, 8, 9), part(3, 4, 9), part(8, 9, 9)]) == [part(3, 4, 9)]


@given(day=st.integers(-100_000, 100_000), first=st.integers(1, 10**13), count=st.integers(0, 10**6))
def test_part_names_come_back(tmp_path_factory: pytest.TempPathFactory, day: int, first: int, count: int) -> None:
    path = part_path(tmp_path_factory.getbasetemp() / "names", day, first, first + count)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    found = parse_part(path)
    path.unlink()
    assert found == Part(first + count, first, day, path, 0)
    assert parse_part(path.with_name("notes.txt")) is None
