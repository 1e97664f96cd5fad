"""Every golden case of every dialect: messages in, scans, problems and questions out. A defect becomes a case first."""

from pathlib import Path

import pytest
from golden import CASES, as_golden, load_case, player_of

from ingest.dialects import DIALECTS


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_golden(path: Path) -> None:
    case, player = load_case(path), player_of(path)
    for message in case.get("before", ()):
        player.play(message)
    scans, said = player.play(case)
    assert [as_golden(scan) for scan in scans] == case["scans"], said
    expected = case.get("problems", [])
    assert bool(said) == bool(expected), said
    for part in expected:
        assert part in said
    if said:
        assert said.startswith(case["topic"])
    assert player.asks == case.get("asks", [])


def test_every_dialect_has_cases_that_are_read_and_cases_that_are_refused() -> None:
    for name in DIALECTS:
        own = [path.stem for path in CASES if path.parent.name == name]
        refused = [stem for stem in own if stem.startswith("refused-")]
        assert len(refused) >= 2, name
        assert len(own) - len(refused) >= 4, name
