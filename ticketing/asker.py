"""Who asks, as far as ticketing must know: which buildings she may see, and under which name she acts."""

from typing import Protocol

from facility.registry import Registry


class Asker(Protocol):
    """Asked within the request that it is about."""

    def buildings(self) -> frozenset[str] | None:
        """The buildings she may see; None is all of them."""

    def name(self) -> str | None:
        """Her name in histories; None for a program that may name whom it acts for."""

    def manages(self) -> bool:
        """Whether she may undo what others have done."""


class Anybody:
    """Sees everything and says who acts: for a program's own token, and where nobody else can ask."""

    def buildings(self) -> None:
        """All of them."""

    def name(self) -> None:
        """Whatever the call says."""

    def manages(self) -> bool:
        """Yes: who stands behind the call is not known here."""
        return True


def may_see(who: Asker, building_id: str) -> bool:
    """Whether what is in a building is there at all for whoever asks."""
    buildings = who.buildings()
    return buildings is None or building_id in buildings


def seen_by(who: Asker, registry: Registry) -> Registry:
    """The directory as it is for whoever asks."""
    buildings = who.buildings()
    return registry if buildings is None else registry.within(buildings)
