"""The files an admin edits in the back office: sites, contracts and the roster, checked before they come into force.

The program implements the Protocol. Texts are whole files with `\n` for line ends; what is a secret in them is shown as
a label that stands for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from dashboards.web.visitor import Source
from facility.errors import Problem

FileKind = Literal["site", "contract", "roster"]


@dataclass(frozen=True, slots=True)
class FileBrief:
    """A file in the list. `is_fixed` when the program may read it and not write it."""

    key: str
    kind: FileKind
    name: str
    where: str
    lines: int
    is_fixed: bool = False


@dataclass(frozen=True, slots=True)
class FileText:
    """A file as it is on disk; `base` tells whether somebody changed it since."""

    brief: FileBrief
    text: str
    base: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change means: `+` or `-` or `~`, of an asset, building, person, revision or term, by its name."""

    sign: str
    what: Literal["asset", "building", "person", "revision", "term"]
    name: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A typed text against the file on disk: what is wrong, the lines that differ (' ', '+', '-' or '@'), its effects.

    `seal` names exactly this text; it is asked for again before the text comes into force.
    """

    problems: Sequence[Problem] = ()
    diff: Sequence[tuple[str, str]] = ()
    effects: Sequence[Effect] = ()
    stale: bool = False
    seal: str = ""

    @property
    def is_good(self) -> bool:
        """Whether it may come into force."""
        return bool(self.diff) and not self.problems and not self.stale


class FileDesk(Protocol):
    """Every method may be called from several threads at once."""

    def files(self) -> Sequence[FileBrief]:
        """Sites first, then contracts, then the roster."""

    def refused(self) -> str:
        """Why files on disk are not those in force; empty when they are."""

    def file(self, key: str) -> FileText | None:
        """One of them; None when there is none of this key. Raises InputError when it cannot be read."""

    def check(self, key: str, text: str, base: str) -> Checked:
        """What this text would do instead of the file whose `base` was shown. Nothing changes."""

    def put(self, key: str, text: str, base: str, *, by: str, source: Source) -> None:
        """Write it, so that the program takes it up within seconds, and say so in the audit.

        Raises InputError with every problem, PermanentError when the file changed since or cannot be written.
        """
