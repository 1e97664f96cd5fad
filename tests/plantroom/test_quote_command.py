"""Quotes at the console: sent, shown, taken back, and taken back once only."""

from contextlib import closing
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

CONTRACT = contract_text(SERVICE).replace("2026-07-01", "2099-07-01")  # the revision with costs is in force
SITE = (Path(__file__).parents[1] / "data/ticketing/site.yaml").read_text(encoding="utf-8")


@pytest.fixture
def house(plantroom: Commands, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """In a folder with a fault of an air handler that no warranty covers."""
    Path("site.yaml").write_text(SITE, encoding="utf-8")
    Path("contract.yaml").write_text(CONTRACT, encoding="utf-8")
    for name, value in {"SITE": "site.yaml", "CONTRACT": "contract.yaml"}.items():
        monkeypatch.setenv(f"PLANTROOM_{name}", value)
    assert plantroom("db", "upgrade").code == 0
    registry, at_us = parse_site(SITE, "site.yaml"), to_us(RealClock().now())
    found = Finding(
        finding_id("belt", "ahu-1", at_us), "belt", "ahu-1", "tower", OrderKind.FAULT, Severity.HIGH,
        FindingState.ACTIVE, "Belt slips", "", "ahu-1/belt", at_us, at_us,
    )  # fmt: skip
    book = ContractBook([parse_contract(CONTRACT, "contract.yaml")])
    with closing(Database("sqlite:///var/plantroom.db")) as database, database.writing() as session:
        Desk(book, lambda: registry).receive(session, [found])
    return plantroom


def test_a_quote_is_taken_back_once_with_a_reason(house: Commands) -> None:
    sent = house("cost", "quote", "WO-000001", "labour=8")
    assert sent.code == 0, sent.err
    quote = sent.out.split()[0]
    assert f"quote {quote}:  sent  960 CNY" in house("cost", "show", "WO-000001").out
    silent = house("cost", "withdraw", quote, "--reason", " ")
    assert silent.code == 2
    assert "to withdraw a quote needs a reason" in silent.err
    gone = house("cost", "withdraw", quote, "--reason", "The price has changed", "--by", "Li")
    assert (gone.code, gone.out.split()) == (0, [quote, "withdrawn", "Li"])
    assert f"quote {quote}:  withdrawn" in house("cost", "show", "WO-000001").out
    again = house("cost", "withdraw", quote, "--reason", "Once more")
    assert again.code == 2
    assert "that was withdrawn by Li" in again.err
    assert house("cost", "withdraw", "qt_0", "--reason", "None").code == 2
