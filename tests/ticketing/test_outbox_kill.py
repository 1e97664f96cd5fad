"""Kill the sending process at any instant: nothing is lost, and nothing is told twice to whoever knows its key."""

import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sending
from receiver import Receiver

from facility.finding import Finding
from plantroom.database import Database
from ticketing.desk import Desk
from ticketing.outbox_rows import list_messages
from ticketing.tables_outbox import OutboxRow
from ticketing.webhook import verify

NewFinding = Callable[..., Finding]
AT = datetime(2026, 3, 2, 1, tzinfo=UTC)
SCRIPT = Path(sending.__file__)


def kill_and_go_on(database: Database, desk: Desk, finding: NewFinding, orders: int, kills: int) -> None:
    """Open orders, tell of them in processes that are killed after a few messages each, and look at what came in."""
    with database.writing() as session:
        desk.receive(session, [finding(rule=f"rule-{number}") for number in range(orders)])
    url, chance = database.url.render_as_string(hide_password=False), random.Random(kills)
    with closing(Receiver()) as receiver:
        for generation in range(kills + 1):
            last = generation == kills
            most = 2 * orders  # each order is told to a person, and to another system
            wanted = most if last else min(most, len(receiver.taken) + chance.randint(1, max(1, most // kills)))
            command = [sys.executable, str(SCRIPT), url, str(receiver.port), str(generation * 60)]
            process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
            try:
                came = receiver.wait_for(wanted, 60)
                if last:
                    came = came and _settled(database)
            finally:
                process.kill()
                _, errors = process.communicate(timeout=30)
            assert came, errors
        rows = _rows(database)
        assert Counter(row.kind for row in rows.values()) == {"webhook": orders, "notice": orders}
        assert {row.state for row in rows.values()} == {"delivered"}
        assert set(receiver.taken) == set(rows)
        assert (
            sum(receiver.taken.values()) - len(rows) <= kills * 8
        )  # only what was on its way came again, with its key
        for key, body in receiver.bodies.items():
            assert rows[key].kind == "notice" or verify(
                sending.SECRET, key, body, receiver.headers[key]["X-Plantroom-Signature"]
            )


def _rows(database: Database) -> dict[str, OutboxRow]:
    with database.reading() as session:
        return {row.key: row for row in list_messages(session, None, 10_000, 0)}


def _settled(database: Database) -> bool:
    """Whether the last process has written down everything in time."""
    pause = threading.Event()
    for _ in range(600):
        if all(row.state == "delivered" for row in _rows(database).values()):
            return True
        pause.wait(0.05)
    return False


def test_two_kills_lose_nothing_and_double_nothing(database: Database, desk: Desk, finding: NewFinding) -> None:
    if database.engine.dialect.name == "postgresql":
        pytest.skip("the soak kills on PostgreSQL too")
    kill_and_go_on(database, desk, finding, orders=20, kills=2)


@pytest.mark.soak
def test_thirty_kills_lose_nothing_and_double_nothing(database: Database, desk: Desk, finding: NewFinding) -> None:
    kill_and_go_on(database, desk, finding, orders=300, kills=30)
