"""`site.yaml`: what is read, and what is said when it is wrong."""

from datetime import timedelta

import pytest

from facility.catalogue import equipment_classes, point_types
from facility.errors import InputError
from facility.registry import Registry
from facility.site_file import SiteFile, parse_site

GOOD = """
site: {id: campus, name: Campus, zone: Asia/Shanghai}
buildings:
  - id: tower
    occupied: {mon-fri: ["07:00-19:00"]}
    spaces: [{id: roof}, {id: plant, parent: roof}]
    assets:
      - {id: weather, class: sensor, points: [outside_air_temperature]}
      - id: ahu-1
        class: ahu
        space: plant
        criticality: key
        feeds: [vav-1]
        points: {supply_air_temperature: {cadence: 60 s, maximum: 50}, co2: }
        borrows: {outside_air_temperature: {asset: weather}}
        source:
          dialect: udmi
          topic: /devices/AHU-1
          points: {sat: {point: supply_air_temperature, unit: degF}}
      - {id: vav-1, class: vav, parent: ahu-1, points: [zone_air_temperature]}
      - {id: vav-2, class: vav, points: [zone_air_temperature]}
"""


def test_a_site_file_becomes_a_registry() -> None:
    registry = parse_site(GOOD, "site.yaml")
    ahu = registry.assets["ahu-1"]
    assert ahu.points["supply_air_temperature"].cadence == timedelta(seconds=60)
    assert ahu.points["supply_air_temperature"].maximum == 50
    assert ahu.points["supply_air_temperature"].minimum == -17
    assert ahu.source is not None
    assert ahu.source.points["sat"].unit == "degF"
    borrowed = registry.point("ahu-1", "outside_air_temperature")
    assert borrowed is not None
    assert borrowed.asset_id == "weather"
    assert registry.borrowers("weather", "outside_air_temperature") == (("ahu-1", "outside_air_temperature"),)
    assert registry.children("ahu-1") == ("vav-1",)
    assert list(registry.explainers("vav-1")) == ["ahu-1"]
    assert registry.siblings("vav-1") == ("vav-2",)
    assert registry.buildings["tower"].occupied[4] == ((420, 1140),)
    assert 5 not in registry.buildings["tower"].occupied


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("class: ahu\n", "class: ahuu\n", 10, "did you mean 'ahu'"),
        ("co2: }", "co3: }", 14, "'co3' is not a known point; did you mean 'co2'"),
        ("unit: degF", "unit: Pa", 19, "measure different things"),
        ("unit: degF", "unit: degQ", 19, "not a unit we know"),
        ("space: plant", "space: cellar", 11, "'cellar' is not a known space"),
        ("feeds: [vav-1]", "feeds: [vav-9]", 13, "'vav-9' is not a known asset"),
        ("criticality: key", "critical: key", 12, "'critical' is not a field here. Did you mean 'criticality'"),
        ("zone: Asia/Shanghai", "zone: Asia/Shanghigh", 2, "is not a time zone"),
        ("asset: weather}", "asset: vav-1}", 15, "has no point 'outside_air_temperature' to lend"),
        ("parent: ahu-1", "parent: vav-1", 20, "'vav-1' is not a known asset"),
        ("id: vav-2", "id: vav-1", None, "two assets have the id 'vav-1'"),
        ("maximum: 50", "maximum: -50", 14, "holds nothing"),
        ("maximum: 50", "at_last_visit: 50", 14, "supply_air_temperature is no counter: it has no at_last_visit"),
        ("mon-fri", "fri-mon", 5, "not a day or a range of days"),
        ("cadence: 60 s", "cadence: often", 14, "'often' is not a duration"),
        ("point: supply_air_temperature", "point: mixed_air_temperature", 19, "is not a known point of asset ahu-1"),
        ("class: sensor", "class: sensor, class: ahu", 8, "given twice"),
        ("buildings:", "buildings: [", None, "not valid YAML"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(old: str, new: str, line: int | None, says: str) -> None:
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        parse_site(GOOD.replace(old, new, 1), "site.yaml")
    text = str(caught.value)
    assert says in text
    assert text.startswith("site.yaml")
    if line is not None:
        assert any(problem.line == line for problem in caught.value.problems), text


def test_every_problem_is_reported_together() -> None:
    text = GOOD.replace("class: ahu\n", "class: ahuu\n").replace("cadence: 60 s", "cadence: often")
    with pytest.raises(InputError) as caught:
        parse_site(text, "site.yaml")
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    "text", ["", "[]", "site: 3", "a: &a [*a]", "\0", "site: {id: '../x', zone: UTC}\nbuildings: []"]
)
def test_nonsense_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(InputError):
        parse_site(text, "site.yaml")


def test_two_sites_may_not_share_an_asset() -> None:
    one = parse_site(GOOD, "a.yaml")
    with pytest.raises(InputError, match="two sites have the id"):
        Registry.merge([one, one])


def test_the_schema_knows_every_field() -> None:
    schema = SiteFile.model_json_schema()
    assert {"site", "buildings"} <= set(schema["properties"])
    assert "AssetEntry" in schema["$defs"]


def test_the_catalogue_is_whole() -> None:
    for equipment_class in equipment_classes().values():
        assert set(equipment_class.points) <= set(point_types())
    for point in point_types().values():
        assert point.label.keys() >= {"en", "zh"}


def test_a_point_of_another_building_cannot_be_borrowed() -> None:
    far = GOOD + "  - {id: annex, assets: [{id: mast, class: sensor, points: [outside_air_temperature]}]}\n"
    with pytest.raises(InputError, match=r"'mast' is in another building.*Borrow from an asset of tower"):
        parse_site(far.replace("asset: weather}", "asset: mast}"), "site.yaml")
