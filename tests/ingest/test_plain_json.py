"""The quick ways change nothing: a plain message is read like any other, and what is new is known by its instant."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facility.clock import JournalClock
from facility.reading import PointValue, Quality, Scan
from facility.site_file import parse_site
from ingest.dialects.plantroom_json import PlantroomJson
from ingest.payload import Arrival, PayloadError
from ingest.quality import QualityJudge

SITE = """
site: {id: demo, zone: UTC}
buildings:
  - id: tower
    assets:
      - id: lift-1
        class: elevator
        points: [car_position, door_status, car_load]
        source:
          dialect: plantroom
          topic: other/lift
          points:
            pos: {point: car_position}
            kg: {point: car_load, scale: 0.001}
            door: {point: door_status, codes: {"1": open}}
"""
REGISTRY = parse_site(SITE, "site.yaml")
LIFT = REGISTRY.assets["lift-1"]
NAMES = st.sampled_from(["car_position", "door_status", "car_load", "pos", "kg", "door", "other"])
RAW = (
    st.sampled_from(["open", "closed", "ajar", "1", 1, True, False, None, 2**53, 2**53 + 1, 10**400, -0.0, 1.5])
    | st.floats(allow_nan=False)
    | st.integers(-10, 10)
)
INSTANTS = st.sampled_from(
    ["2026-11-21T09:00:00Z", "2026-11-21T09:00:00.123456+08:00", "2026-11-21T09:00:00", "1969-01-01T00:00:00Z", "now"]
)


def read(decoder: PlantroomJson, payload: bytes) -> object:
    try:
        return decoder.decode("t", payload, Arrival(0))
    except PayloadError as error:
        return str(error), error.scans


@pytest.mark.parametrize("source", [LIFT.source, None], ids=["mapped", "own"])
@settings(deadline=None)
@given(at=INSTANTS, values=st.dictionaries(NAMES, RAW, max_size=4))
def test_a_plain_object_is_read_like_any_other(source: object, at: str, values: dict[str, object]) -> None:
    decoder = PlantroomJson(LIFT, LIFT.source if source is not None else None)
    payload = msgspec.json.encode({"at": at, "values": {k: v for k, v in values.items() if v != 10**400}})
    if 10**400 in values.values():
        payload = payload.replace(b"}}", b',"car_position":1' + b"0" * 400 + b"}}").replace(b"{,", b"{")
    # A blank before it, and the object is read the long way.
    assert read(decoder, payload) == read(decoder, b" " + payload)


SCANS = st.lists(
    st.tuples(st.integers(0, 6), st.lists(st.sampled_from([1.0, 2.0]), min_size=1, max_size=2)), max_size=25
)


@settings(deadline=None)
@given(SCANS)
def test_exactly_what_was_said_before_is_a_duplicate(scans: list[tuple[int, list[float]]]) -> None:
    judge = QualityJudge(REGISTRY, JournalClock(), allowance_us=0)
    said: set[tuple[str, int, float]] = set()
    for at_us, amounts in scans:
        values = tuple(PointValue(p, v) for p, v in zip(("car_position", "car_load"), amounts, strict=False))
        found = judge.judge(Scan("lift-1", at_us, False, values))
        keys = [(one.point, at_us, float(one.value)) for one in values]
        if all(key in said for key in keys):
            assert found is None
        else:
            assert found is not None
            marks = [one.quality == Quality.DUPLICATE for one in found.values]
            assert marks == [key in said for key in keys]
        said.update(keys)
