"""A snapshot: all the engine remembers, as msgpack, with the version that wrote it and its rule set's digest."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec

from rules.errors import RulesError
from rules.explain import Maintenance, Shelf
from rules.memory import BuildingMemory, Kept
from rules.parameters import Override
from rules.rule_set import digest_of

ENGINE_VERSION = 7
"""Goes up whenever the same journal would give other findings, or memory has another shape.

A field that is new in `Snapshot` and has a default is no other shape: an older snapshot is read as one without it.
"""


class Header(msgspec.Struct, array_like=True, frozen=True):
    """What is read first, whatever follows."""

    version: int
    digest: str
    body: bytes


class Snapshot(msgspec.Struct):
    """The engine's whole state. Files are name -> text; `event_ids` are the control events that were applied.

    `assigned` are the buildings that are judged here, None for all of them; `kept` is what came of those `expected`.
    `released` is the packed memory of buildings that left, until somebody takes it. `said_us` is when people said what
    they did (`rules.words`).
    """

    allowance_us: int
    listening_gap_us: int
    scans_advance: bool
    digest: str = ""
    last_seq: int = 0
    site_files: dict[str, str] = {}
    rule_files: dict[str, str] | None = None
    overrides: dict[str, Override] = {}
    shelves: dict[str, Shelf] = {}
    maintenance: dict[str, Maintenance] = {}
    event_ids: dict[str, None] = {}
    errors: list[str] = []
    buildings: dict[str, BuildingMemory] = {}
    assigned: tuple[str, ...] | None = None
    expected: tuple[str, ...] = ()
    kept: dict[str, Kept] = {}
    released: dict[str, bytes] = {}
    said_us: dict[str, int] = {}


class Plant(msgspec.Struct):
    """What a snapshot of any version knows that no rule has worked out: it holds for another engine too."""

    site_files: dict[str, str] = {}
    rule_files: dict[str, str] | None = None
    overrides: dict[str, Override] = {}
    shelves: dict[str, Shelf] = {}
    maintenance: dict[str, Maintenance] = {}
    event_ids: dict[str, None] = {}
    assigned: tuple[str, ...] | None = None
    expected: tuple[str, ...] = ()
    released: dict[str, bytes] = {}
    said_us: dict[str, int] = {}


_ENCODER = msgspec.msgpack.Encoder()
_HEADER = msgspec.msgpack.Decoder(Header)
_BODY = msgspec.msgpack.Decoder(Snapshot)
_PLANT = msgspec.msgpack.Decoder(Plant)


def pack(state: Snapshot) -> bytes:
    """The snapshot as bytes."""
    with windows_written(state.buildings.values()):
        return _ENCODER.encode(Header(ENGINE_VERSION, state.digest, _ENCODER.encode(state)))


@contextmanager
def windows_written(buildings: Iterable[BuildingMemory]) -> Iterator[None]:
    """While it lasts every window holds its own buckets."""
    windows = [
        window
        for building in buildings
        for asset in building.assets.values()
        for point in asset.points.values()
        for window in point.windows.values()
    ]
    for window in windows:
        window.write_out()
    yield
    for window in windows:
        window.written()


def plant_of(data: bytes) -> Plant | None:
    """The plant in a snapshot that `unpack` refuses; None when not even that can be read."""
    try:
        return _PLANT.decode(_HEADER.decode(data).body)
    except msgspec.MsgspecError:
        return None


def unpack(data: bytes) -> Snapshot:
    """The state of a snapshot. Raises RulesError when it is broken, of another engine, or of other rules."""
    try:
        header = _HEADER.decode(data)
    except msgspec.MsgspecError as error:
        msg = f"this is not a snapshot of the engine ({error}); rebuild the state from the journal"
        raise RulesError(msg) from error
    if header.version != ENGINE_VERSION:
        msg = (
            f"the snapshot was written by engine version {header.version} and this is version {ENGINE_VERSION}; "
            "rebuild the state from the journal"
        )
        raise RulesError(msg)
    try:
        state = _BODY.decode(header.body)
    except msgspec.MsgspecError as error:
        msg = f"the snapshot is damaged ({error}); rebuild the state from the journal"
        raise RulesError(msg) from error
    actual = digest_of(state.rule_files) if state.rule_files is not None else ""
    if header.digest != actual:
        msg = f"the snapshot names rule set {header.digest!r} and carries {actual!r}; rebuild from the journal"
        raise RulesError(msg)
    return state
