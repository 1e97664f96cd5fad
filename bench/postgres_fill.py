"""A PostgreSQL of one's own with findings and orders of ninety days: what `bench.grafana_bench` asks."""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from plantroom.database import Database, parse_url

DAYS = 90
PLANT = """
INSERT INTO building (id, name, site_id, site_name, zone, latitude, longitude)
SELECT format('building-%s', lpad(n::text, 2, '0')), 'Building ' || n, 'park', 'Park', 'UTC', 31 + n * 0.01,
  121 + n * 0.01
FROM generate_series(1, 11) AS n;
INSERT INTO asset (id, name, equipment_class, system, building_id, space, criticality)
SELECT format('%s-%s-%s', class, lpad(b::text, 2, '0'), n), class || ' ' || n, class, system,
  format('building-%s', lpad(b::text, 2, '0')), '', 'normal'
FROM generate_series(1, 11) AS b, generate_series(1, 4) AS n,
  (VALUES ('elevator', 'elevator'), ('ahu', 'hvac'), ('zone', 'hvac'), ('luminaire_circuit', 'lighting'),
    ('pump', 'water'), ('tank', 'water')) AS kinds(class, system);
"""
ORDERS = """
INSERT INTO finding (id, rule_id, asset_id, building_id, kind, severity, state, title, advice, cause_key, onset_at,
  raised_at, cleared_at, shelved_reason, latched, flapping, diagnoses, evidence)
SELECT 'f' || n, 'rule-' || n % 97, a.id, a.building_id, 'fault',
  (ARRAY['low', 'medium', 'high', 'critical'])[1 + n % 4],
  CASE WHEN n % 20 = 0 THEN 'active' ELSE 'cleared' END, 'Something is hot', 'Look.', 'cause-' || n, at, at,
  CASE WHEN n % 20 = 0 THEN NULL ELSE at + interval '3 hours' END, '', false, false, '[]', '[]'
FROM (SELECT n, :until - n * (interval '90 days' / :orders) AS at, 1 + n % (SELECT count(*) FROM asset) AS place
  FROM generate_series(1, :orders) AS n) AS numbers
JOIN (SELECT *, row_number() OVER (ORDER BY id) AS place FROM asset) AS a USING (place);
INSERT INTO work_order (id, number, version, kind, status, priority, severity, building_id, asset_id, rule_id,
  finding_id, cause_key, title, advice, diagnoses, evidence, contract_id, contract_revision, service_level,
  level_reason, default_level, opened_at, response_due_at, resolution_due_at, next_due_at, arrived_at, completed_at,
  closed_at, repeats, key_equipment)
SELECT 'w' || id, n, 1, 'fault', CASE WHEN state = 'active' THEN 'open' ELSE 'closed' END, 1 + n % 4, severity,
  building_id, asset_id, rule_id, id, cause_key, title, advice, '[]', '[]', 'services', 1, 'level-' || n % 5, '', false,
  raised_at, raised_at + interval '30 minutes', raised_at + interval '2 days',
  CASE WHEN state = 'active' THEN raised_at + interval '2 days' END,
  CASE WHEN state <> 'active' THEN raised_at + interval '1 minute' * (n % 40) END, cleared_at, cleared_at, 0, false
FROM (SELECT *, substr(id, 2)::int AS n FROM finding) AS found;
INSERT INTO work_order_finding (finding_id, work_order_id) SELECT id, 'w' || id FROM finding;
"""


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """PostgreSQL with its data in `folder`, on a socket there; its address. Ends with the block."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        msg = "no PostgreSQL server; on Debian: apt-get install postgresql"
        raise SystemExit(msg)
    binaries, data, user = found[-1].parent, folder / "data", "nobody" if os.geteuid() == 0 else None
    folder.mkdir(parents=True, exist_ok=True)
    if user is not None:
        shutil.chown(folder, user)
    if not data.exists():
        init = [
            str(binaries / "initdb"),
            "-D",
            str(data),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-instructions",
        ]
        subprocess.run(init, check=True, user=user, cwd=folder, capture_output=True)
    command = [str(binaries / "postgres"), "-D", str(data), "-k", str(folder)]
    command += ["-c", "listen_addresses=", "-c", "shared_buffers=1GB"]
    url, pause = f"postgresql://postgres@/postgres?host={folder}", threading.Event()
    with (folder / "log").open("wb") as log, subprocess.Popen(command, user=user, cwd=folder, stderr=log) as server:
        try:
            engine = sa.create_engine(parse_url(url))
            while True:
                try:
                    engine.connect().close()
                    break
                except OperationalError:
                    if server.poll() is not None:
                        msg = f"PostgreSQL ended: see {folder / 'log'}"
                        raise SystemExit(msg) from None
                    pause.wait(0.1)
            engine.dispose()
            yield url
        finally:
            server.send_signal(signal.SIGINT)


def fill(url: str, orders: int, until: datetime) -> None:
    """So many findings and orders of the days before `until` (aware); a database that has some stays as it is."""
    database = Database(url)
    try:
        database.upgrade()
        with database.writing() as session:
            if session.execute(sa.text("SELECT count(*) FROM work_order")).scalar_one():
                return
            for statement in filter(str.strip, (PLANT + ORDERS).split(";\n")):
                session.execute(
                    sa.text(statement), {"orders": orders, "until": until} if ":orders" in statement else {}
                )
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
    finally:
        database.close()
