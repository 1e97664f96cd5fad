"""Which roles a process may have, how the work is divided among processes, and who keeps what lies in files."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from facility.errors import InputError
from facility.instant import SECOND_US, to_us
from facility.reading import Reading
from ingest.stores.parquet import ParquetStore
from plantroom.keeper import Keeper
from plantroom.launch import stages_of
from plantroom.part import PLANT, Role, format_roles, parse_processes, parse_roles
from plantroom.settings import load_settings

AT_US = to_us(datetime(2026, 3, 2, tzinfo=UTC))
HOLD = (
    "import sys; from pathlib import Path; from plantroom.keeper import Keeper; k = Keeper(Path(sys.argv[1])); "
    "k.take(); print('held', flush=True); sys.stdin.read()"
)


def test_roles_stand_together_or_alone() -> None:
    assert parse_roles("ingest") == {Role.INGEST}
    assert parse_roles("jobs, engine") == {Role.ENGINE, Role.JOBS}
    assert format_roles(parse_roles("web,engine,jobs")) == "engine,web,jobs"
    for text, what in (
        ("desk", "is not a role"),
        ("web,web", "twice"),
        ("ingest,web", "one process"),
        ("", "not a role"),
    ):
        with pytest.raises(InputError, match=what):
            parse_roles(text)


def test_the_work_is_divided_among_processes() -> None:
    ingest = frozenset((Role.INGEST,))
    assert parse_processes("engine,web,jobs") == (ingest, PLANT), "one for ingest is there without saying so"
    assert parse_processes("ingest engine,web,jobs ingest") == (ingest, PLANT, ingest)
    assert len(parse_processes("ingest engine engine web,jobs web,jobs")) == 5
    for text, what in (
        ("engine", "no process is given to web, jobs"),
        ("ingest ingest", "no process is given to engine, web, jobs"),
        ("engine,web,jobs broker", "is no process"),
        ("engine,web,jobs,ingest", "`ingest` for itself"),
        ("", "engine, web, jobs"),
    ):
        with pytest.raises(ValueError, match=what):
            parse_processes(text)
    with pytest.raises(InputError, match="no process is given to jobs"):
        load_settings(processes="engine web")


def test_processes_of_one_role_have_names_of_their_own() -> None:
    stages = stages_of(load_settings(processes="engine engine,jobs web ingest ingest", metrics_port=9101))
    specs = {spec.name: spec for spec in stages[-1]}
    assert list(specs) == ["engine", "engine-2", "web", "ingest", "ingest-2"]
    assert specs["engine-2"].arguments == ["run", "--role", "engine,jobs"]
    ports = {name: spec.environment["PLANTROOM_METRICS_PORT"] for name, spec in specs.items()}
    assert (ports["ingest"], {ports[name] for name in ("engine", "engine-2", "web")}) == ("9101", {"0"})


@pytest.fixture
def holder(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that keeps what lies in the folder, until it is killed."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "keeper.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_who_dies_gives_the_files_on_and_who_stands_still_does_not(
    holder: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    keeper, over = Keeper(tmp_path / "keeper.lock"), threading.Event()
    over.set()
    os.kill(holder.pid, signal.SIGSTOP)
    assert not keeper.take()
    assert not keeper.wait(over)
    holder.kill()
    holder.wait()
    assert keeper.take()
    assert keeper.held
    keeper.close()


def readings(*values: float) -> Sequence[Reading]:
    return [Reading("tank", "tank_level", AT_US + int(value) * SECOND_US, value) for value in values]


def levels(store: ParquetStore) -> list[float | str]:
    return [one.value for one in store.read("tank", "tank_level", AT_US, AT_US + 3600 * SECOND_US)]


def test_pages_of_another_process_read_parts_and_their_own_tail(tmp_path: Path) -> None:
    elapsed = 0.0
    writer = ParquetStore(tmp_path)
    reader = ParquetStore(tmp_path, writes=False, elapsed=lambda: elapsed)
    for store in (writer, reader):
        store.write(1, 2, readings(1, 2))
    assert (levels(reader), reader.cursor) == ([1, 2], 0)
    writer.flush()
    for store in (writer, reader):
        store.write(3, 4, readings(3))
    elapsed = 60.0
    reader.write(5, 5, readings(5))
    assert (levels(reader), reader.cursor) == ([1, 2, 3, 5], 2)
    reader.flush()
    assert len(list(tmp_path.glob("day=*/*.parquet"))) == 1, "it writes nothing"


def test_who_goes_on_writing_keeps_what_the_writer_had_not(tmp_path: Path) -> None:
    writer, reader = ParquetStore(tmp_path), ParquetStore(tmp_path, writes=False)
    for store in (writer, reader):
        store.write(1, 2, readings(1, 2))
    writer.flush()
    for store in (writer, reader):
        store.write(3, 4, readings(3, 4))  # the writer is killed with these in memory alone
    reader.begin_writing()
    reader.write(5, 5, readings(5))
    reader.flush()
    assert reader.cursor == 5
    assert levels(ParquetStore(tmp_path)) == [1, 2, 3, 4, 5]
