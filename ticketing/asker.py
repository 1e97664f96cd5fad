"""Who asks, as far as ticketing must know: which buildings she may see, and under which name she acts."""

from typing import Protocol


class Asker(Protocol):
    """Asked within the request that it is about."""

    def buildings(self) -> frozenset[str] | None:
        """The buildings she may see; None is all of them."""

    def name(self) -> str | None:
        """Her name in histories; None for a program that may name whom it acts for."""


class Anybody:
    """Sees everything and says who acts: for a program's own token, and where nobody else can ask."""

    def buildings(self) -> None:
        """All of them."""

    def name(self) -> None:
        """Whatever the call says."""
