"""Readings, scans and commits: what ingest writes into the journal and everyone downstream reads.

These are msgspec structs because a building sends thousands a second. Instants are microseconds since the epoch.
"""

from enum import IntEnum

import msgspec

Value = float | str
"""A number in the unit of its point (a bool as 0.0 or 1.0), or a text for enumerations and codes."""


class Quality(IntEnum):
    """How far a reading can be believed. Only GOOD ones are judged by rules about the plant."""

    GOOD = 0
    OUT_OF_RANGE = 1
    STUCK = 2
    SPIKE = 3
    STALE = 4
    FUTURE = 5
    DUPLICATE = 6
    LATE = 7
    SUBSTITUTED = 8


class PointValue(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One point's value inside a scan; unit as in the point catalogue."""

    point: str
    value: Value
    quality: int = Quality.GOOD


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One value of one point at one instant, with quality, outside of any scan: for stores and pages."""

    asset_id: str
    point: str
    at_us: int
    value: Value
    quality: int = Quality.GOOD


class Scan(msgspec.Struct, frozen=True, array_like=True, tag="scan", gc=False):
    """The readings of one asset at one instant (event time `at_us`).

    `complete` says that the dialect promised the whole scan in one message; otherwise more readings of the same
    instant may follow within the allowance and are merged.
    """

    asset_id: str
    at_us: int
    complete: bool
    values: tuple[PointValue, ...]


class Heartbeat(msgspec.Struct, frozen=True, array_like=True, tag="heartbeat"):
    """Ingest was subscribed and listening at `at_us`: the row event time runs on.

    It went to the broker and came back by the same subscription as the readings, so every message the broker
    delivered before it stands before it in the journal. The counters are totals since ingest started.
    """

    at_us: int
    received: int = 0
    rejected: int = 0


class DeadLetter(msgspec.Struct, frozen=True, array_like=True, tag="dead_letter"):
    """A message that could not be read: kept whole, with the reason and what to do."""

    at_us: int
    topic: str
    payload: bytes
    reason: str


class SiteEdited(msgspec.Struct, frozen=True, array_like=True, tag="site_edited"):
    """From here on the building is what these site files say (file name -> text)."""

    event_id: str
    at_us: int
    files: dict[str, str]


class RuleSetActivated(msgspec.Struct, frozen=True, array_like=True, tag="rule_set_activated"):
    """From here on these rule files judge (file name -> text); `digest` is the hash of the set."""

    event_id: str
    at_us: int
    digest: str
    files: dict[str, str]


class ParameterOverridden(msgspec.Struct, frozen=True, array_like=True, tag="parameter_overridden"):
    """A rule's parameter has this value (in the parameter's own unit) for the scope; None takes it back.

    `scope` is an asset id, `class:NAME` or `site:ID`.
    """

    event_id: str
    at_us: int
    rule_id: str
    parameter: str
    scope: str
    value: float | None


class Shelved(msgspec.Struct, frozen=True, array_like=True, tag="shelved"):
    """A person took a rule on an asset out of view until `until_us`; `until_us` = `at_us` takes it back."""

    event_id: str
    at_us: int
    asset_id: str
    rule_id: str
    until_us: int
    by: str
    reason: str


class MaintenanceDeclared(msgspec.Struct, frozen=True, array_like=True, tag="maintenance"):
    """Planned work on an asset and everything under it, from `from_us` to `until_us`."""

    event_id: str
    at_us: int
    asset_id: str
    from_us: int
    until_us: int
    by: str
    reason: str


class VisitRecorded(msgspec.Struct, frozen=True, array_like=True, tag="visit"):
    """A technician was at the asset: counters since the last visit start again."""

    event_id: str
    at_us: int
    asset_id: str
    by: str


class BuildingsAssigned(msgspec.Struct, frozen=True, array_like=True, tag="buildings_assigned"):
    """From here on this journal is about these buildings; all others of the site files are another shard's.

    A journal without such an event is about all buildings. Every list is whole, so the newest event says it all.

    `expected` are on the way here: what comes of them is kept back unjudged, in order, until their memory comes.
    `handed` is that memory, by building, as the engine of another journal packed it. `elsewhere` are the buildings that
    are known to be other shards'; None in journals that do not say it.
    """

    event_id: str
    at_us: int
    buildings: tuple[str, ...]
    expected: tuple[str, ...] = ()
    handed: dict[str, bytes] = {}
    elsewhere: tuple[str, ...] | None = None


ControlEvent = (
    SiteEdited
    | RuleSetActivated
    | ParameterOverridden
    | Shelved
    | MaintenanceDeclared
    | VisitRecorded
    | BuildingsAssigned
)
Entry = Scan | Heartbeat | DeadLetter | ControlEvent


class Commit(msgspec.Struct, frozen=True, array_like=True):
    """One group commit of the journal: `seq` counts from 1 without gaps, `arrived_us` is the clock's now."""

    seq: int
    arrived_us: int
    entries: tuple[Entry, ...]


encode_entries = msgspec.msgpack.Encoder().encode
decode_entries = msgspec.msgpack.Decoder(tuple[Entry, ...]).decode
encode_event = msgspec.msgpack.Encoder().encode
decode_event = msgspec.msgpack.Decoder(ControlEvent).decode
