"""A process that tells what is to be told, until it is killed: `python sending.py DATABASE PORT SECONDS`.

Its wall clock is SECONDS ahead, so that a test need not wait for leases and claims of its killed forerunners.
"""

import os
import sys
import threading
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from facility.clock import RealClock
from plantroom.database import Database, DatabaseAwayError
from ticketing.contract_book import ContractBook
from ticketing.courier import Courier
from ticketing.egress import Egress
from ticketing.event import Event
from ticketing.lease import Lease
from ticketing.notice_apprise import tell
from ticketing.roster import Channel, NoticeRule, Person, Roster, Webhook
from ticketing.watch import Instants, look

SECRET = "a secret of another system"  # noqa: S105 - of the test's own receiver


class Ahead:
    """The wall clock, ahead."""

    factor = 1.0

    def __init__(self, seconds: float) -> None:
        self._wall, self._by = RealClock(), timedelta(seconds=seconds)

    def now(self) -> datetime:
        return self._wall.now() + self._by

    def now_us(self) -> int:
        return self._wall.now_us() + int(self._by.total_seconds() * 1e6)


def main(url: str, port: int, seconds: float) -> None:
    """Send for ever."""
    database, wall = Database(url), Ahead(seconds)
    hook = Webhook("erp", f"http://127.0.0.1:{port}/", SECRET)
    li = Person("li", "Li", channels=(Channel("chat", f"json://127.0.0.1:{port}/"),))
    roster = Roster(ZoneInfo("UTC"), {"li": li}, notices=(NoticeRule(Event.OPENED, ("li",)),), webhooks=(hook,))
    name = f"sender {os.getpid()}"
    lease = Lease(database, "jobs", name, wall)
    courier = Courier(lease, lambda: roster, tell, Egress("127.0.0.0/8"), wall, wall, name)
    pause = threading.Event()
    while True:
        try:
            if lease.hold():
                with lease.writing() as session:
                    look(session, ContractBook(), roster, Instants(wall.now(), wall.now()), lambda *_: "")
                courier.step()
        except DatabaseAwayError as error:
            sys.stderr.write(f"{error}\n")
        pause.wait(0.002)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
