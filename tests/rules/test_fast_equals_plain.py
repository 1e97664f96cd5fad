"""The fast way of judging (parts in order, sleeping until something matters) finds what the plain one finds.

The plain engine evaluates every condition as a whole at every reading it looks at. Random rules of the whole language
over random readings: repeats, gaps, bad and missing ones, readings out of order, restarts.
"""

import json
import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from facility.finding import Finding
from facility.reading import Commit, Entry, Heartbeat, PointValue, Quality, RuleSetActivated, Scan, SiteEdited
from rules.engine import Engine

START_US = 1_760_000_000_000_000
NUMBERS = ("supply_air_temperature", "return_air_temperature", "mixed_air_temperature")
SWITCHES = ("supply_fan_status", "supply_fan_speed_command")
SITE = json.dumps({
    "site": {"id": "site", "zone": "Asia/Shanghai"},
    "buildings": [{
        "id": "building", "occupied": {"mon-sun": ["08:00-18:00"]},
        "assets": [{"id": "unit", "class": "ahu", "points": {
            name: {"cadence": 60} for name in (*NUMBERS, *SWITCHES)
        }}],
    }],
})  # fmt: skip

number = st.sampled_from(["0", "1", "2", "3.5", "limit"])
point = st.sampled_from(NUMBERS)
length = st.sampled_from(['"2 min"', '"5 min"', '"20 min"'])


def _terms(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    running = st.sampled_from(["average", "sampled", "cusum"])
    number_of = st.one_of(point, st.builds(lambda of, which: f"({of} if {which} else 1.5)", point, inner))
    windows = st.sampled_from(["mean", "lowest", "highest", "total", "deviation", "delta", "rate", "ago"])
    return st.one_of(
        st.builds(lambda name, of, over: f"{name}({of}, {over})", windows, point, length),
        st.builds(lambda of, over: f"changes({of}, {over})", point, length),
        st.builds(lambda condition: f"since({condition})", inner),
        st.builds(lambda condition, over: f"count({condition}, {over})", inner, length),
        st.builds(lambda condition, over: f"starts({condition}, {over})", inner, length),
        st.builds(lambda condition, of: f"of_last({condition}, {of})", inner, st.sampled_from(["2", "5"])),
        st.builds(lambda condition, over: f"switches({condition}, {over})", inner, length),
        st.builds(lambda condition: f"held({condition})", inner),
        st.builds(lambda of, over: f"settled({of} > 2, {over})", point, length),
        st.builds(lambda name, of, over: f"{name}({of}, {over})", running, number_of, length),
        st.builds(lambda name, of, over: f"{name}(abs({of} - average({of}, {over})), {over})", running, point, length),
        st.builds(lambda of: f'off_baseline({of}, by="none", train="1 min")', point),
    )


def _compare(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    order = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    return st.builds(lambda left, sign, right: f"{left} {sign} {right}", part, order, number)


plain_condition = st.one_of(
    _compare(point), _compare(st.builds(lambda a, b: f"({a} - {b})", point, point)),
    st.sampled_from(["supply_fan_status == 1", "supply_fan_status", "occupied()", "hour() < 9"]),
    st.just("since(supply_fan_status == 1) >= 180"),
    st.builds(lambda of: f'silent({of}, "3 min")', point), st.builds(lambda of: f"out_of_range({of})", point),
)  # fmt: skip
condition = st.recursive(
    plain_condition,
    lambda inner: st.one_of(
        _compare(_terms(inner)),
        _compare(st.builds(lambda value, which, other: f"({value} if {which} else {other})", point, inner, number)),
        st.builds(lambda left, word, right: f"({left} {word} {right})", inner, st.sampled_from(["and", "or"]), inner),
        st.builds(lambda part: f"(not {part})", inner),
    ),
    max_leaves=4,
)
conjunction = st.lists(condition, min_size=1, max_size=4).map(" and ".join)


@st.composite
def rule(draw: Callable[[st.SearchStrategy[object]], object], index: int) -> dict[str, object]:
    """One rule as a file has it; some with a let, some with a clear condition of their own."""
    when = str(draw(conjunction))
    lets = {"first": str(draw(condition))} if draw(st.booleans()) else {}
    entry: dict[str, object] = {
        "id": f"rule-{index}", "class": "ahu", "name": {"en": "r", "zh": "r"}, "kind": "fault", "severity": "low",
        "parameters": {"limit": {"value": 1.5, "unit": ""}}, "let": lets,
        "when": f"{when} and first" if lets else when, "for": draw(st.sampled_from(["0 s", "1 min", "4 min"])),
        "forgive": draw(st.sampled_from(["0 s", "0 s", "2 min"])),
        "diagnosis": ["d"], "advice": "a", "checklist": ["c"], "reference": "r", "tests": [],
    }  # fmt: skip
    if draw(st.booleans()):
        entry["clear"] = str(draw(condition))
    return entry


def entries(rng: random.Random) -> list[tuple[Entry, ...]]:
    """Two hours or so, one commit a step: a scan of most points, most of them as they were before; some are bad."""
    at_us, values = START_US, dict.fromkeys((*NUMBERS, *SWITCHES), 0.0)
    found: list[tuple[Entry, ...]] = []
    for _ in range(120):
        at_us += rng.choice([10, 60, 60, 60, 60, 60, 60, 61, 150, 200, 1200]) * 1_000_000
        scan = []
        for name in values:
            if rng.random() < 0.3:
                values[name] = float(rng.randrange(2 if name == "supply_fan_status" else 4))
            if rng.random() < 0.85:
                value = float("nan") if rng.random() < 0.02 else values[name]
                quality = rng.choice([Quality.GOOD] * 30 + [Quality.OUT_OF_RANGE, Quality.LATE])
                scan.append(PointValue(name, value, quality))
        beat = (Heartbeat(at_us),) if rng.random() < 0.5 else ()
        found.append((Scan("unit", at_us, complete=True, values=tuple(scan)), *beat))
    return found


def run(
    rules: list[dict[str, object]], commits: list[tuple[Entry, ...]], *, plain: bool, restart_at: int = -1
) -> list[str]:
    """What changed at each commit, and what is pending then; as text, because a NaN equals nothing."""
    engine = Engine(allowance_us=0, plain=plain)
    files = {"rules.yaml": json.dumps({"rules": rules})}
    site = SiteEdited("site", START_US, {"site.yaml": SITE})
    engine.feed(Commit(1, START_US, (site, RuleSetActivated("rules", START_US, "", files))))
    assert not engine.errors
    found = []
    for index, commit in enumerate(commits):
        if index == restart_at:
            engine = Engine.restore(engine.snapshot())
        changed: list[Finding] = engine.feed(Commit(index + 2, START_US, commit))
        found.append(repr((changed, engine.pending())))
    return found


def compare(rules: tuple[dict[str, object], ...], seed: int, restart_at: int) -> None:
    """Both ways over the same readings, and the fast one once more with a restart."""
    commits = entries(random.Random(seed))
    plainly = run(list(rules), commits, plain=True)
    assert run(list(rules), commits, plain=False) == plainly
    assert run(list(rules), commits, plain=False, restart_at=restart_at) == plainly


example = given(st.tuples(*(rule(index) for index in range(5))), st.integers(0, 1 << 30), st.integers(1, 119))
unhurried = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=[Phase.explicit, Phase.generate]
)  # fmt: skip


@settings(unhurried, max_examples=30)
@example
def test_the_fast_way_finds_what_the_plain_way_finds(
    rules: tuple[dict[str, object], ...], seed: int, restart_at: int
) -> None:
    compare(rules, seed, restart_at)


@pytest.mark.soak
@settings(unhurried, max_examples=1500)
@example
def test_the_fast_way_finds_what_the_plain_way_finds_wherever_one_looks(
    rules: tuple[dict[str, object], ...], seed: int, restart_at: int
) -> None:
    compare(rules, seed, restart_at)


def _rule(name: str, when: str, **more: object) -> dict[str, object]:
    return {
        "id": name, "class": "ahu", "name": {"en": "r", "zh": "r"}, "kind": "fault", "severity": "low", "when": when,
        "diagnosis": ["d"], "advice": "a", "checklist": ["c"], "reference": "r", "tests": [], **more,
    }  # fmt: skip


def _scans(full_hour_us: int, seconds: tuple[int, ...], **points: Callable[[int], float]) -> list[tuple[Entry, ...]]:
    """Scans so many seconds from a full hour; each point reads what its function gives."""
    return [
        (Scan("unit", full_hour_us + at * 1_000_000, complete=True, values=tuple(
            PointValue(name, read(at), Quality.GOOD) for name, read in points.items()
        )),)
        for at in seconds
    ]  # fmt: skip


def test_a_let_term_nobody_asked_for_calls_for_no_look() -> None:
    # the full hour falls into a time in which the count falls by time alone: a look at that instant, by one way only,
    # set `since` back to it, and the evidence of the other rule's finding told of another reason
    when = 'since(count(supply_fan_status == 1, "2 min") < 1) >= 2 and first'
    rules = [_rule("rule-0", when, let={"first": "hour() < 9"}), _rule("rule-1", 'silent(supply_fan_status, "3 min")')]
    commits = _scans(1_760_004_900_000_000, (-208, -148, 52, 112), supply_fan_status=lambda at: float(at < 0))
    found = run(rules, commits, plain=True)
    assert run(rules, commits, plain=False) == found
    assert any("rule-1" in text for text in found)


def test_who_sleeps_because_of_the_hour_wakes_when_it_ends() -> None:
    # a side of `or` that was not asked, because the other one sufficed, has not said when it changes
    rules = [_rule("rule-0", "not (return_air_temperature != 1 or occupied()) and mixed_air_temperature < 5")]
    end_of_day_us = 1_760_004_000_000_000  # 18:00 in Shanghai
    commits = _scans(
        end_of_day_us, (-50, 10, 70, 130),
        return_air_temperature=lambda at: float(at > 50), mixed_air_temperature=lambda _: 2.0,
    )  # fmt: skip
    found = run(rules, commits, plain=True)
    assert run(rules, commits, plain=False) == found
    assert "rule-0" in found[2]
