"""The source block of an asset and code maps: what is wrong is said with its line and what to do."""

import pytest

from facility.code_map import code_maps
from facility.errors import InputError
from facility.json_path import JsonPath, PathError
from facility.site_file import parse_site

SITE = """
site: {id: demo, zone: UTC}
code_maps:
  acme:
    extends: gbt-24476
    codes: {"12": {means: passenger_trapped, points: {passenger_present: 1}}}
buildings:
  - id: tower
    assets:
      - id: lift-1
        class: elevator
        points: [fault_code, passenger_present]
        source:
          dialect: json
          topic: lifts/+/state
          time: data.ts
          code_map: acme
          points: {data.code: {point: fault_code}}
"""


def test_a_source_has_its_code_map_time_and_zone() -> None:
    source = parse_site(SITE, "site.yaml").assets["lift-1"].source
    assert source is not None
    assert source.time == "data.ts"
    assert source.zone is None
    assert source.code_map is not None
    found = {code: source.code_map.find(code) for code in ("12", "02", "2", "77")}
    assert {code: meaning and meaning.word for code, meaning in found.items()} == {
        "12": "passenger_trapped",
        "02": "door_closing",
        "2": "door_closing",
        "77": None,
    }


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("code_map: acme", "code_map: acne", 17, "'acne' is not a known code map; did you mean 'acme'"),
        ("extends: gbt-24476", "extends: gbt", 4, "code map 'gbt' is not known; known are: bacnet-lift-fault"),
        ("{passenger_present: 1}", "{passenger_here: 1}", 4, "'passenger_here' is not a point of the catalogue"),
        ("{passenger_present: 1}", "{service_mode: broken}", 4, "'broken' is not a value of service_mode"),
        ("means: passenger_trapped", "means: Passenger trapped", 6, "means"),
        ("data.code: {", '"data.[code": {', 13, "is no path at"),
        ("dialect: json", "dialect: senml", 13, "time and each are for the dialect json"),
        ("dialect: json", "dialect: jsn", 14, "dialect"),
        ("lifts/+/state", "lifts/+x/state", 13, "+ and # each stand for a whole level"),
        ("lifts/+/state", "lifts/#/state", 13, "# can only be the last level"),
    ],
)
def test_what_is_wrong_is_said(old: str, new: str, line: int, says: str) -> None:
    assert old in SITE
    with pytest.raises(InputError) as caught:
        parse_site(SITE.replace(old, new, 1), "site.yaml")
    assert any(says in str(problem) and problem.line == line for problem in caught.value.problems), str(caught.value)


@pytest.mark.parametrize(
    ("dialect", "topic", "says"),
    [
        ("tasmota", "tele/+", "has a wildcard; tasmota needs the topic of one device"),
        ("tasmota", "attic/SENSOR", "write the telemetry prefix, such as tele/DEVICE"),
        ("sparkplug", "Plant/edge-1", "write spBv1.0/GROUP/NODE"),
        ("homie", "homie/boiler", "write homie/5/DEVICE"),
    ],
)
def test_a_topic_that_does_not_fit_its_dialect_is_refused(dialect: str, topic: str, says: str) -> None:
    text = SITE.replace("dialect: json", f"dialect: {dialect}").replace("          time: data.ts\n", "")
    with pytest.raises(InputError, match=says.replace("+", r"\+")):
        parse_site(text.replace("lifts/+/state", topic), "site.yaml")


def test_the_maps_that_come_along_name_every_code_of_their_source() -> None:
    maps = code_maps()
    gbt, bacnet, sample = maps["gbt-24476"], maps["bacnet-lift-fault"], maps["sample-supplier"]
    agreed = [*range(9), *range(40, 48), 90]
    assert all(gbt.find(f"{code:02}") is not None for code in agreed)
    assert all(bacnet.find(str(code)) is not None for code in range(17))
    assert len(gbt.meanings) == len(agreed)
    assert sample.find("02") == gbt.find("02")
    for code_map in maps.values():
        for meaning in code_map.meanings.values():
            assert set(meaning.label) == {"en", "zh"}, (code_map.id, meaning.word)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b", 1),
        ("$.a.b", 1),
        ("$", {"a": {"b": 1, "x.y": 2}, "l": [{"id": 7, "v": 3}, {"id": "8", "v": 4}]}),
        ('a["x.y"]', 2),
        ("l[0].v", 3),
        ("l[-1].v", 4),
        ("l[id=7].v", 3),
        ("l[id=8].v", 4),
        ("l[id=9].v", None),
        ("l[5].v", None),
        ("a.b.c", None),
        ("l.v", None),
    ],
)
def test_a_path_leads_to_one_place(path: str, found: object) -> None:
    data = {"a": {"b": 1, "x.y": 2}, "l": [{"id": 7, "v": 3}, {"id": "8", "v": 4}]}
    assert JsonPath.parse(path).find(data) == (found is not None, found)


@pytest.mark.parametrize("text", ["a..b", "a[", "a[x", "a]b", '"a', "a[1]b", "a."])
def test_a_text_that_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(PathError, match="is no path"):
        JsonPath.parse(text)
