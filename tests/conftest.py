"""What tests of several parts share: one fresh database per test, on SQLite and on a real PostgreSQL.

PostgreSQL comes from the address in PLANTROOM_TEST_POSTGRES, or from local server binaries started on a socket of
their own; without either the test skips with the reason, or fails when PLANTROOM_REQUIRE_REAL=1.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import settings
from sqlalchemy.exc import OperationalError
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from facility.finding import Evidence, Finding, FindingState, OrderKind, Severity, finding_id
from facility.instant import to_us
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.database import Database, parse_url
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.desk import Desk

TICKETING = Path(__file__).parent / "data" / "ticketing"
MONDAY = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai
NewDatabase = Callable[..., str]
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - folders with names of their own are made there
ROOMY = 6 * 2**30
NewFinding = Callable[..., Finding]

if "TMPDIR" not in os.environ and IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free > ROOMY:
    # A process that is killed leaves the same files there, and thousands of databases need no disk.
    os.environ["TMPDIR"], tempfile.tempdir = str(IN_MEMORY), None

settings.register_profile("seeded", derandomize=True)
settings.register_profile("search")
settings.load_profile("seeded")
"""`make test` tries the same examples each time and so fails where the change is; `make soak` looks for new ones."""

LONG = (
    "browser/",
    "plantroom/test_readme.py",
    "plantroom/test_deploy_by_docs.py",
    "plantroom/test_replay_equals_backtest.py",
    "plantroom/test_standby.py",
    "plantroom/test_upgrade.py",
    "dashboards/test_grafana_queries.py",
    "plantroom/test_accounts_roles.py",
    "plantroom/test_check_command.py",
    "plantroom/test_accounts_door.py",
    "plantroom/test_bad_input.py",
    "plantroom/test_backtest_compare.py",
    "plantroom/test_backup.py",
)
"""What takes longest, in this order: it goes first, so that no worker ends alone with it. Under `tests`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first; the rest, and the tests of a file among themselves, as they were found."""
    home, ranks = Path(__file__).parent, dict[Path, int]()
    for path in {item.path for item in items}:
        name = path.relative_to(home).as_posix()
        ranks[path] = next((rank for rank, long in enumerate(LONG) if name.startswith(long)), len(LONG))
    items.sort(key=lambda item: ranks[item.path])


class FileByFile(LoadScopeScheduling):  # type: ignore[misc] # it comes without types
    """A worker takes a file, or all of `tests/browser`: what its tests share is made once, not in every worker."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/browser" if nodeid.startswith("tests/browser/") else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FileByFile:
    """How `-n` deals out tests: in the order in which they were collected."""
    config.option.loadscopereorder = False
    return FileByFile(config, log)


def _unavailable(reason: str) -> None:
    if os.environ.get("PLANTROOM_REQUIRE_REAL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def _binaries() -> Path | None:
    """The folder of the newest PostgreSQL server on this machine."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = str(debian[-1]) if debian else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@pytest.fixture
def free_port() -> int:
    """A port of the loopback address that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a running PostgreSQL in which databases may be made."""
    given = os.environ.get("PLANTROOM_TEST_POSTGRES")
    if given:
        yield given
        return
    binaries = _binaries()
    if binaries is None:
        _unavailable("no PostgreSQL: set PLANTROOM_TEST_POSTGRES, or apt-get install postgresql")
    else:
        with tempfile.TemporaryDirectory(prefix="plantroom-pg-", ignore_cleanup_errors=True) as folder:
            yield from _serve(binaries, Path(folder))


def _serve(binaries: Path, folder: Path) -> Iterator[str]:
    user = "nobody" if os.geteuid() == 0 else None  # the server refuses to run as root
    if user is not None:
        shutil.chown(folder, user)
    data, log = folder / "data", folder / "log"
    init = f"{binaries}/initdb -D {data} -U postgres -A trust -E UTF8 --no-sync --no-instructions".split()
    subprocess.run(init, check=True, user=user, cwd=folder, capture_output=True)
    serve = (
        f"{binaries}/postgres -D {data} -k {folder} -c listen_addresses= -c fsync=off -c full_page_writes=off".split()
    )
    with log.open("wb") as output:
        server = subprocess.Popen(serve, user=user, cwd=folder, stdout=output, stderr=output)
    url = f"postgresql://postgres@/postgres?host={folder}"
    try:
        _wait(url, server, log)
        yield url
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: nobody will read it again
        server.wait(30)


def _wait(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    engine = sa.create_engine(parse_url(url))
    pause = threading.Event()
    for _ in range(300):
        try:
            engine.connect().close()
        except OperationalError:
            assert server.poll() is None, log.read_text(errors="replace")
            pause.wait(0.1)
        else:
            engine.dispose()
            return
    pytest.fail(f"PostgreSQL did not start in 30 s: {log.read_text(errors='replace')}")


@pytest.fixture(scope="session")
def new_postgres(postgres_server: str) -> NewDatabase:
    """Makes an empty database in the server, or a copy of the one that is named, and says its address."""

    def new(template: str = "template0") -> str:
        name = f"test_{uuid.uuid4().hex}"
        engine = sa.create_engine(parse_url(postgres_server), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        engine.dispose()
        return parse_url(postgres_server).set(database=name).render_as_string(hide_password=False)

    return new


@pytest.fixture(scope="session")
def upgraded_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with this program's schema, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "upgraded.db"
    _upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_file(upgraded_sqlite: Path, tmp_path: Path) -> Path:
    """A database file of the test's own, with this program's schema."""
    return Path(shutil.copyfile(upgraded_sqlite, tmp_path / "plantroom.db"))


@pytest.fixture(scope="session")
def upgraded_postgres(new_postgres: NewDatabase) -> str:
    """The name of a PostgreSQL database with this program's schema, to be copied."""
    url = new_postgres()
    _upgrade(url)
    return str(parse_url(url).database)


def _upgrade(url: str) -> None:
    with closing(Database(url)) as database:
        database.upgrade()


def _drop(url: str) -> None:
    """What a test leaves behind in the server, else thousands of databases pile up."""
    address = parse_url(url)
    engine = sa.create_engine(address.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {address.database} WITH (FORCE)")
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database: the test runs once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'plantroom.db'}"
    else:
        new: NewDatabase = request.getfixturevalue("new_postgres")
        yield (url := new())
        _drop(url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with this program's schema: the test runs once on each kind."""
    if request.param == "sqlite":
        path = tmp_path / "plantroom.db"
        shutil.copyfile(request.getfixturevalue("upgraded_sqlite"), path)
        with closing(Database(f"sqlite:///{path}")) as opened:
            yield opened
    else:
        new: NewDatabase = request.getfixturevalue("new_postgres")
        url = new(request.getfixturevalue("upgraded_postgres"))
        with closing(Database(url)) as opened:
            yield opened
        _drop(url)


def _new_finding(
    asset: str = "lift-1",
    rule: str = "motor-hot",
    at: datetime = MONDAY,
    **changes: Any,  # noqa: ANN401 - any field of a finding
) -> Finding:
    """An active finding raised at `at`, a minute after its onset."""
    onset_us = to_us(at - timedelta(minutes=1))
    values: dict[str, Any] = {
        "id": finding_id(rule, asset, onset_us),
        "rule_id": rule,
        "asset_id": asset,
        "building_id": "tower",
        "kind": OrderKind.FAULT,
        "severity": Severity.HIGH,
        "state": FindingState.ACTIVE,
        "title": "Motor hot",
        "advice": "Let it cool down.",
        "cause_key": f"{asset}/{rule}",
        "onset_us": onset_us,
        "raised_us": to_us(at),
        "diagnoses": ("Bearing", "Fan"),
        "evidence": (Evidence(asset, "motor_temperature", onset_us, 96.5, "degC"),),
    }
    return Finding(**(values | changes))


@pytest.fixture
def finding() -> NewFinding:
    """Makes active findings of `tests/data/ticketing/site.yaml`; any field may be given."""
    return _new_finding


@pytest.fixture(scope="session")
def registry() -> Registry:
    """One building with a lift and an air handler."""
    return parse_site((TICKETING / "site.yaml").read_text(encoding="utf-8"), "site.yaml")


@pytest.fixture(scope="session")
def book() -> ContractBook:
    """One contract with two revisions."""
    return ContractBook([parse_contract((TICKETING / "contract.yaml").read_text(encoding="utf-8"), "contract.yaml")])


@pytest.fixture
def desk(book: ContractBook, registry: Registry) -> Desk:
    """A desk under that contract."""
    return Desk(book, lambda: registry)
