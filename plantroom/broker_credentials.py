"""Passwords of the broker's users: made, kept, changed and taken away with the devices they belong to.

Mosquitto gets salted hashes and an access list; the passwords themselves are written once, for who installs the
devices, into a file that only its owner reads and that may be deleted afterwards.
"""

import base64
import csv
import hashlib
import io
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from facility.errors import refuse
from ingest.broker_users import BrokerUser, access_list
from plantroom.secret_files import GROUP_READS, OWNER_ONLY, replace_file

_ITERATIONS = 101
"""Mosquitto's own number. The passwords are 144 random bits, which no number of tries finds; at a restart a thousand
devices come back at once, and the broker works out each hash in its only thread."""
_SALT_BYTES = 12
_HEADER = ("user", "password", "assets", "writes")


@dataclass(frozen=True, slots=True)
class Changed:
    """What a run did, by user name."""

    made: tuple[str, ...]
    rotated: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]


def hash_for_mosquitto(password: str, salt: bytes) -> str:
    """The password as Mosquitto's password file holds it: PBKDF2 with SHA-512."""
    hashed = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    return f"$7${_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(hashed).decode()}"


def update_credentials(
    users: Sequence[BrokerUser], broker: Path, handover: Path, rotate: Collection[str] = ()
) -> Changed:
    """Bring the folder `broker` (passwords, acl) and the file `handover` up to these users.

    A user that has a password keeps it, unless it is in `rotate`. Raises InputError for a user nobody knows and for
    files that cannot be read; then nothing is written.
    """
    names = [user.name for user in users]
    if unknown := sorted(set(rotate) - set(names)):
        hint = f"Users are: {', '.join(names[:20])}{' ...' if len(names) > 20 else ''}."
        raise refuse("--rotate", f"there is no user {unknown[0]!r}", hint)
    hashes = read_hashes(broker / "passwords")
    told = _read_handover(handover)
    fresh = {name: secrets.token_urlsafe(18) for name in names if name not in hashes or name in rotate}
    told = {name: told[name] for name in names if name in told and name in hashes} | fresh
    kept = {name: hashes[name] for name in names if name in hashes and name not in fresh}
    kept |= {name: hash_for_mosquitto(password, secrets.token_bytes(_SALT_BYTES)) for name, password in fresh.items()}
    # In this order: a password that the broker knows is never one that nobody was told.
    handover.parent.mkdir(parents=True, exist_ok=True)
    replace_file(handover, _table(users, told).encode(), OWNER_ONLY)
    replace_file(broker / "acl", access_list(users).encode(), GROUP_READS)
    replace_file(broker / "passwords", _lines(kept).encode(), GROUP_READS)
    rotated = tuple(name for name in fresh if name in hashes)
    removed = tuple(name for name in hashes if name not in kept)
    made = tuple(name for name in fresh if name not in hashes)
    return Changed(made, rotated, removed, tuple(name for name in names if name not in fresh))


def _lines(hashes: Mapping[str, str]) -> str:
    return "".join(f"{name}:{hashed}\n" for name, hashed in hashes.items())


def read_hashes(path: Path) -> dict[str, str]:
    """Mosquitto's password file: hash by user; empty without a file. Raises InputError with the line that is none."""
    if not path.exists():
        return {}
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        name, mark, hashed = line.partition(":")
        if not mark or not hashed.startswith("$"):
            raise refuse(str(path), "is no line of a password file", "Bring the file back from a backup.", line=number)
        found[name] = hashed
    return found


def _read_handover(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if rows and not {"user", "password"} <= set(rows[0]):
        raise refuse(str(path), "has no columns user and password", "Move it away; the next run makes a new one.")
    return {row["user"]: row["password"] for row in rows}


def _table(users: Sequence[BrokerUser], told: Mapping[str, str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    for user in users:
        if user.name in told:
            writer.writerow([user.name, told[user.name], " ".join(user.asset_ids), ", ".join(user.writes)])
    return text.getvalue()
