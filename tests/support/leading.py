"""A process that runs the jobs, or waits until it may: `python leading.py DATABASE PORT NAME`, until it is killed.

It says on its standard output `leads` when it begins to run the jobs, and `waits` when another one does.
"""

import sys
import threading
from pathlib import Path
from zoneinfo import ZoneInfo

from facility.clock import RealClock
from facility.errors import RetryableError
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.database import Database
from plantroom.jobs import LEASE, Jobs, Office
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.courier import Courier
from ticketing.egress import Egress
from ticketing.lease import Lease
from ticketing.notice_apprise import tell
from ticketing.roster import Channel, Person, Roster

DATA = Path(__file__).parents[1] / "data/ticketing"
TERM = 'escalations: [{id: half, clock: response, at: "50 %", to: li}]'  # one hour after the opening at level `lift`
EFFECTIVE = 'effective_at: "2026-01-01"'
BEAT_S = 0.05


class Plant:
    """What the jobs need of the engine's host."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def rule_name(self, rule_id: str, language: str) -> str:
        return f"{rule_id} ({language})"

    def touch(self) -> None:
        """Nobody watches."""


def book() -> ContractBook:
    """The contract of the tests with an escalation after half of the response time; one revision for ever."""
    text = (DATA / "contract.yaml").read_text(encoding="utf-8").split("  - revision: 2")[0]
    return ContractBook([parse_contract(text.replace(EFFECTIVE, f"{EFFECTIVE}\n    {TERM}"), "contract.yaml")])


def main(url: str, port: int, name: str) -> None:
    """Run the jobs for ever."""
    database, clock = Database(url), RealClock()
    registry = parse_site((DATA / "site.yaml").read_text(encoding="utf-8"), "site.yaml")
    li = Person("li", "Li", channels=(Channel("chat", f"json://127.0.0.1:{port}/"),))
    roster = Roster(ZoneInfo("UTC"), {"li": li})
    lease = Lease(database, LEASE, name, clock)
    courier = Courier(lease, lambda: roster, tell, Egress("127.0.0.0/8"), clock, clock, name)
    office = Office(lambda: roster, lease, courier, lambda *_: "", clock)
    jobs, pause, led = Jobs(database, Plant(registry), book(), clock, office), threading.Event(), None
    while True:
        try:
            leads = jobs.step()
        except RetryableError as error:  # the lease was lost in the middle, or the database was busy
            leads = False
            sys.stderr.write(f"{error}\n")
        if leads != led:
            led = leads
            sys.stdout.write("leads\n" if leads else "waits\n")
            sys.stdout.flush()
        pause.wait(BEAT_S)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
