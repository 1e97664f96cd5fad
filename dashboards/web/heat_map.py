"""A floor as a map of heat: a tile for each asset, its colour a state or where its value lies. Pure.

Each tile is a picture of its own, so that they flow on a phone; what a colour means is said beside, and every tile says
its value in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 168, 50
STEPS = 6
_LETTERS = 24


@dataclass(frozen=True, slots=True)
class Tile:
    """One asset: where it leads, its name, what it says (a state or a value) and the style class of its colour."""

    href: str
    name: str
    says: str
    css: str


@dataclass(frozen=True, slots=True)
class Scale:
    """The range that the six colours divide: from `low` to `high`, in the point's unit."""

    low: float
    high: float

    def css(self, value: float) -> str:
        """The colour of a value; those outside take the nearest."""
        if self.high <= self.low:
            return f"h{STEPS // 2}"
        share = (value - self.low) / (self.high - self.low)
        return f"h{min(STEPS - 1, max(0, int(share * STEPS)))}"

    def bounds(self) -> list[tuple[str, float, float]]:
        """(style class, from, to) of each colour."""
        step = (self.high - self.low) / STEPS
        return [(f"h{n}", self.low + n * step, self.low + (n + 1) * step) for n in range(STEPS)]


def draw_tile(tile: Tile) -> str:
    """The tile as SVG. Its words are in its title too, whole."""
    name = _fit(tile.name)
    about = escape(f"{tile.name}: {tile.says}", quote=True)
    return (
        f'<svg class="heat" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{about}"><title>{about}</title>'
        f'<rect class="{escape(tile.css, quote=True)}" x=".5" y=".5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="6"/>'
        f'<text x="8" y="20">{escape(name)}</text><text class="says" x="8" y="38">{escape(tile.says)}</text></svg>'
    )


def _fit(name: str) -> str:
    """As much of a name as the tile holds; a Chinese character is as wide as two letters."""
    room = _LETTERS
    for index, letter in enumerate(name):
        room -= 2 if ord(letter) > 0x2E7F else 1
        if room < 0:
            return name[: index - 1] + "…"
    return name


def scale_of(values: Sequence[float], least: float = 0.0) -> Scale | None:
    """The range of these values, at least so wide; None of nothing."""
    if not values:
        return None
    low, high = min(values), max(values)
    room = max(0.0, least - (high - low)) / 2
    return Scale(low - room, high + room)
