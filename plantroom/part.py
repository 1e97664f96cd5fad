"""What processes of the program do, and how the work of a plant is divided among them."""

from collections.abc import Iterable
from enum import StrEnum

from facility.errors import refuse
from ingest.shard import MAIN_SHARD


class Role(StrEnum):
    """What one process does; ALL starts every other as a child."""

    ALL = "all"
    BROKER = "broker"
    INGEST = "ingest"
    ENGINE = "engine"
    WEB = "web"
    JOBS = "jobs"


PLANT = frozenset((Role.ENGINE, Role.WEB, Role.JOBS))
"""Those that one process may have together."""


def parse_roles(text: str) -> frozenset[Role]:
    """`ingest`, or `engine,web,jobs`. Raises InputError for what is no role, and for roles that do not go together."""
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in set(Role)]
    if unknown or len(set(names)) < len(names):
        what = f"{text!r} is not a role" if unknown else f"{text!r} says a role twice"
        raise refuse("--role", what, f"Known are {', '.join(Role)}; engine, web and jobs may stand together.")
    roles = frozenset(Role(name) for name in names)
    if len(roles) > 1 and not roles <= PLANT:
        hint = "Only engine, web and jobs may stand together; give every other role a process of its own."
        raise refuse("--role", f"{text!r} cannot be one process", hint)
    return roles


def check_shard(roles: frozenset[Role], shard: str) -> None:
    """Raises InputError where a process of these roles cannot be one shard's: only ingest and an engine alone are."""
    if shard != MAIN_SHARD and roles not in ({Role.INGEST}, {Role.ENGINE}):
        what = f"{format_roles(roles)} is not for the shard {shard!r} alone"
        raise refuse("--shard", what, "Give it to --role ingest or --role engine; pages and jobs are for every shard.")


def parse_processes(text: str) -> tuple[frozenset[Role], ...]:
    """`engine,web,jobs`, or `ingest ingest engine engine web,jobs`: processes separated by spaces, each with roles.

    One for ingest is there without saying so, and comes first. Raises ValueError when another role is missing.
    """
    found = []
    for word in text.split():
        names = word.split(",")
        if len(set(names)) < len(names) or not (set(names) <= PLANT or names == [Role.INGEST]):
            msg = (
                f"{word!r} is no process; write engine, web and jobs, such as `engine,web,jobs` or `engine web,jobs`, "
                "and `ingest` for itself"
            )
            raise ValueError(msg)
        found.append(frozenset(Role(name) for name in names))
    missing = [role for role in Role if role in PLANT and not any(role in one for one in found)]
    if missing:
        msg = f"no process is given to {', '.join(missing)}"
        raise ValueError(msg)
    ingest = frozenset((Role.INGEST,))
    return tuple(found) if ingest in found else (ingest, *found)


def format_roles(roles: Iterable[str]) -> str:
    """`engine,web,jobs`: inverse of `parse_roles`."""
    return ",".join(role for role in Role if role in set(roles))
