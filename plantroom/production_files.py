"""What an installation with docker-compose.yml needs beside it: `.env` with real secrets, keys and certificates.

Nothing of it has a default: each secret is 256 random bits of this very run. Files that containers read are readable
by a group, and `.env` names its number; the containers run with users of their own.
"""

import os
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from facility.errors import InputError, Problem, refuse
from plantroom.listen import reachable_at
from plantroom.secret_files import ALL_READ, GROUP_READS, OWNER_ONLY, write_new

SECRETS = (
    "PLANTROOM_TOKEN",
    "MQTT_PASSWORD",
    "INFLUX_PASSWORD",
    "INFLUX_TOKEN",
    "POSTGRES_PASSWORD",
    "GRAFANA_ADMIN_PASSWORD",
    "GRAFANA_INFLUX_PASSWORD",
    "GRAFANA_POSTGRES_PASSWORD",
    "SIMULATOR_PASSWORD",
)
"""Each stands in docker-compose.yml; some inside addresses, so they are letters and digits only."""
_PLANT = ("site.yaml", "contract.yaml", "rules/own.yaml", "README.md")
_SERVICE_GROUP = 10001
"""Of files made by root: a group nobody is in but the containers that `.env` puts into it."""
_BROKER, _PAGES = _SERVERS = ("mosquitto", "pages")
_USERS = ("passwords", "acl")


@dataclass(frozen=True, slots=True)
class Place:
    """The folders of an installation, beside docker-compose.yml."""

    root: Path

    @property
    def environment(self) -> Path:
        return self.root / ".env"

    @property
    def authority_key(self) -> Path:
        """Signs certificates; no container sees it."""
        return self.root / "secrets" / "ca.key"

    @property
    def authority(self) -> Path:
        """What devices and browsers have to trust."""
        return self.root / "tls" / "ca.pem"

    @property
    def plant(self) -> Path:
        return self.root / "plant"

    @property
    def broker(self) -> Path:
        """Users and access list of devices, as Mosquitto reads them."""
        return self.root / "mqtt"

    @property
    def servers(self) -> dict[str, tuple[Path, Path]]:
        """Certificate and key of broker and pages."""
        return {name: (self.root / "tls" / f"{name}.pem", self.root / "tls" / f"{name}.key") for name in _SERVERS}

    @property
    def secrets(self) -> tuple[Path, ...]:
        """What is made once and never written over."""
        keys = (key for _, key in self.servers.values())
        users = (self.broker / name for name in _USERS)
        return (self.environment, self.authority_key, self.authority, *keys, *users)

    @property
    def handover(self) -> Path:
        """Passwords of devices, for who installs them."""
        return self.root / "secrets" / "device-passwords.csv"


def write_production(root: Path, hosts: Sequence[str], now: datetime, *, simulator: bool = False) -> list[Path]:
    """Write everything; the paths that were written. What is in `plant` already is kept.

    `hosts` are the names and addresses by which others reach this machine. Raises InputError when secrets or keys are
    there already, and writes nothing then: a second set would lock everybody out.
    """
    try:
        from plantroom import certificates  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise refuse("certificates", f"need {error.name}", "pip install 'plantroom[tls]'") from error
    place = Place(root)
    there = [path for path in place.secrets if path.exists()]
    if there:
        hint = "Choose another folder; to get new server certificates from the same authority: plantroom certificates."
        raise InputError(Problem(str(path), "is there already", hint) for path in there)
    wanted = [certificates.check_host(host) for host in hosts]
    group = _SERVICE_GROUP if os.geteuid() == 0 else os.getegid()
    authority = certificates.Pair(place.authority, place.authority_key)
    certificates.make_authority(authority, now)
    place.authority_key.parent.chmod(0o700)
    written = [place.authority_key, place.authority, *issue_servers(root, wanted, now)]
    written += _write_plant(place.plant, simulator=simulator)
    for name in _USERS:
        write_new(place.broker / name, b"", GROUP_READS)
    for path in (*(root / "tls").glob("*.key"), *place.broker.iterdir()):
        os.chown(path, -1, group)
    write_new(place.environment, _environment(wanted, group, simulator=simulator).encode(), OWNER_ONLY)
    return [*written, place.environment]


def issue_servers(root: Path, hosts: Sequence[str], now: datetime) -> list[Path]:
    """New certificates of broker and pages from the authority that is there; the paths that were written.

    Without `hosts` each keeps the names it has. A certificate of the pages that another authority gave stays. Raises
    InputError without an authority.
    """
    from plantroom import certificates  # noqa: PLC0415 - an extra

    place = Place(root)
    authority = certificates.Pair(place.authority, place.authority_key)
    names = list(dict.fromkeys([*map(certificates.check_host, hosts), *own_names()]))
    written = []
    for server, more in ((_BROKER, [_BROKER]), (_PAGES, [])):
        pair = certificates.Pair(*place.servers[server])
        if server == _PAGES and certificates.is_foreign(authority, pair):
            continue
        kept = [] if hosts else certificates.hosts_of(pair)
        certificates.issue(authority, pair, list(dict.fromkeys([*names, *more, *kept])), now)
        written += [pair.certificate, pair.key]
    return written


def own_names() -> list[str]:
    """What this machine is called by itself and by its neighbours."""
    found = ["localhost", "127.0.0.1", "::1", socket.gethostname(), reachable_at("0.0.0.0")]  # noqa: S104 - a question
    return list(dict.fromkeys(found))


def _write_plant(folder: Path, *, simulator: bool) -> list[Path]:
    written = []
    for name in (*_PLANT, *(("scenario.yaml",) if simulator else ())):
        path = folder / name
        if path.exists():
            continue
        shipped = files("plantroom") / ("demo" if simulator and name != "README.md" else "starter") / name
        if simulator and name == "rules/own.yaml":
            continue
        content = shipped.read_bytes()
        write_new(path, _in_real_time(content) if name == "scenario.yaml" else content, ALL_READ)
        written.append(path)
    return written


def _in_real_time(scenario: bytes) -> bytes:
    """The demo's scenario from now on and as fast as the clock."""
    lines = scenario.splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith((b"  start:", b"  factor:", b"#")))


def _environment(hosts: Sequence[str], group: int, *, simulator: bool) -> str:
    lines = ["# Made by `plantroom init --production`. Keep it secret and in the backup; mode 600.", ""]
    lines += [f"{name}={secrets.token_hex(32)}" for name in SECRETS]
    lines += [
        "",
        "# How people reach the pages; Grafana is below it at /grafana/.",
        f"PLANT_ADDRESS=https://{hosts[0] if hosts else 'localhost'}",
        "# The group that may read keys and the broker's users; the containers are in it.",
        f"PLANT_GROUP={group}",
        "# Where devices and browsers come in. 0.0.0.0 opens it to the network; both speak TLS only.",
        "MQTT_BIND=127.0.0.1",
        "HTTPS_BIND=127.0.0.1",
    ]
    if simulator:
        lines.append("# A simulated building publishes; take `simulator` away for a real one.")
    lines += [
        "# A second ingest, engine and web stand by (at most 2.5 GB more); without it a dead one is started again.",
        f"COMPOSE_PROFILES=standby{',simulator' if simulator else ''}",
    ]
    return "\n".join(lines) + "\n"
