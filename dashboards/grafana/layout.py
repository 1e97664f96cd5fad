"""Puts panels on the grid row by row, so that none can lie on another."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders import dashboard as classic
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard

WIDE = 24


class Layout:
    """A dashboard that grows downward. Panels are numbered in the order they come."""

    def __init__(self, board: classic.Dashboard) -> None:
        self._board, self._top, self._count = board, 0, 0

    def row(self, height: int, *panels: Builder[dashboard.Panel], widths: Sequence[int] = ()) -> None:
        """Panels side by side, of one height; as wide as `widths` says, or alike."""
        shares = widths or [WIDE // len(panels) + (index < WIDE % len(panels)) for index in range(len(panels))]
        left = 0
        for panel, width in zip(panels, shares, strict=True):
            self._count += 1
            built = panel.build()
            built.id_val = self._count
            built.grid_pos = dashboard.GridPos(h=height, w=width, x=left, y=self._top)
            self._board.with_panel(panel)
            left += width
        if left > WIDE:
            msg = f"a row is {left} wide, the grid {WIDE}"
            raise ValueError(msg)
        self._top += height

    def pairs(self, height: int, panels: Sequence[Builder[dashboard.Panel]]) -> None:
        """Panels two by two; a last one alone is as wide as the page."""
        for index in range(0, len(panels), 2):
            self.row(height, *panels[index : index + 2])

    def build(self) -> dashboard.Dashboard:
        """The finished dashboard."""
        return self._board.build()
