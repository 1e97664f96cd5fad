"""The routes of ingest, with the real store and table behind them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asking import Client, bare_app
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool
from sqlmodel import Session, SQLModel

from facility.clock import JournalClock
from facility.errors import RetryableError
from facility.instant import parse_instant, to_us
from facility.reading import Commit, DeadLetter, Quality, Reading
from facility.site_file import parse_site
from ingest.api import MAX_READINGS, build_router
from ingest.dead_letters import DeadLetterBox
from ingest.stores.parquet import ParquetStore
from ingest.tables import DeadLetterRow

SITE = """
site: {id: demo, zone: Asia/Shanghai}
buildings:
  - id: tower
    assets:
      - {id: ahu-1, class: ahu, points: [supply_air_temperature, outside_air_temperature]}
      - {id: ahu-2, class: ahu, points: [supply_air_temperature], borrows: {outside_air_temperature: {asset: ahu-1}}}
      - {id: lift-1, class: elevator, points: [door_status]}
"""
NOON_US = to_us(parse_instant("2026-11-21T12:00:00Z"))
MIN_US = 60_000_000


class AwayStore(ParquetStore):
    """A store whose server is away."""

    def read(self, *_args: object, **_options: object) -> list[Reading]:
        msg = "cannot read from InfluxDB at http://x: refused"
        raise RetryableError(msg)


class Api:
    """A client with the store and the box it asks."""

    def __init__(self, folder: Path, store: ParquetStore) -> None:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        SQLModel.metadata.create_all(engine, tables=[SQLModel.metadata.tables[DeadLetterRow.__tablename__]])
        registry = parse_site(SITE, "site.yaml")
        self.store, self.box = store, DeadLetterBox(lambda: Session(engine), folder / "letters")
        app = bare_app()
        app.include_router(build_router(lambda: registry, store, self.box, JournalClock(NOON_US)))
        self._client, self._engine = Client(app), engine

    def get(self, status: int = 200, *, path: str = "/api/readings", **query: str) -> Any:  # noqa: ANN401 - JSON
        answer = self._client.get(path, params={name.rstrip("_"): text for name, text in query.items()})
        assert answer.status_code == status, answer.text
        return answer.json() if status == 200 else answer.json()["detail"]

    def close(self) -> None:
        self._engine.dispose()


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    served = Api(tmp_path, ParquetStore(tmp_path / "store"))
    served.store.write(
        1,
        1,
        [Reading("ahu-1", "supply_air_temperature", NOON_US - n * MIN_US, float(n)) for n in range(1, 11)]
        + [
            Reading("ahu-1", "outside_air_temperature", NOON_US - MIN_US, -99.0, Quality.OUT_OF_RANGE),
            Reading("lift-1", "door_status", NOON_US - 2_500_000, "open"),
        ],
    )
    yield served
    served.close()


def test_readings_carry_unit_instant_and_quality_in_words(api: Api) -> None:
    assert api.get(asset="ahu-1", point="outside_air_temperature") == {
        "asset_id": "ahu-1",
        "point": "outside_air_temperature",
        "unit": "degC",
        "readings": [{"at": "2026-11-21T11:59:00Z", "value": -99.0, "quality": "out_of_range"}],
    }
    assert api.get(asset="lift-1", point="door_status")["readings"] == [
        {"at": "2026-11-21T11:59:57.500000Z", "value": "open", "quality": "good"}
    ]


def test_a_span_includes_its_beginning_and_not_its_end(api: Api) -> None:
    start, end = "2026-11-21T19:55:00+08:00", "2026-11-21T11:57:00Z"
    found = api.get(asset="ahu-1", point="supply_air_temperature", from_=start, to=end)
    assert [reading["value"] for reading in found["readings"]] == [5.0, 4.0]


def test_every_gives_means_at_the_start_of_their_bucket(api: Api) -> None:
    found = api.get(asset="ahu-1", point="supply_air_temperature", every="5 min")
    assert found["readings"] == [
        {"at": "2026-11-21T11:50:00Z", "value": 8.0, "quality": "good"},
        {"at": "2026-11-21T11:55:00Z", "value": 3.0, "quality": "good"},
    ]


def test_a_borrowed_point_shows_the_lenders_readings(api: Api) -> None:
    found = api.get(asset="ahu-2", point="outside_air_temperature")
    assert found["asset_id"] == "ahu-2"
    assert [reading["value"] for reading in found["readings"]] == [-99.0]


@pytest.mark.parametrize(
    ("status", "query", "where", "says"),
    [
        (404, {"asset": "ahu-9"}, "asset", "did you mean 'ahu-"),
        (404, {"point": "supply_temperature"}, "point", "did you mean 'supply_air_temperature'"),
        (422, {"from_": "yesterday"}, "from", "'yesterday' is not an ISO 8601 instant"),
        (422, {"to": "2026-11-21T09:00:00"}, "to", "has no time zone"),
        (422, {"from_": "2026-11-21T10:00:00Z", "to": "2026-11-21T09:00:00Z"}, "from", "is not before"),
        (422, {"every": "often"}, "every", "is not a duration"),
        (422, {"every": "0 s"}, "every", "shorter than a second"),
    ],
)
def test_a_bad_question_is_answered_with_what_where_and_what_to_do(
    api: Api, status: int, query: dict[str, str], where: str, says: str
) -> None:
    asked = {"asset": "ahu-1", "point": "supply_air_temperature"} | query
    detail = api.get(status, path="/api/readings", **asked)
    assert detail["where"] == where
    assert says in detail["what"]
    assert detail["hint"]


def test_too_many_readings_are_refused_with_the_way_out(api: Api) -> None:
    api.store.write(2, 2, [Reading("ahu-1", "supply_air_temperature", NOON_US - n, 1.0) for n in range(MAX_READINGS)])
    assert len(api.get(asset="ahu-1", point="supply_air_temperature", every="1 min")["readings"]) == 10
    detail = api.get(422, asset="ahu-1", point="supply_air_temperature")
    assert "more than 10,000 readings" in detail["what"]
    assert "every=5 min" in detail["hint"]


def test_a_store_that_is_away_is_503_with_its_own_words(tmp_path: Path) -> None:
    api = Api(tmp_path, AwayStore(tmp_path / "store"))
    detail = api.get(503, asset="ahu-1", point="supply_air_temperature")
    assert "cannot read from InfluxDB" in detail["what"]
    api.close()


def test_dead_letters_come_newest_first_as_text_or_base64(api: Api) -> None:
    letters = (DeadLetter(NOON_US, "a/b", '{"温'.encode(), "is not JSON"), DeadLetter(NOON_US, "a/c", b"\xff\x00", "?"))
    api.box.take([Commit(1, 0, letters)])
    found = api.get(path="/api/dead-letters")
    assert [(row["topic"], row["payload"], row["encoding"]) for row in found] == [
        ("a/c", "/wA=", "base64"),
        ("a/b", '{"温', "utf-8"),
    ]
    assert found[1] | {"id": 0} == {
        "id": 0, "at": "2026-11-21T12:00:00Z", "topic": "a/b", "payload": '{"温', "encoding": "utf-8", "size": 5,
        "reason": "is not JSON",
    }  # fmt: skip
    assert len(api.get(path="/api/dead-letters", limit="1")) == 1
    api.get(422, path="/api/dead-letters", limit="0")
