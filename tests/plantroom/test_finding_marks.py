"""An overview counts every active finding, however many there are, and only those of its buildings."""

from collections.abc import Callable
from itertools import count

import pytest

from facility.finding import Finding, FindingState, Severity
from plantroom.database import Database
from ticketing import repository

NewFinding = Callable[..., Finding]


@pytest.mark.parametrize("buildings", [None, frozenset({"tower"})])
def test_active_findings_are_counted_by_asset_severity_and_whether_they_are_hidden(
    database: Database, finding: NewFinding, buildings: frozenset[str] | None
) -> None:
    ids = (f"f_{number}" for number in count(1))
    high, low = Severity.HIGH, Severity.LOW
    found = [
        finding(id=next(ids), building_id="tower", severity=high),
        finding(id=next(ids), building_id="tower", severity=high),
        finding(id=next(ids), building_id="tower", severity=high, suppressed_by="f_0"),
        finding(id=next(ids), building_id="tower", severity=high, shelved_by="li"),
        finding(id=next(ids), building_id="tower", severity=low, state=FindingState.CLEARED, cleared_us=1),
        finding("lift-9", id=next(ids), building_id="annex", severity=low),
    ]
    with database.writing() as session:
        repository.save_findings(session, found)
    with database.reading() as session:
        counted = set(repository.count_active(session, buildings))
    mine = {("tower", "lift-1", "high", False, 2), ("tower", "lift-1", "high", True, 2)}
    assert counted == (mine if buildings else mine | {("annex", "lift-9", "low", False, 1)})
