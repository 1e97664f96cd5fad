"""`plantroom grafana`: the shipped dashboards with one's own address and bucket."""

import json
from pathlib import Path

import pytest
from boards import BOARDS
from commanding import Commands


def test_the_dashboards_have_the_address_and_the_bucket_of_the_installation(
    plantroom: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTROOM_INFLUX_BUCKET", "tower")
    answer = plantroom("grafana", str(tmp_path / "out"), "--address", "https://plant.example/")
    assert answer.code == 0
    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir()}
    assert set(written) == {f"{board['uid']}.json" for board in BOARDS}
    for text in written.values():
        variables = {one["name"]: one for one in json.loads(text)["templating"]["list"]}
        assert variables["plantroom"]["query"] == "https://plant.example"
        if "store" in variables:
            assert "'tower_mean_1h'" in variables["store"]["query"]
            assert "'plantroom" not in variables["store"]["query"]
            assert variables["store"]["definition"] == variables["store"]["query"]


def test_an_address_that_is_none_is_refused(plantroom: Commands, tmp_path: Path) -> None:
    answer = plantroom("grafana", str(tmp_path), "--address", "plant.example")
    assert answer.code != 0
    assert "'plant.example' is no address of pages" in answer.err
