"""Manuals on an asset's page: links and files that the site names, and files the office uploaded.

The program implements the Protocol. A file is what its content says, whatever its name; only kinds that cannot act on
a page are kept and served.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dashboards.web.visitor import Source
from facility.asset import Asset


@dataclass(frozen=True, slots=True)
class ManualView:
    """One manual: where it leads; `size` in bytes, 0 for a link. `id` is set for those that were uploaded."""

    title: str
    href: str
    kind: str
    size: int = 0
    id: str = ""


@dataclass(frozen=True, slots=True)
class ManualContent:
    """A file as it is served: its media type is one of the kinds that are taken."""

    name: str
    media_type: str
    content: bytes


class ManualDesk(Protocol):
    """Every method may be called from several threads at once."""

    def manuals(self, asset: Asset) -> Sequence[ManualView]:
        """What the site names, then what was uploaded, oldest first; files that are not there are left out."""

    def content(self, asset: Asset, name: str) -> ManualContent | None:
        """A file of this asset by the last part of its `href`; None when there is none."""

    def add(self, asset: Asset, title: str, content: bytes, *, by: str, source: Source) -> None:
        """Keep an uploaded file. Raises InputError that names the field for what cannot be kept."""

    def remove(self, asset: Asset, manual_id: str, *, by: str, source: Source) -> None:
        """Take an uploaded file away. Raises PermanentError when there is none."""
