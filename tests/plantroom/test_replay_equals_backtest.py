"""The real air handlers: through MQTT, journal, engine and desk, or by backtest: the same, to the instant.

`make test` takes four days of each: they have a gap in which nobody listened, cells that are no value or out of range,
findings that clear and orders. `make soak` takes the whole files.
"""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from running import ROOT, System, wait_until

from facility.reading import Scan
from ingest.journal import JournalReader

LBNL = ROOT / "examples/lbnl"
NAMES = {"szcav": "SZCAV.csv.gz", "mzvav": "MZVAV-2-1.csv.gz"}
FOUR_DAYS = 4 * 24 * 60
"""Rows; the files have one a minute."""


def _plantroom(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "plantroom", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _files(name: str, rows: int | None, folder: Path) -> list[str]:
    """What both ways read: the readings, or the first `rows` of them, and the files beside them."""
    readings, site, wide_map = LBNL / NAMES[name], LBNL / "site.yaml", LBNL / f"map-{name}.yaml"
    if rows is not None:
        whole = gzip.decompress(readings.read_bytes()).splitlines(keepends=True)
        readings = folder / NAMES[name]
        readings.write_bytes(gzip.compress(b"".join(whole[: rows + 1])))
    return ["--readings", str(readings), "--site", str(site), "--map", str(wide_map)]


def _scans(system: System) -> int:
    reader = JournalReader(system.journal)
    seq, count = 0, 0
    while commits := reader.read(seq):
        count += sum(isinstance(entry, Scan) for commit in commits for entry in commit.entries)
        seq = commits[-1].seq
    reader.close()
    return count


@pytest.mark.parametrize("rows", [FOUR_DAYS, pytest.param(None, marks=pytest.mark.soak)], ids=["four days", "whole"])
@pytest.mark.parametrize("name", sorted(NAMES))
def test_replay_and_backtest_give_the_same_findings_and_orders(
    name: str, rows: int | None, new_system: Callable[..., System], tmp_path: Path
) -> None:
    out, contract, files = tmp_path / "out.json", LBNL / "contract.yaml", _files(name, rows, tmp_path)
    _plantroom("backtest", *files, "--contract", str(contract), "--out", str(out))
    expected: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    assert any(found["cleared_at"] for found in expected["findings"]), "a backtest without findings proves nothing"
    assert expected["work_orders"]
    assert expected["readings"]["gap_count"]
    assert any(
        one[what]["count"]
        for one in expected["readings"]["columns"].values()
        for what in ("unreadable", "out_of_range")
    )

    system = new_system(site=str(LBNL / "site.yaml"), contract=str(contract), clock="journal")
    system.start()
    _plantroom("replay", *files, "--mqtt-port", str(system.mqtt_port))
    wait_until(lambda: _scans(system) == expected["readings"]["scans"], 60, "every scan to be in the journal")
    wait_until(system.is_caught_up, 60, "every commit to be judged")

    findings = sorted(system.get("/api/findings", limit="1000"), key=lambda one: (one["raised_at"], one["id"]))
    orders = sorted(system.get("/api/work-orders", limit="1000"), key=lambda one: str(one["number"]))
    assert findings == expected["findings"]
    assert orders == expected["work_orders"]
    for order in orders:
        assert order["response_due_at"] > order["opened_at"]
        assert order["resolution_due_at"] > order["opened_at"]
        assert order["contract_id"]
        assert order["evidence"]
