"""The whole program backed up while devices speak, destroyed, put back, and started: everything is as it was, and the
engine goes on without judging anything twice."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from pictures import picture
from running import ROOT, System, wait_until
from tanks import Tanks, findings_of, journalled

from facility.instant import parse_instant, to_us
from ingest.journal import JournalReader
from plantroom.backup.make import list_backups
from plantroom.backup.manifest import read_manifest
from plantroom.database import parse_url

NewPostgres = Callable[..., str]
STAYS = ("/api/findings", "/api/work-orders", "/api/users")


def command(system: System, *words: str) -> str:
    """Run a command with the settings of the system; what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "plantroom", *words], env={**system.settings, "PYTHONPATH": str(ROOT)}, cwd=ROOT,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(system: System) -> dict[str, Any]:
    """What people see, but for what changes with time alone."""
    found = {path: system.get(path, limit="1000") for path in STAYS}
    for order in found["/api/work-orders"]:
        for name in [name for name in order if "left" in name or name.endswith("_in")]:
            del order[name]
    return json.loads(json.dumps(found, sort_keys=True))  # type: ignore[no-any-return] # it is what went in


def add_picture(system: System, order: str) -> tuple[str, bytes]:
    """Put a photo on an order; where it is, and what comes from there."""
    token = (system.var / "token").read_text(encoding="ascii").strip()
    base, headers = f"http://127.0.0.1:{system.http_port}", {"Authorization": f"Bearer {token}"}
    answer = httpx.post(
        f"{base}/api/work-orders/{order}/attachments", content=picture(), timeout=20, trust_env=False,
        headers={**headers, "Content-Type": "image/jpeg"},
    )  # fmt: skip
    assert answer.status_code < 300, answer.text
    place = f"/api/attachments/{answer.json()['id']}"
    return place, httpx.get(f"{base}{place}", headers=headers, timeout=20, trust_env=False).content


def low_tank(system: System, tanks: Tanks, tank: int) -> dict[str, Any]:
    """A tank runs low; its finding."""
    tanks.fall(tank)
    (found,) = wait_until(lambda: findings_of(system, tank), 120, f"the finding of tank {tank}")
    return dict(found)


def run_through(system: System, tanks: Tanks, backups: Path, destroy: Callable[[], None]) -> None:
    """The whole story."""
    low_tank(system, tanks, 0)
    (order,) = wait_until(lambda: system.get("/api/work-orders"), 60, "its order")
    system.post(f"/api/work-orders/{order['number']}/acknowledge", {"version": order["version"]})
    system.post("/api/users", {"name": "ann", "role": "technician"})
    place, photo = add_picture(system, str(order["number"]))
    before = told(system)
    acknowledged = set(journalled(system.journal))
    command(system, "backup", str(backups))  # devices speak all the while
    low_tank(system, tanks, 1)  # after the backup: it is lost, as is everything newer than the backup
    tanks.halt.set()
    tanks.join(180)
    system.kill()
    destroy()
    manifest = read_manifest(list_backups(backups)[-1])
    command(system, "backup", "--verify", str(backups))
    command(system, "restore", str(backups))
    restored = set(journalled(system.journal))
    cursor, _ = manifest.database.engines["engine"]
    with JournalReader(system.journal) as journal:
        assert cursor <= journal.last_seq() == manifest.journals[0].last_seq
    system.start()
    wait_until(system.is_caught_up, 120, "the rest of the journal to be judged")
    after = told(system)
    assert after == before
    assert acknowledged <= restored <= set(journalled(system.journal))
    assert len(findings_of(system, 0)) == 1
    token = (system.var / "token").read_text(encoding="ascii").strip()
    base, headers = f"http://127.0.0.1:{system.http_port}", {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{base}{place}", headers=headers, timeout=20, trust_env=False).content == photo
    readings = system.get("/api/readings", asset="tank-0", point="tank_level")["readings"]
    shown = {("tank-0", to_us(parse_instant(one["at"]))) for one in readings}
    assert shown == {key for key in restored if key[0] == "tank-0"}


@pytest.fixture
def destroyed(tmp_path: Path) -> Path:
    """A folder of backups beside the instance."""
    return tmp_path / "backups"


@pytest.mark.soak
def test_back_up_while_running_destroy_restore_go_on(tank_plant: tuple[System, Tanks], destroyed: Path) -> None:
    system, tanks = tank_plant

    def destroy() -> None:
        shutil.rmtree(system.var)
        system.var.mkdir()

    run_through(system, tanks, destroyed, destroy)


@pytest.mark.soak
@pytest.mark.service
def test_the_same_on_postgresql(
    new_tank_plant: Callable[..., tuple[System, Tanks]], new_postgres: NewPostgres, destroyed: Path
) -> None:
    url = new_postgres()
    system, tanks = new_tank_plant(database_url=url)

    def destroy() -> None:
        shutil.rmtree(system.var)
        system.var.mkdir()
        name = parse_url(url).database
        engine = sa.create_engine(parse_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name}")
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()

    run_through(system, tanks, destroyed, destroy)
