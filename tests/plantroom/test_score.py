"""The scoreboard: whose an order is, what counts as false, and the command over simulated days with known faults."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from commanding import Commands
from running import ROOT

from facility.errors import InputError
from facility.instant import SECOND_US, parse_instant, to_us
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.score import RECOVERY, Call, Month, Truth, judge_month, names
from plantroom.score_board import Scoreboard, headline, markdown
from plantroom.score_page import html, put_table
from plantroom.score_run import find_cases, run_cases

HOUR_US = 3600 * SECOND_US
START_US = to_us(parse_instant("2026-03-02T00:00:00Z"))
SITE = """\
site: {id: s, zone: UTC}
buildings:
  - id: b
    assets:
      - {id: pump, class: pump, points: [run_status], feeds: [tank]}
      - {id: tank, class: tank, points: [tank_level]}
      - {id: light, class: luminaire_circuit, points: [circuit_power]}
"""
REGISTRY = Registry.merge([parse_site(SITE, "site.yaml")])
COUPLING = Truth("pump", "coupling_broken", "coupling", 1.0, START_US + 30 * HOUR_US, START_US + 34 * HOUR_US)


def call(asset: str, hour: float, diagnosis: str = "Coupling or shaft broken") -> Call:
    return Call(asset, "rule", ("Something else", diagnosis), START_US + round(hour * HOUR_US))


def month(*calls: Call, truths: tuple[Truth, ...] = (COUPLING,)) -> Month:
    return judge_month("m", REGISTRY, truths, calls, START_US, START_US + 4 * 24 * HOUR_US)


def test_an_order_on_the_broken_asset_finds_the_fault_and_its_delay() -> None:
    (fault,) = month(call("pump", 30.5), call("pump", 31)).faults
    assert (fault.delay_s, fault.right, fault.rules) == (1800, True, ("rule",))


def test_an_order_that_names_another_part_finds_it_without_being_right() -> None:
    (fault,) = month(call("pump", 31, "Impeller worn")).faults
    assert (fault.delay_s, fault.right) == (3600, False)


def test_only_the_first_three_diagnoses_count() -> None:
    far = Call("pump", "rule", ("a", "b", "c", "Coupling broken"), START_US + 31 * HOUR_US)
    (fault,) = month(far).faults
    assert fault.delay_s is not None
    assert not fault.right
    assert names("check valve", ["Check valve leaks"])


def test_an_order_on_what_the_broken_asset_feeds_is_neither_found_nor_false() -> None:
    scored = month(call("tank", 32))
    assert scored.faults[0].delay_s is None
    assert scored.faults[0].elsewhere == ("tank rule",)
    assert scored.false_calls == ()


def test_an_order_on_an_unrelated_asset_or_on_another_day_is_false() -> None:
    scored = month(call("light", 31), call("pump", 5), call("pump", 80))
    assert [(one.call.asset_id, one.call.at_us) for one in scored.false_calls] == [
        ("pump", START_US + 5 * HOUR_US),
        ("light", START_US + 31 * HOUR_US),
        ("pump", START_US + 80 * HOUR_US),
    ]


def test_days_that_a_fault_touches_are_not_healthy() -> None:
    # 30 h to 34 h and the recovery lie in the second day: of 3 assets x 4 days, pump and tank lose one each
    assert RECOVERY / timedelta(hours=1) == 12
    assert month().healthy_days == 10
    assert month(truths=()).healthy_days == 12
    assert Scoreboard((month(call("light", 1), truths=()),)).false_rate == pytest.approx(1 / 12)


def test_a_table_goes_between_its_marks_and_nowhere_else() -> None:
    document = "a\n<!-- scoreboard -->\nold\n<!-- /scoreboard -->\nb\n"
    assert put_table(document, "x.md", "new\n") == "a\n<!-- scoreboard -->\n\nnew\n\n<!-- /scoreboard -->\nb\n"
    with pytest.raises(InputError, match="has no place for the table"):
        put_table("a\n", "x.md", "new")


def test_the_page_says_what_was_missed_and_what_was_false_in_both_languages() -> None:
    board = Scoreboard((month(call("light", 31)),))
    page = html(board)
    for word in ("0 / 1", "coupling_broken", "Missed / 漏报", "False orders / 误派单", "2026-03-03T07:00:00Z"):
        assert word in page
    assert "0 of 1 faults found" in headline(board)
    assert "| m: coupling_broken | coupling | 1 | 0 | 0 | - | nobody |" in markdown(board)


def test_a_folder_without_scenarios_is_refused(plantroom: Commands, tmp_path: Path) -> None:
    answer = plantroom("score", str(tmp_path))
    assert answer.code == 2
    assert "holds no scenario to score" in answer.err


SLICE = ("light/faulty-winter", "water/faulty-summer")
"""Their first two days: five faults of a second's work."""


def test_the_first_days_of_faulty_months_are_found_and_nothing_else(plantroom: Commands, tmp_path: Path) -> None:
    folder, out, page = ROOT / "examples/scenarios", tmp_path / "score.json", tmp_path / "score.html"
    for name in SLICE:
        words = ("score", str(folder), "--only", name, "--days", "2", "--workers", "1", "--verbose")
        answer = plantroom(*words, "--json", str(out), "--page", str(page))
        assert answer.code == 0, answer.err
        sums = json.loads(out.read_text(encoding="utf-8"))["sums"]
        assert sums["found"] == sums["right_part"] == sums["faults"] >= 1, answer.out
        assert sums["false_orders"] == 0, answer.out
        assert "Scoreboard / 记分板" in page.read_text(encoding="utf-8")


def test_the_same_seed_gives_the_same_month_and_another_seed_another() -> None:
    case, shifted = find_cases(ROOT / "examples/scenarios", 2, "water/healthy-winter")
    told: list[float] = []
    first, again, other = run_cases([case, case, shifted], 1, 1, lambda _, share: told.append(share))
    assert first == again
    assert (first.name, other.name) == ("water/healthy-winter", "water/healthy-winter+1")
    assert first.false_calls == other.false_calls == ()
    assert told == sorted(told[: len(told) // 3]) * 3


@pytest.mark.soak
def test_every_simulated_month() -> None:
    cases = find_cases(ROOT / "examples/scenarios", 1)
    board = Scoreboard(tuple(run_cases(cases, 28, 2, lambda _index, _share: None)))
    assert board.false_rate <= 0.03, markdown(board)
    assert board.found >= 0.9 * len(board.faults), markdown(board)
    assert board.right >= 0.85 * len(board.faults), markdown(board)
