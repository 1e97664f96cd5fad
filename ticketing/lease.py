"""Who of several processes judges, or runs the jobs: a lease with an epoch in the database.

A holder that stops (or is stopped) loses it after `ttl`; the next one gets a higher epoch. Every write of the work goes
through `writing`, which is rolled back when the epoch has moved on: a stopped leader that wakes writes nothing. Nobody
takes a lease that runs: who starts waits for it.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol

import sqlalchemy as sa
from sqlmodel import Session, col

from facility.clock import Clock
from facility.errors import RetryableError
from ticketing.statements import insert_into, row_count
from ticketing.tables_outbox import LeaseRow

TTL = timedelta(seconds=1.5)
RENEW_S = 0.4
"""How often a holder renews it, in real seconds."""
ABSURD = 10
"""A lease that runs on for longer than so many times its `ttl` was given by a clock that has been set back since."""
_END_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity JOIN lease ON lease.holder = application_name
WHERE lease.name = :name AND lease.holder <> :me AND datname = current_database() AND usename = current_user
"""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class LeaseLostError(RetryableError):
    """Another process holds the lease now; nothing of this transaction was written."""


class Writer(Protocol):
    """Where transactions come from."""

    def writing(self) -> AbstractContextManager[Session]:
        """One transaction, committed on leaving."""


class Lease:
    """One process's side of a lease. `wall` is the wall clock, whatever clock the program lives by."""

    def __init__(self, database: Writer, name: str, holder: str, wall: Clock, ttl: timedelta = TTL) -> None:
        self._database, self._name, self._holder, self._wall, self._ttl = database, name, holder, wall, ttl
        self._renewed_at: datetime | None = None
        self.epoch: int | None = None
        """The epoch this process holds; None while another one does."""

    def hold(self) -> bool:
        """Take the lease if it is free, or keep it; whether this process holds it now."""
        now = self._wall.now()
        if self.epoch is None and not self._is_over():
            return False
        with self._database.writing() as session:
            if self.epoch is not None and self._renew(session, now):
                return True
            first = insert_into(session.get_bind().dialect.name, LeaseRow)
            session.execute(first.values(name=self._name, holder="", epoch=0, until=_NEVER).on_conflict_do_nothing())
            over = sa.or_(col(LeaseRow.until) <= now, col(LeaseRow.until) > now + ABSURD * self._ttl)
            free = sa.update(LeaseRow).where(col(LeaseRow.name) == self._name, over)
            taken = session.execute(
                free.values(holder=self._holder, epoch=col(LeaseRow.epoch) + 1, until=now + self._ttl)
            )
            if not row_count(taken):
                self.epoch = None
                return False
            row = session.execute(sa.select(col(LeaseRow.epoch)).where(col(LeaseRow.name) == self._name))
            epoch = int(row.scalar_one())
        self.epoch = epoch
        return True

    def renew(self) -> bool:
        """Keep it if it is still ours, and never take it anew; whether it is. For a thread beside the working one,
        which need not ask the database when a write has renewed it a moment ago."""
        epoch, before, now = self.epoch, self._renewed_at, self._wall.now()
        if epoch is None:
            return False
        if before is not None and timedelta(0) <= now - before < timedelta(seconds=RENEW_S):
            return True
        with self._database.writing() as session:
            if self._renew(session, now):
                return True
        if self.epoch == epoch:
            self.epoch = None
        return False

    def is_free(self, session: Session) -> bool:
        """Whether `hold` would take it now: a question that writes nothing."""
        now = self._wall.now()
        until = session.execute(sa.select(col(LeaseRow.until)).where(col(LeaseRow.name) == self._name)).scalar()
        return until is None or until <= now or until > now + ABSURD * self._ttl

    def let_go(self) -> None:
        """Give it back, so that the next one need not wait."""
        if self.epoch is not None:
            with self._database.writing() as session:
                session.execute(self._mine().values(until=_NEVER))
            self.epoch = None

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction of the holder. Raises LeaseLostError, and writes nothing, when it is not the holder any more.

        The epoch is checked before the work and, with the row held, as the last thing before the commit.
        """
        with self._database.writing() as session:
            held = sa.select(col(LeaseRow.epoch)).where(
                col(LeaseRow.name) == self._name, col(LeaseRow.holder) == self._holder
            )
            if self.epoch is None or session.execute(held).scalar_one_or_none() != self.epoch:
                self._lost()
            yield session
            session.flush()
            if not self._renew(session, self._wall.now()):
                self._lost()

    def _is_over(self) -> bool:
        """Whether it is free. On PostgreSQL the sessions of who held it end then: one that was stopped in the middle of
        a transaction would keep its rows. They bear its name; when its process wakes, it connects anew."""
        with self._database.writing() as session:
            if not self.is_free(session):
                return False
            if session.get_bind().dialect.name == "postgresql":
                session.execute(sa.text(_END_SESSIONS), {"name": self._name, "me": self._holder})
        return True

    def _lost(self) -> None:
        epoch, self.epoch = self.epoch, None
        msg = f"the lease {self._name!r} (epoch {epoch}) has gone to another process"
        raise LeaseLostError(msg)

    def _renew(self, session: Session, now: datetime) -> bool:
        self._renewed_at = now
        return bool(row_count(session.execute(self._mine().values(until=now + self._ttl))))

    def _mine(self) -> sa.Update:
        return sa.update(LeaseRow).where(
            col(LeaseRow.name) == self._name,
            col(LeaseRow.holder) == self._holder,
            col(LeaseRow.epoch) == (self.epoch if self.epoch is not None else -1),
        )
