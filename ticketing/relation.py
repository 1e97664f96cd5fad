"""Whether two orders may be merged, linked, or made part of each other. Pure."""

from dataclasses import dataclass

from ticketing.work_order import RUNNING_STATUSES, Status, Verb


@dataclass(frozen=True, slots=True)
class Kin:
    """One of two orders, as far as their relation asks. `above` are the ids of its parent, and of that one's parent."""

    id: str
    number: int
    kind: str
    status: Status
    above: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"WO-{self.number:06d}"


def decide_relation(verb: Verb, one: Kin, other: Kin) -> tuple[str, str] | None:
    """What stands against relating `one` to `other`, and what to do instead; None when nothing does."""
    if one.id == other.id:
        return f"{one} cannot be related to itself", "Name another order as `to`."
    if verb is Verb.MERGE:
        return _against_merging(one, other)
    if verb is Verb.PARENT:
        return _against_parent(one, other)
    return None


def _against_merging(one: Kin, other: Kin) -> tuple[str, str] | None:
    if other.status not in RUNNING_STATUSES:
        what = f"{one} cannot be merged into {other}, which is {other.status}: nobody works on it"
        return what, "Merge into an order that is worked on, or reopen that one first."
    if one.kind != other.kind:
        what = f"{one} is {one.kind} and {other} is {other.kind}: their deadlines come from different promises"
        return what, "Link them instead."
    if one.id in other.above:
        return f"{other} is part of {one}", "Merge it the other way round."
    return None


def _against_parent(one: Kin, other: Kin) -> tuple[str, str] | None:
    if other.status not in RUNNING_STATUSES:
        return f"{other} is {other.status} and takes in no more", "Name an order that is worked on."
    if one.id in other.above:
        return f"{other} is itself part of {one}", "Take it out first: parent without `to`."
    return None
