"""Over a whole building: which findings others explain, and which people took out of view. Pure."""

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence

import msgspec

from facility.reading import MaintenanceDeclared, Shelved
from facility.registry import Registry
from rules.judgement import Judgement


class Shelf(msgspec.Struct, frozen=True):
    """A rule on an asset is out of view until `until_us`, says `by`."""

    asset_id: str
    rule_id: str
    until_us: int
    by: str
    reason: str = ""


class Maintenance(msgspec.Struct, frozen=True):
    """Planned work on an asset and everything inside it, in `[from_us, until_us)`."""

    asset_id: str
    from_us: int
    until_us: int
    by: str
    reason: str = ""


class Explanation(msgspec.Struct, frozen=True):
    """Why a finding opens no order; both None: it does. `suppressed_by` is the explaining finding's id."""

    suppressed_by: str | None
    shelved_by: str | None
    shelved_until_us: int | None = None
    shelved_reason: str = ""


def shelve(shelves: MutableMapping[str, Shelf], event: Shelved) -> None:
    """Take a rule on an asset out of view, or back into it."""
    key = f"{event.rule_id}/{event.asset_id}"
    shelves.pop(key, None)
    if event.until_us > event.at_us:
        shelves[key] = Shelf(event.asset_id, event.rule_id, event.until_us, event.by, event.reason)


def maintain(works: MutableMapping[str, Maintenance], event: MaintenanceDeclared) -> None:
    """Note planned work on an asset, or that there is none."""
    if event.until_us <= event.at_us:
        for key in [key for key, work in works.items() if work.asset_id == event.asset_id]:
            del works[key]
    else:
        works[event.event_id] = Maintenance(event.asset_id, event.from_us, event.until_us, event.by, event.reason)


def find_suppressors(
    judgement: Judgement,
    registry: Registry,
    suppressors: Mapping[str, Sequence[str]],
    by_subject: Mapping[tuple[str, str], Sequence[Judgement]],
) -> tuple[Judgement, ...]:
    """Every judgement that would explain this one while active, the nearest first.

    On the same asset any rule that names this one; on what contains, feeds or controls it only downstream rules.
    """
    rule_ids = suppressors.get(judgement.rule.id, ())
    found = []
    if rule_ids:
        for asset_id in (judgement.asset.id, *registry.explainers(judgement.asset.id)):
            for rule_id in rule_ids:
                for other in by_subject.get((rule_id, asset_id), ()):
                    if other is not judgement and (asset_id == judgement.asset.id or other.rule.downstream):
                        found.append(other)  # noqa: PERF401 - three nested loops read better written out
    return tuple(found)


def explain(
    active: Iterable[Judgement],
    suppressors_of: Callable[[Judgement], Sequence[Judgement]],
    shelves: Iterable[Shelf],
    maintenance: Iterable[Maintenance],
    registry: Registry,
    now_us: int,
) -> dict[int, Explanation]:
    """For each active judgement (by index) why it opens no order at `now_us`.

    Where two name each other only the one raised first explains, so a finding whose order is open is not taken over
    by a later one. Longer circles are broken where they would close.
    """
    shelved = {(shelf.asset_id, shelf.rule_id): shelf for shelf in shelves if now_us < shelf.until_us}
    works = {work.asset_id: work for work in maintenance if work.from_us <= now_us < work.until_us}
    ordered = sorted(active, key=_raised)
    by: dict[int, Judgement] = {}
    for judgement in reversed(ordered):  # the later one first, so that the earlier one is the explanation
        for other in suppressors_of(judgement):
            if not other.explaining(now_us) or _leads_to(other, judgement, by):
                continue
            if _raised(other) < _raised(judgement) or judgement not in suppressors_of(other):
                by[judgement.index] = other
                break
    result = {}
    for judgement in ordered:
        cause = by[judgement.index].explaining(now_us) if judgement.index in by else None
        shelf = shelved.get((judgement.asset.id, judgement.rule.id))
        work = _worked_on(judgement, works, registry) if shelf is None else None
        if shelf is not None:
            found = Explanation(cause, shelf.by, shelf.until_us, shelf.reason)
        elif work is not None:
            found = Explanation(cause, f"maintenance: {work.by}", work.until_us, work.reason)
        else:
            found = Explanation(cause, None)
        result[judgement.index] = found
    return result


def _raised(judgement: Judgement) -> tuple[int, int]:
    memory = judgement.memory
    raised_us = memory.finding.raised_us if memory.finding is not None else memory.last_raised_us
    return raised_us, judgement.index


def _leads_to(start: Judgement, goal: Judgement, by: Mapping[int, Judgement]) -> bool:
    seen: Judgement | None = start
    while seen is not None and seen is not goal:
        seen = by.get(seen.index)
    return seen is goal


def _worked_on(judgement: Judgement, works: Mapping[str, Maintenance], registry: Registry) -> Maintenance | None:
    """The planned work on the asset or on anything that contains it."""
    asset_id: str | None = judgement.asset.id
    while works and asset_id is not None:
        if asset_id in works:
            return works[asset_id]
        asset_id = registry.assets[asset_id].parent_id
    return None
