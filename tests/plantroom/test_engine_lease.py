"""Of two engines over one database the later one writes; the one it replaced writes nothing, and takes over again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import prometheus_client
import pytest
from sqlmodel import Session

from facility.clock import JournalClock
from facility.finding import Finding
from facility.instant import to_us
from facility.reading import Commit
from plantroom.database import Database
from plantroom.engine_host import LEASE, EngineHost, HostMetrics
from ticketing import repository
from ticketing.lease import TTL, Lease, LeaseLostError

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)


class Pages:
    """A journal that grows commit by commit, and a desk that nobody has anything for."""

    def __init__(self) -> None:
        self.commits: list[Commit] = []

    def grow(self) -> None:
        self.commits.append(Commit(len(self.commits) + 1, to_us(AT) + len(self.commits), ()))

    def read(self, after_seq: int, limit: int = 500) -> list[Commit]:
        return self.commits[after_seq : after_seq + limit]

    def last_seq(self) -> int:
        return len(self.commits)

    def first_seq(self) -> int:
        return 1 if self.commits else 0

    def receive(self, session: Session, findings: Sequence[Finding]) -> None:
        raise AssertionError((session, findings))


def host(database: Database, pages: Pages, name: str, wall: JournalClock) -> EngineHost:
    lease = Lease(database, LEASE, name, wall)
    metrics = HostMetrics(prometheus_client.CollectorRegistry())
    clock = JournalClock(to_us(AT))
    return EngineHost(pages, database, pages, lease=lease, allowance_us=0, clock=clock, metrics=metrics)


def kept(database: Database) -> int:
    with database.reading() as session:
        return repository.load_engine_state(session).cursor_seq


def test_the_engine_that_was_replaced_writes_nothing_when_it_wakes(database: Database) -> None:
    pages, wall = Pages(), JournalClock(to_us(AT))
    pages.grow()
    first = host(database, pages, "first", wall)
    assert first.step() == 1
    assert kept(database) == 1
    pages.grow()
    second = host(database, pages, "second", wall)
    pages.grow()
    with pytest.raises(LeaseLostError, match="gone to another process"):
        first.step()
    assert kept(database) == 1, "what it judged was rolled back with its cursor"
    assert second.step() == 2
    assert kept(database) == 3
    pages.grow()
    with pytest.raises(LeaseLostError, match="another process judges"):
        first.step()
    wall.advance(to_us(wall.now() + TTL + timedelta(seconds=1)))
    assert first.step() == 3, "the other one is gone for longer than its lease: this one goes on from what it had kept"
    assert kept(database) == 4
    with pytest.raises(LeaseLostError):
        second.step()
