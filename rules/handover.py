"""A building on its way from one engine to another: its memory as bytes, with what the other one has to know of it and
of what people have said.

Both engines are of one version as a rule. In the middle of an upgrade they may not be: then the memory cannot be read,
and the findings that are packed beside it tell what ends with it.
"""

from collections.abc import Iterable

import msgspec

from facility.finding import Finding
from rules.memory import BuildingMemory
from rules.snapshot import ENGINE_VERSION, windows_written
from rules.words import Words

_KEPT_EVENTS = 256
"""Of the newest control events the other engine learns which were applied: more than come while a building moves."""


class Parcel(msgspec.Struct, array_like=True, frozen=True):
    """What is handed over: the newest control events that were applied, the active findings, the memory, and what
    people have said of the whole plant."""

    version: int
    event_ids: tuple[str, ...]
    findings: bytes
    memory: bytes
    words: Words = Words()


class Arrival(msgspec.Struct, frozen=True):
    """A building as it begins here. `event_ids` were applied to its memory already. `ended` are findings that nobody
    can go on with, and `trouble` says why; empty when there is none. `words` is what its engine had heard."""

    memory: BuildingMemory = msgspec.field(default_factory=lambda: BuildingMemory(newest_us=-1))
    event_ids: tuple[str, ...] = ()
    ended: tuple[Finding, ...] = ()
    trouble: str = ""
    words: Words = Words()


_ENCODER = msgspec.msgpack.Encoder()
_PARCEL = msgspec.msgpack.Decoder(Parcel)
_FINDINGS = msgspec.msgpack.Decoder(list[Finding])
_MEMORY = msgspec.msgpack.Decoder(BuildingMemory)


def pack_building(memory: BuildingMemory, event_ids: Iterable[str], words: Words) -> bytes:
    """The building's memory as bytes; `event_ids` in the order in which they were applied."""
    findings = [one.finding for one in memory.judgements.values() if one.finding is not None]
    with windows_written([memory]):
        body = _ENCODER.encode(memory)
    newest = tuple(event_ids)[-_KEPT_EVENTS:]
    return _ENCODER.encode(Parcel(ENGINE_VERSION, newest, _ENCODER.encode(findings), body, words))


def unpack_building(data: bytes) -> "Arrival":
    """What comes out of it, where it can be read."""
    words = Words()
    try:
        parcel = _PARCEL.decode(data)
        words = parcel.words
        if parcel.version == ENGINE_VERSION:
            return Arrival(_MEMORY.decode(parcel.memory), parcel.event_ids, words=words)
        ended = tuple(_FINDINGS.decode(parcel.findings))
    except msgspec.MsgspecError as error:
        return Arrival(trouble=f"its memory is damaged ({error}): it begins to learn anew", words=words)
    trouble = f"its memory is of engine version {parcel.version} and this is {ENGINE_VERSION}: it begins to learn anew"
    return Arrival(ended=ended, trouble=trouble, words=words)
