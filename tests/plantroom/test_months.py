"""A month that takes long to read keeps a page waiting only when nobody has looked for long."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from facility.clock import JournalClock
from facility.instant import to_us
from facility.registry import Registry
from plantroom.database import Database
from plantroom.month_board import KEPT, STALE, MonthBoard
from ticketing.contract_book import ContractBook

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)


@dataclass
class Office:
    """A board, its wall clock, and what it puts off."""

    database: Database
    wall: JournalClock = field(default_factory=lambda: JournalClock(to_us(AT)))
    later: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.board = MonthBoard(self.database, ContractBook([]), Registry, lambda: AT, self.wall, self.later.append)

    def look(self) -> object:
        """The object that is shown: another one was read anew."""
        return self.board.view("2026-03", None, "en")

    def wait(self, span: timedelta) -> None:
        self.wall.advance(self.wall.now_us() + span // timedelta(microseconds=1))


def test_what_is_kept_is_shown_while_it_is_read_again_behind_the_page(database: Database) -> None:
    office = Office(database)
    first = office.look()
    assert office.look() is first
    assert office.later == []
    office.wait(KEPT + timedelta(seconds=1))
    assert office.look() is first
    assert office.look() is first
    (again,) = office.later  # once, however many look
    again()
    fresh = office.look()
    assert fresh is not first
    assert len(office.later) == 1


def test_who_comes_after_long_waits_for_true_figures(database: Database) -> None:
    office = Office(database)
    first = office.look()
    office.wait(KEPT + STALE + timedelta(seconds=1))
    assert office.look() is not first
