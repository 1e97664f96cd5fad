"""Takes up changed site and rule files while the program runs: all of them together, or none.

What is in order goes into the journal as an event; `plantroom.file_watch` says when files are looked at and what
becomes of those that are broken.
"""

import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import structlog

from facility.clock import Clock
from facility.errors import InputError, RetryableError
from facility.reading import ControlEvent, RuleSetActivated, SiteEdited
from facility.registry import Registry
from ingest.control import submit
from plantroom.contracts import load_contracts
from plantroom.file_watch import FileWatch
from plantroom.files import read_texts
from plantroom.plant_files import parse_sites, read_rule_files
from plantroom.settings import Settings
from plantroom.shard import Shard
from rules.rule_set import RuleSet

log = structlog.get_logger(__name__)


class PlantFiles(msgspec.Struct, frozen=True):
    """Name -> text of the site files and of all rule files, shipped ones too."""

    site: dict[str, str]
    rules: dict[str, str]


class Reload(FileWatch[PlantFiles]):
    """Watches the files of the settings; `in_force` are those the program started with.

    Files that contradict the contracts in force are refused. While `leads` says no, another process tells the journal
    of this shard; every shard's leader tells its own. `foresee` hears of the sites before they are told the journal.
    """

    noun = "sites and rules"

    def __init__(
        self,
        settings: Settings,
        shard: Shard,
        in_force: PlantFiles,
        contracts: Callable[[], Mapping[str, str]],
        clock: Clock,
        leads: Callable[[], bool] = lambda: True,
        foresee: Callable[[Registry], None] | None = None,
    ) -> None:
        super().__init__(in_force)
        self._foresee = foresee
        self._leads, self._lock = leads, threading.Lock()
        self._settings, self._shard, self._contracts, self._clock = settings, shard, contracts, clock
        self._submitted_us = 0

    def hand_over(self, bring_up_to: Callable[[dict[str, str], dict[str, str], Path], None]) -> None:
        """This process leads from here on: `bring_up_to` makes the journal say what is on disk, where it does not. What
        is broken on disk leaves what is in force. Raises OSError."""
        with self._lock:
            try:
                found = self.read()
                self._check(found)
            except InputError as error:
                self.refuse(str(error))
                return
            self._announce(found)
            bring_up_to(found.site, found.rules, self._shard.control_folder)
            self.settle(found)

    def look(self) -> bool:
        """As every watch looks; not while the journal is brought up to the files."""
        with self._lock:
            return super().look()

    def read(self) -> PlantFiles:
        """The site files and all rule files."""
        return PlantFiles(read_texts(self._settings.site_files, "site"), read_rule_files(self._settings.rules))

    def take(self, found: PlantFiles) -> None:
        """Checked together with the contracts, and handed to the journal. Raises InputError or OSError."""
        self._check(found)
        if self._leads():
            self._announce(found)
        for event in self._events(found) if self._leads() else ():
            submit(self._shard.control_folder, event)
            log.info("changed files are taken up", kind=type(event).__name__)

    def _announce(self, found: PlantFiles) -> None:
        try:
            if self._foresee is not None:
                self._foresee(parse_sites(found.site))
        except RetryableError as error:
            raise OSError(str(error)) from error

    def _check(self, found: PlantFiles) -> None:
        if found != self.in_force:  # those in force were checked when they came into force
            load_contracts(self._contracts(), parse_sites(found.site), RuleSet.load(found.rules).rules)

    def _events(self, found: PlantFiles) -> list[ControlEvent]:
        events: list[ControlEvent] = []
        if found.site != self.in_force.site:
            events.append(SiteEdited(uuid.uuid4().hex, self._now_us(), found.site))
        if found.rules != self.in_force.rules:
            digest = RuleSet.load(found.rules).digest
            events.append(RuleSetActivated(uuid.uuid4().hex, self._now_us(), digest, found.rules))
        return events

    def _now_us(self) -> int:
        """Events are journalled by their instants: two of them never share one, also where the clock stands."""
        self._submitted_us = max(self._clock.now_us(), self._submitted_us + 1)
        return self._submitted_us
