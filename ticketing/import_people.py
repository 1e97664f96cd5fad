"""Technicians from a table, as the `people` of a roster file. Pure."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from facility.catalogue import equipment_classes
from facility.registry import Registry
from ticketing.import_table import Row, Table, read_table

COLUMNS = ("id", "name", "language", "roles", "skills", "certificates", "buildings", "home", "shift", "channels")
NEEDED = ("id", "name")
_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
_CERTIFICATE = "certificates such as 'Lift safety|elevator|2027-06-30'"
_CHANNEL = "channels such as 'mail=env:LI_MAIL'"


def read_people(content: bytes, where: str, registry: Registry, shifts: Iterable[str]) -> list[dict[str, Any]]:
    """The entries of a roster file's `people`. Raises InputError with all that is wrong, each with row, column and what
    to do. Nothing is written. A certificate is `name|class|until`, a channel `name=address`; semicolons between."""
    table = read_table(content, where, COLUMNS, NEEDED)
    table.unique("id")
    known = sorted(shifts)
    found = [_person(table, row, registry, known) for row in table.rows]
    table.finish()
    return found


def _person(table: Table, row: Row, registry: Registry, shifts: list[str]) -> dict[str, Any]:
    name = table.needed(row, "id")
    if name and not _ID.match(name):
        table.refuse(row, "id", f"{name!r} is no id", "Use up to 64 letters, digits, dots, dashes and underscores.")
    values = {
        "id": name,
        "name": table.needed(row, "name"),
        "language": table.word(row, "language", ("en", "zh"), default="en"),
        "roles": table.words(row, "roles"),
        "skills": table.words(row, "skills", equipment_classes(), noun="equipment class"),
        "certificates": _certificates(table, row),
        "buildings": table.words(row, "buildings", registry.buildings, noun="building"),
        "home": table.word(row, "home", registry.buildings, noun="building"),
        "shift": table.word(row, "shift", shifts, noun="shift of the roster"),
        "channels": _channels(table, row),
    }
    return {key: value for key, value in values.items() if value}


def _certificates(table: Table, row: Row) -> list[dict[str, Any]]:
    found = []
    for text in table.words(row, "certificates"):
        parts = [part.strip() for part in text.split("|")]
        if len(parts) != 3:
            table.refuse(row, "certificates", f"{text!r} is no certificate", f"Write {_CERTIFICATE}.")
            continue
        until = table.parsed(row, "certificates", parts[2], date.fromisoformat, "a date such as 2027-06-30")
        if parts[1] not in equipment_classes():
            table.refuse(row, "certificates", f"{parts[1]!r} is not a known equipment class", f"Write {_CERTIFICATE}.")
        found.append({"name": parts[0], "class": parts[1], "until": until})
    return found


def _channels(table: Table, row: Row) -> list[dict[str, str]]:
    found = []
    for text in table.words(row, "channels"):
        name, sign, address = text.partition("=")
        if not sign or not address.strip() or not _ID.match(name.strip()):
            table.refuse(row, "channels", f"{text!r} is no channel", f"Write {_CHANNEL}.")
            continue
        found.append({"name": name.strip(), "address": address.strip()})
    return found
