"""What people have said of the plant, as it stands, with the instant of each word: so that two engines that heard
different parts of it can be made to agree.

An engine that began later than another never hears what was said before. It learns that with a building that comes
from there. What was taken back is remembered too, or the other one's older word would bring it back.
"""

from collections.abc import MutableMapping
from typing import Protocol, TypeVar

import msgspec

from facility.reading import MaintenanceDeclared, ParameterOverridden, Shelved
from rules.explain import Maintenance, Shelf, maintain, shelve
from rules.parameters import Override

MAX_SAID = 16_384
_UNHEARD = -1
_SET, _SHELF, _WORK, _NO_WORK = "set/", "shelf/", "work/", "no work/"


class Words(msgspec.Struct, array_like=True, frozen=True):
    """As in `Snapshot`. `said_us` is by what the word is about; what was said before there was such a note, at 0."""

    overrides: dict[str, Override] = {}
    shelves: dict[str, Shelf] = {}
    maintenance: dict[str, Maintenance] = {}
    said_us: dict[str, int] = {}


class Heard(Protocol):
    """The state of an engine, as far as people's words go."""

    overrides: dict[str, Override]
    shelves: dict[str, Shelf]
    maintenance: dict[str, Maintenance]
    said_us: dict[str, int]


_Word = TypeVar("_Word")


def words_of(state: Heard) -> Words:
    """All of them."""
    return Words(state.overrides, state.shelves, state.maintenance, state.said_us)


def hear(state: Heard, event: ParameterOverridden | Shelved | MaintenanceDeclared) -> None:
    """From here on it holds; when it was said is noted. Of very many words the oldest notes are forgotten."""
    match event:
        case ParameterOverridden():
            key = f"{event.rule_id}/{event.parameter}/{event.scope}"
            about = _SET + key
            state.overrides.pop(key, None)
            if event.value is not None:
                state.overrides[key] = Override(event.rule_id, event.parameter, event.scope, event.value)
        case Shelved():
            about = f"{_SHELF}{event.rule_id}/{event.asset_id}"
            shelve(state.shelves, event)
        case MaintenanceDeclared():
            about = _WORK + event.event_id if event.until_us > event.at_us else _NO_WORK + event.asset_id
            maintain(state.maintenance, event)
    state.said_us.pop(about, None)
    state.said_us[about] = event.at_us
    if len(state.said_us) > MAX_SAID:
        del state.said_us[next(iter(state.said_us))]


def learn(state: Heard, theirs: Words) -> set[str] | None:
    """Take over what another engine heard later than this one, or alone: the rules whose parameters changed with that,
    None when nothing did."""
    before = (state.overrides.copy(), state.shelves.copy(), state.maintenance.copy())
    _take(_SET, state.overrides, state.said_us, theirs.overrides, theirs.said_us)
    _take(_SHELF, state.shelves, state.said_us, theirs.shelves, theirs.said_us)
    _take(_WORK, state.maintenance, state.said_us, theirs.maintenance, theirs.said_us)
    for about, at_us in theirs.said_us.items():
        state.said_us[about] = max(at_us, state.said_us.get(about, _UNHEARD))
    for name, work in list(state.maintenance.items()):
        if state.said_us.get(_WORK + name, 0) < state.said_us.get(_NO_WORK + work.asset_id, _UNHEARD):
            del state.maintenance[name]
    if before == (state.overrides, state.shelves, state.maintenance):
        return None
    return {one.rule_id for _, one in before[0].items() ^ state.overrides.items()}


def _take(
    kind: str,
    mine: MutableMapping[str, _Word],
    mine_us: MutableMapping[str, int],
    theirs: MutableMapping[str, _Word],
    theirs_us: MutableMapping[str, int],
) -> None:
    """Each word of one kind as who heard the newest of it has it."""
    known = {about.removeprefix(kind) for about in theirs_us if about.startswith(kind)}
    for name in [*theirs, *(one for one in known if one not in theirs)]:
        heard_us = mine_us.get(kind + name, 0 if name in mine else _UNHEARD)
        if theirs_us.get(kind + name, 0) > heard_us:
            mine.pop(name, None)
            if name in theirs:
                mine[name] = theirs[name]
