"""Which part of the plant an ingest process is for: its name, its own heartbeat, and what it says it hears.

`covered.json` in the run folder names the buildings all of whose topics the broker has granted to the shard's lasting
session: from then on nothing published on them passes it by, whether it runs or not.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ingest.routing import HEARTBEAT_TOPIC
from ingest.stores.cursor import write_whole

MAIN_SHARD = "main"
"""The first shard: it hears every topic, and keeps the messages that belong to nobody as dead letters."""
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_COVERED = msgspec.json.Decoder(dict[str, bool])


@dataclass(frozen=True, slots=True)
class ShardFeed:
    """The shard that an ingest service feeds. `run_folder` is where it says what it covers."""

    name: str
    run_folder: Path

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            msg = f"the shard {self.name!r}; expected lower case letters, digits and dashes, at most 32"
            raise ValueError(msg)

    @property
    def is_main(self) -> bool:
        """Whether it is the first shard."""
        return self.name == MAIN_SHARD

    @property
    def heartbeat_topic(self) -> str:
        """Where its heartbeats travel."""
        return HEARTBEAT_TOPIC if self.is_main else f"{HEARTBEAT_TOPIC}/{self.name}"


def read_covered(run_folder: Path) -> frozenset[str]:
    """The buildings that the shard hears wholly; none before it said so, or where the file cannot be read."""
    try:
        said = _COVERED.decode((run_folder / "covered.json").read_bytes())
    except (OSError, msgspec.DecodeError):
        return frozenset()
    return frozenset(building for building, hears in said.items() if hears)


def write_covered(run_folder: Path, buildings: frozenset[str]) -> None:
    """Say durably which buildings it hears wholly. Raises OSError."""
    run_folder.mkdir(parents=True, exist_ok=True)
    write_whole(run_folder / "covered.json", msgspec.json.encode(dict.fromkeys(sorted(buildings), True)))
