"""Site files, contracts and the roster as the back office edits them (the Protocol is the pages' own).

A text is checked against everything else that is in force, and only then written; the watchers of the files take it up,
a site as an event of the journal.
"""

import difflib
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from dashboards.web.file_view import Checked, Effect, FileBrief, FileKind, FileText
from dashboards.web.visitor import Source
from facility.clock import Clock
from facility.errors import InputError, PermanentError
from facility.registry import Registry
from facility.site_file import parse_site
from plantroom.accounts import directory
from plantroom.accounts.directory import Actor
from plantroom.accounts.door import Sessions
from plantroom.contract_texts import text_of
from plantroom.files import read_texts, write_atomically
from plantroom.roster_secrets import hide, restore
from plantroom.settings import Settings
from ticketing.contract_book import ContractBook
from ticketing.contract_load import parse_contract
from ticketing.roster_file import parse_roster

MOST_EFFECTS = 60
Each = TypeVar("Each")


class ContractCheck(Protocol):
    """The book that contract files make beside the plant, or a directory to come; InputError with every problem."""

    def __call__(self, texts: Mapping[str, str], registry: Registry | None = None) -> ContractBook: ...


class PlantFileDesk:
    """Implements the pages' `FileDesk` over the files of the settings. `clocks` are the plant's and the wall's."""

    def __init__(
        self,
        settings: Settings,
        registry: Callable[[], Registry],
        contracts: ContractCheck,
        refused: Callable[[], str],
        sessions: Sessions,
        clocks: tuple[Clock, Clock],
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._settings, self._registry, self._contracts, self._refused = settings, registry, contracts, refused
        self._sessions, self._environment = sessions, environment
        self._clock, self._wall = clocks

    def files(self) -> Sequence[FileBrief]:
        """In the order of the settings; those that cannot be read are left out (health says why)."""
        return [_brief(kind, where, text) for kind, texts in self._all().items() for where, text in texts.items()]

    def refused(self) -> str:
        """As the watchers say."""
        return self._refused()

    def file(self, key: str) -> FileText | None:
        """With labels for the roster's secrets."""
        found = self._find(key)
        if found is None:
            return None
        kind, where, text = found
        shown = hide(text)[0] if kind == "roster" else text
        return FileText(_brief(kind, where, text), shown, _digest(text))

    def check(self, key: str, text: str, base: str) -> Checked:
        """Parsed, compared with the rest of the plant, and laid over the file on disk."""
        kind, where, current, typed = self._typed(key, text)
        shown = (hide(current)[0], hide(typed)[0]) if kind == "roster" else (current, typed)
        diff = list(_differences(*shown))
        stale, seal = base != _digest(current), _digest(typed)
        try:
            effects = self._effects(kind, where, current, typed)
        except InputError as error:
            return Checked(error.problems, diff, stale=stale, seal=seal)
        return Checked((), diff, effects[:MOST_EFFECTS], stale, seal)

    def put(self, key: str, text: str, base: str, *, by: str, source: Source) -> None:
        """Written in one piece; the file keeps who owns it and who may read it."""
        kind, where, current, typed = self._typed(key, text)
        if base != _digest(current):
            msg = f"{where} was changed since it was opened; check the text again"
            raise PermanentError(msg)
        self._effects(kind, where, current, typed)
        path = Path(where)
        try:
            mode = path.stat().st_mode
            write_atomically(path, typed.encode("utf-8"))
            path.chmod(mode & 0o7777)
        except OSError as error:
            msg = f"{where} cannot be written: {error.strerror}; nothing was changed"
            raise PermanentError(msg) from error
        diff = list(_differences(current, typed))
        counts = f"{sum(sign == '+' for sign, _ in diff)} lines new, {sum(sign == '-' for sign, _ in diff)} gone"
        with self._sessions.writing() as session:
            directory.note(session, Actor(by, source.address), self._wall.now(), "file changed", path.name, counts)

    def _all(self) -> dict[FileKind, Mapping[str, str]]:
        roster = (self._settings.roster,) if self._settings.roster is not None else ()
        return {
            "site": _readable(self._settings.site_files, "site"),
            "contract": _readable(self._settings.contract, "contract"),
            "roster": _readable(roster, "roster"),
        }

    def _find(self, key: str) -> tuple[FileKind, str, str] | None:
        for kind, texts in self._all().items():
            for where, text in texts.items():
                if _key(where) == key:
                    return kind, where, text
        return None

    def _typed(self, key: str, text: str) -> tuple[FileKind, str, str, str]:
        """Kind, name, the text on disk, and the typed one with its secrets and a line end."""
        found = self._find(key)
        if found is None:
            msg = "there is no such file; somebody may have moved it"
            raise PermanentError(msg)
        kind, where, current = found
        typed = restore(text, hide(current)[1]) if kind == "roster" else text
        return kind, where, current, typed if typed.endswith("\n") or not typed else f"{typed}\n"

    def _effects(self, kind: FileKind, where: str, current: str, typed: str) -> Sequence[Effect]:
        """What the text would change. Raises InputError with every problem."""
        if kind == "site":
            return self._site_effects(where, typed)
        if kind == "contract":
            return self._contract_effects(where, current, typed)
        return self._roster_effects(where, current, typed)

    def _site_effects(self, where: str, typed: str) -> Sequence[Effect]:
        texts = {**read_texts(self._settings.site_files, "site"), where: typed}
        renewed = Registry.merge([parse_site(text, name) for name, text in texts.items()])
        self._contracts(read_texts(self._settings.contract, "contract"), renewed)
        if self._settings.roster is not None:
            ((name, text),) = read_texts([self._settings.roster], "roster").items()
            parse_roster(text, name, self._environment, renewed)
        now = self._registry()
        return [
            *_compared("building", now.buildings, renewed.buildings, lambda one: one.name),
            *_compared("asset", now.assets, renewed.assets, lambda one: one.name),
        ]

    def _contract_effects(self, where: str, current: str, typed: str) -> Sequence[Effect]:
        texts = read_texts(self._settings.contract, "contract")
        book = self._contracts({**texts, where: typed})
        contract = next(one for one in book.contracts if one.where == where)
        told = text_of(contract, self._registry(), self._clock.now())
        try:
            before = {one.number for one in parse_contract(current, where).revisions}
        except InputError:
            before = set()
        new = [one for one in told.revisions if one.number not in before]
        found = [Effect("+", "revision", str(one.number)) for one in new]
        return [*found, *(Effect(sign, "term", line) for one in new for sign, line in one.changes)]

    def _roster_effects(self, where: str, current: str, typed: str) -> Sequence[Effect]:
        renewed = parse_roster(typed, where, self._environment, self._registry()).people
        try:
            before = parse_roster(current, where, self._environment, self._registry()).people
        except InputError:
            before = {}
        return list(_compared("person", before, renewed, lambda one: one.name))


def _compared(
    what: Literal["asset", "building", "person"],
    before: Mapping[str, Each],
    after: Mapping[str, Each],
    name: Callable[[Each], str],
) -> Iterator[Effect]:
    yield from (Effect("-", what, name(one)) for key, one in before.items() if key not in after)
    for key, one in after.items():
        if key not in before:
            yield Effect("+", what, name(one))
        elif one != before[key]:
            yield Effect("~", what, name(one))


def _differences(before: str, after: str) -> Iterator[tuple[str, str]]:
    """The lines of a difference: (' ', '+', '-' or '@', line), with three lines around each change."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm=""))
    yield from ((line[0], line if line[0] == "@" else line[1:]) for line in lines[2:])


def _readable(paths: Sequence[Path], noun: str) -> Mapping[str, str]:
    texts: dict[str, str] = {}
    for path in paths:
        with suppress(InputError):
            texts |= read_texts([path], noun)
    return texts


def _brief(kind: FileKind, where: str, text: str) -> FileBrief:
    path = Path(where)
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return FileBrief(_key(where), kind, path.name, where, len(text.splitlines()), not writable)


def _key(where: str) -> str:
    return hashlib.sha256(where.encode()).hexdigest()[:12]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
