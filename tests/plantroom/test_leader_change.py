"""Two real processes on one database: the leader stands still, the other one takes over, and no deadline is missed."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import leading
import pytest
from receiver import Receiver

from facility.finding import Finding
from facility.registry import Registry
from plantroom.database import Database
from ticketing.desk import Desk
from ticketing.outbox_rows import list_messages
from ticketing.tables_outbox import OutboxRow

NewFinding = Callable[..., Finding]
SCRIPT = Path(leading.__file__)
ORDERS, APART, HALF = 8, timedelta(seconds=0.5), timedelta(hours=1)
Processes = list["subprocess.Popen[str]"]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with closing(Receiver()) as listening:
        yield listening


@pytest.fixture
def processes(database: Database, receiver: Receiver) -> Iterator[Processes]:
    """Two of them, the one that leads first."""
    url, started = database.url.render_as_string(hide_password=False), []
    for name in ("one", "two"):
        command = [sys.executable, str(SCRIPT), url, str(receiver.port), name]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    try:
        yield sorted(started, key=lambda one: says(one) != "leads")
    finally:
        for one in started:
            one.kill()
            one.communicate(timeout=30)


def says(process: "subprocess.Popen[str]") -> str:
    """Which of the two it says next; its log stands between."""
    assert process.stdout is not None
    return next((line.strip() for line in process.stdout if line.strip() in ("leads", "waits")), "has ended")


def due_soon(database: Database, registry: Registry, finding: NewFinding) -> None:
    """Orders whose escalations fall due one behind the other, from a second on."""
    first = datetime.now(UTC) + timedelta(seconds=1)
    with database.writing() as session:
        found = [
            finding(rule=f"rule-{number}", title=f"Hot {number}", at=first + number * APART - HALF)
            for number in range(ORDERS)
        ]
        Desk(leading.book(), lambda: registry).receive(session, found)


def rows(database: Database) -> list[OutboxRow]:
    with database.reading() as session:
        return list(list_messages(session, None, 100, 0))


def check_told(receiver: Receiver, database: Database, before: Collection[str]) -> None:
    """Everything was told. Of what was on its way when the leader stopped (some of `before`) nobody knows whether it
    came in: that may come once more, with its key; all the rest came once."""
    assert receiver.wait_for(ORDERS, 60)
    found = rows(database)
    assert len({one.key for one in found}) == len(found) == ORDERS
    assert sorted(receiver.taken) == sorted(one.key for one in found)
    assert {count for key, count in receiver.taken.items() if key not in before} == {1}
    assert not any(one.late for one in found)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process and let it go on")
def test_a_leader_that_stands_still_is_replaced_and_tells_nothing_when_it_wakes(
    processes: Processes, receiver: Receiver, database: Database, registry: Registry, finding: NewFinding
) -> None:
    first, second = processes
    due_soon(database, registry, finding)
    assert receiver.wait_for(1, 60)
    os.kill(first.pid, signal.SIGSTOP)
    before = set(receiver.taken)
    assert says(second) == "leads"
    assert receiver.wait_for(min(ORDERS, len(before) + 1), 60)
    os.kill(first.pid, signal.SIGCONT)
    assert says(first) == "waits"
    check_told(receiver, database, before)


@pytest.mark.soak
def test_a_leader_that_is_killed_is_replaced_and_every_deadline_is_told(
    processes: Processes, receiver: Receiver, database: Database, registry: Registry, finding: NewFinding
) -> None:
    first, second = processes
    due_soon(database, registry, finding)
    assert receiver.wait_for(2, 60)
    first.kill()
    before = set(receiver.taken)
    assert says(second) == "leads"
    check_told(receiver, database, before)
