"""Warranty claims and calendars at the console."""

from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from commanding import Commands
from people import SERVICE, contract_text

from facility.clock import RealClock
from facility.finding import Finding, FindingState, OrderKind, Severity, finding_id
from facility.instant import to_us
from facility.site_file import parse_site
from plantroom.database import Database
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.desk import Desk

CONTRACT = contract_text(SERVICE).replace("2026-07-01", "2099-07-01")  # the revision with claims is in force
DATA = Path(__file__).parents[1] / "data/ticketing"
SECRETS = {"WANG": "json://a", "LI": "json://b", "CHEN": "json://c", "ERP": "http://e", "ERP_SECRET": "0" * 16}


@pytest.fixture
def house(plantroom: Commands, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """In a folder with a lift that was accepted this year, and a fault of it."""
    now = RealClock().now()
    site = (DATA / "site.yaml").read_text(encoding="utf-8")
    site = site.replace("class: elevator,", f"class: elevator, accepted_on: {date(now.year, 1, 1)},", 1)
    Path("site.yaml").write_text(site, encoding="utf-8")
    Path("contract.yaml").write_text(CONTRACT, encoding="utf-8")
    Path("roster.yaml").write_text((DATA / "roster.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    for name, value in {"SITE": "site.yaml", "CONTRACT": "contract.yaml", "ROSTER": "roster.yaml"}.items():
        monkeypatch.setenv(f"PLANTROOM_{name}", value)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    assert plantroom("db", "upgrade").code == 0
    registry = parse_site(site, "site.yaml")
    book, at_us = ContractBook([parse_contract(CONTRACT, "contract.yaml")]), to_us(now)
    found = Finding(
        finding_id("motor", "lift-1", at_us), "motor", "lift-1", "tower", OrderKind.FAULT, Severity.HIGH,
        FindingState.ACTIVE, "Motor hot", "Let it cool down.", "lift-1/motor", at_us, at_us,
    )  # fmt: skip
    with closing(Database("sqlite:///var/plantroom.db")) as database, database.writing() as session:
        Desk(book, lambda: registry).receive(session, [found])
    return plantroom


def test_claims_are_given_to_the_installer_and_listed_with_its_limits(house: Commands) -> None:
    assert house("claim", "list").out == ""
    routed = house("claim", "route")
    assert (routed.code, routed.out.strip()) == (0, "1 given to installers"), routed.err
    told = house("claim", "list")
    assert told.code == 0, told.err
    assert "WO-000001" in told.out
    assert "Builder" in told.out
    assert "plan due " in told.out
    assert house("claim", "list", "--building", "elsewhere").out == ""


def test_each_person_has_a_calendar_of_her_own(house: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    told = house("calendar", "list")
    assert told.code == 0, told.err
    addresses = [line.split()[-1] for line in told.out.splitlines()]
    assert len(set(addresses)) == len(addresses) >= 3
    assert all(one.endswith(".ics") for one in addresses)
    monkeypatch.delenv("PLANTROOM_ROSTER")
    assert "Give --roster FILE" in house("calendar", "list").err
