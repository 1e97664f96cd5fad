"""Codes that no code map explains are listed until somebody explains them."""

from collections.abc import Callable
from pathlib import Path

from facility.reading import Commit, PointValue, Scan
from facility.registry import Registry
from facility.site_file import parse_site
from ingest.unknown_codes import MOST, UnknownCode, UnknownCodes

SITE = """
site: {id: s, zone: UTC}
code_maps:
  ours:
    extends: gbt-24476
    codes: {"57": {means: belt_worn}MORE}
buildings:
  - id: b
    assets:
      - id: lift-1
        class: elevator
        points: [fault_code, car_position]
        source: {dialect: plantroom, topic: lifts/1, code_map: ours}
      - {id: lift-2, class: elevator, points: [fault_code]}
"""


def said(asset_id: str, code: str, at_us: int) -> Commit:
    values = (PointValue("fault_code", code), PointValue("car_position", 3.0))
    return Commit(at_us, at_us, (Scan(asset_id, at_us, True, values),))


def open_codes(registry: Callable[[], Registry], path: Path) -> UnknownCodes:
    return UnknownCodes(registry, path / "codes.json", write)


def write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def test_words_of_any_map_are_known_and_a_code_of_none_is_listed_until_it_is_explained(tmp_path: Path) -> None:
    registries = [parse_site(SITE.replace("MORE", ""), "site.yaml")]
    codes = open_codes(lambda: registries[-1], tmp_path)
    codes.take([said("lift-1", "E9", 1), said("lift-1", "belt_worn", 2), said("lift-2", "door_closing", 3)])
    codes.take([said("lift-2", "57", 4), said("lift-1", "E9", 5), said("nobody", "E9", 6)])
    assert codes.all() == [UnknownCode("lift-1", "E9", 2, 5), UnknownCode("lift-2", "57", 1, 4)]
    registries.append(parse_site(SITE.replace("MORE", ", E9: {means: door_jammed}"), "site.yaml"))
    codes.take([said("lift-1", "door_jammed", 7)])
    assert [one.asset_id for one in codes.all()] == ["lift-2"]
    registries.append(Registry())
    assert codes.all() == [], "an asset that is gone asks nothing"


def test_what_is_remembered_is_bounded(tmp_path: Path) -> None:
    registry = parse_site(SITE.replace("MORE", ""), "site.yaml")
    codes = open_codes(lambda: registry, tmp_path)
    codes.take([said("lift-1", f"E{number}", number) for number in range(1, MOST + 500)])
    assert len(codes.all()) == MOST
    assert codes.all()[0].code == f"E{MOST + 499}", "the newest are kept"


def test_what_was_heard_outlives_the_program_and_nothing_is_counted_twice(tmp_path: Path) -> None:
    registry = parse_site(SITE.replace("MORE", ""), "site.yaml")
    commits = [said("lift-1", "E9", at) for at in range(1, 9)]
    codes = open_codes(lambda: registry, tmp_path)
    codes.take(commits[:3])
    codes.take(commits[3:5])
    again = open_codes(lambda: registry, tmp_path)
    again.take([commit for commit in commits if commit.seq > again.cursor])
    assert again.all() == [UnknownCode("lift-1", "E9", 8, 8)]
    (tmp_path / "codes.json").write_bytes(b"{half a fi")
    assert open_codes(lambda: registry, tmp_path).cursor == 0, "a damaged file begins anew"
