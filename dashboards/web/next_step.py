"""Which verb a person most likely wants next: the one button that is big. Pure."""

from collections.abc import Iterable, Sequence

NEXT = {
    "open": "acknowledge",
    "acknowledged": "arrive",
    "arrived": "complete",
    "held": "resume",
    "completed": "accept",
    "accepted": "close",
    "closed": "reopen",
}
RARE = frozenset({"cancel", "reopen", "reassign", "hold"})
"""Verbs that end, undo or hand over: never the first button."""


def by_likelihood(status: str, verbs: Iterable[str]) -> Sequence[str]:
    """The verbs with the likely next one first, the rare ones last, else in their order."""
    likely = NEXT.get(status, "")
    return sorted(verbs, key=lambda verb: (verb != likely, verb in RARE, verb == "cancel"))
