"""How long after its instant an escalation leaves: the jobs' own loop on the wall clock, telling a function of ours.

    python -m bench.escalation_bench [DATABASE]

A hundred orders whose escalations fall due a fifth of a second apart. Acceptance: none leaves more than a second late.
"""

import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from facility.clock import RealClock
from facility.finding import Evidence, Finding, FindingState, OrderKind, Severity, finding_id
from facility.instant import to_us
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.database import Database
from plantroom.jobs import LEASE, Jobs, Office
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.courier import Courier
from ticketing.desk import Desk
from ticketing.egress import Egress
from ticketing.lease import Lease
from ticketing.roster import Channel, Person, Roster

DATA = Path(__file__).parents[1] / "tests/data/ticketing"
ORDERS, APART, FIRST = 100, timedelta(milliseconds=200), timedelta(seconds=5)
TERM = 'escalations: [{id: half, clock: response, at: "50 %", to: li}]'  # one hour after the opening at level `lift`


class Plant:
    """What the jobs need of the engine's host."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def rule_name(self, rule_id: str, language: str) -> str:  # noqa: ARG002 - nobody reads it
        return ""

    def touch(self) -> None:
        """Nobody watches."""


def main(address: str) -> None:
    """Print how late escalations left."""
    database, clock = Database(address), RealClock()
    database.upgrade()
    registry = parse_site((DATA / "site.yaml").read_text(encoding="utf-8"), "site.yaml")
    text = (DATA / "contract.yaml").read_text(encoding="utf-8")
    effective = 'effective_at: "2026-07-01"'
    book = ContractBook([parse_contract(text.replace(effective, f"{effective}\n    {TERM}"), "contract.yaml")])
    now = clock.now()
    instants = {f"rule-{number}": now + FIRST + number * APART for number in range(ORDERS)}
    limit = timedelta(minutes=30)  # half of the hour that revision 2 promises
    with database.writing() as session:
        Desk(book, lambda: registry).receive(session, [_finding(name, at - limit) for name, at in instants.items()])
    left: list[datetime] = []
    every = threading.Event()

    def tell(address: str, subject: str, body: str, key: str = "") -> None:  # noqa: ARG001 - how a courier calls it
        left.append(datetime.now(UTC))
        if len(left) == ORDERS:
            every.set()

    li = Person("li", "Li", channels=(Channel("here", "here"),))
    roster = Roster(ZoneInfo("UTC"), {"li": li})
    lease = Lease(database, LEASE, "bench", clock)
    office = Office(
        lambda: roster,
        lease,
        Courier(lease, lambda: roster, tell, Egress(), clock, clock, "bench"),
        lambda *_: "",
        clock,
    )
    stop = threading.Event()
    thread = threading.Thread(target=Jobs(database, Plant(registry), book, clock, office).run, args=(stop,))
    thread.start()
    complete = every.wait(120)
    stop.set()
    thread.join()
    late = sorted((to_us(at) - to_us(due)) / 1e3 for at, due in zip(sorted(left), instants.values(), strict=False))
    print(f"{database.engine.dialect.name}: {len(left)} of {ORDERS} told{'' if complete else ' in two minutes'}")
    print(
        f"late: median {late[len(late) // 2]:.0f} ms, p95 {late[len(late) * 95 // 100]:.0f} ms, most {late[-1]:.0f} ms"
    )
    database.close()


def _finding(name: str, at: datetime) -> Finding:
    at_us = to_us(at)
    evidence = (Evidence("lift-1", "motor_temperature", at_us, 96.5, "degC"),)
    return Finding(
        finding_id(name, "lift-1", at_us), name, "lift-1", "tower", OrderKind.FAULT, Severity.HIGH, FindingState.ACTIVE,
        "Motor hot", "", f"lift-1/{name}", at_us, at_us, evidence=evidence,
    )  # fmt: skip


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/plantroom.db")
