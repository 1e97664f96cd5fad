"""Where people are and what waits: a building drawn place by place, with a bar of its orders and who is sent. Pure.

Each place is a link that says in words what is drawn; the same stands in the table above it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, ROW, HEAD = 400, 38, 4
_BAR, _PEOPLE, _MOST = 158, 262, 4
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Face:
    """Somebody at a place: `short` is what her circle holds; filled when she is there, else only sent there."""

    short: str
    is_there: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A row: where it leads, its name, open orders and how many of them are late, who; and all of that in words."""

    href: str
    name: str
    orders: int
    late: int
    faces: Sequence[Face]
    about: str


def short_name(name: str) -> str:
    """What a circle holds of a name: two characters of a Chinese one, the first letters of others."""
    if _HAN.search(name):
        return name[-2:]
    parts = [part for part in re.split(r"[\s._-]+", name) if part]
    return "".join(part[0] for part in parts[:2]).upper() or "?"


def draw_places(places: Sequence[Place], label: str) -> str:
    """The building as SVG, a row for each place; bars share one scale."""
    most = max((place.orders for place in places), default=0)
    height = HEAD + ROW * len(places)
    rows = "".join(_row(place, HEAD + ROW * index, most) for index, place in enumerate(places))
    head = f'<svg class="crew" viewBox="0 0 {WIDTH} {height}" role="group" aria-label="{escape(label, quote=True)}">'
    return f"{head}{rows}</svg>"


def _row(place: Place, top: int, most: int) -> str:
    middle = top + ROW // 2
    about = escape(place.about, quote=True)
    parts = [
        f'<a href="{escape(place.href, quote=True)}" aria-label="{about}"><title>{about}</title>',
        f'<rect class="floor" x="1" y="{top + 1}" width="{WIDTH - 2}" height="{ROW - 4}" rx="5"/>',
        f'<text x="12" y="{middle + 3}">{escape(_fit(place.name))}</text>',
    ]
    if place.orders:
        whole = max(8.0, 64 * place.orders / most)
        late = whole * place.late / place.orders
        bar = f'y="{middle - 8}" height="14"'
        parts.append(f'<rect class="load" x="{_BAR}" {bar} width="{whole:.1f}" rx="3"/>')
        if place.late:
            parts.append(f'<rect class="late" x="{_BAR}" {bar} width="{late:.1f}" rx="3"/>')
        parts.append(f'<text class="count" x="{_BAR + whole + 6:.1f}" y="{middle + 3}">{place.orders:,}</text>')
    shown = place.faces if len(place.faces) <= _MOST else place.faces[: _MOST - 1]
    for index, face in enumerate(shown):
        x = _PEOPLE + 16 + index * 33
        kind = "there" if face.is_there else "sent"
        parts.append(f'<circle class="{kind}" cx="{x}" cy="{middle - 1}" r="14"/>')
        parts.append(f'<text class="face {kind}" x="{x}" y="{middle + 3}">{escape(face.short)}</text>')
    if len(shown) < len(place.faces):
        x = _PEOPLE + 6 + len(shown) * 33
        parts.append(f'<text class="count" x="{x}" y="{middle + 3}">+{len(place.faces) - len(shown)}</text>')
    return "".join([*parts, "</a>"])


def _fit(name: str, room: int = 20) -> str:
    for index, letter in enumerate(name):
        room -= 2 if ord(letter) > 0x2E7F else 1
        if room < 0:
            return name[: index - 1] + "…"
    return name
