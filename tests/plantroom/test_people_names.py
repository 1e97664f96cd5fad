"""People are called by their names: by the roster, else by their account, else as they sign in."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from facility.clock import JournalClock
from facility.instant import SECOND_US
from plantroom.accounts import directory
from plantroom.accounts.directory import Actor
from plantroom.database import Database
from plantroom.people_names import PeopleNames
from ticketing.roster import Person, Roster


def test_a_name_comes_from_the_roster_then_the_account_and_follows_a_change(sqlite_file: Path) -> None:
    clock = JournalClock()
    clock.advance(1_700_000_000 * SECOND_US)
    roster = Roster(ZoneInfo("UTC"), {"li.wei": Person("li.wei", "李伟 / Li Wei")})
    with closing(Database(f"sqlite:///{sqlite_file}")) as database:
        with database.writing() as session:
            for name, display in (("li.wei", "Somebody else"), ("chen.jie", "Chen Jie"), ("plain", "")):
                directory.add_user(
                    session, Actor("test"), clock.now(), name=name, role="technician", display_name=display
                )
        names = PeopleNames(database, lambda: roster, clock)
        assert [names(one) for one in ("li.wei", "chen.jie", "plain", "gone", "")] == [
            "李伟 / Li Wei", "Chen Jie", "plain", "gone", "",
        ]  # fmt: skip
        with database.writing() as session:
            directory.add_user(session, Actor("test"), clock.now(), name="gone", role="manager", display_name="Back")
        assert names("gone") == "gone", "accounts are not read for each name"
        clock.advance(clock.now_us() + timedelta(seconds=21) // timedelta(microseconds=1))
        assert names("gone") == "Back"
