"""Whose turn it is to write the journal: a second ingest process waits, with the site files read."""

import threading
from collections.abc import Callable

import structlog

from ingest.journal import JournalBusyError, JournalWriter
from plantroom.file_watch import POLL_SECONDS, FileWatch
from plantroom.files import read_texts
from plantroom.plant_files import load_registry, parse_sites
from plantroom.settings import Settings

log = structlog.get_logger(__name__)
_ASK_SECONDS = 0.1


class WarmSite(FileWatch[dict[str, str]]):
    """The site files of the settings as a registry, which whoever stands by keeps up to date.

    Raises InputError at first; later, files that are not in order leave the ones before in force.
    """

    noun = "sites"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.registry, texts = load_registry(settings.site_files)
        super().__init__(texts)

    def read(self) -> dict[str, str]:
        """Texts by file name."""
        return read_texts(self._settings.site_files, "site")

    def take(self, found: dict[str, str]) -> None:
        """Another directory from here on."""
        self.registry = parse_sites(found)


def await_journal(
    open_journal: Callable[[], JournalWriter], site: WarmSite, stop: threading.Event
) -> JournalWriter | None:
    """The journal as soon as nobody else writes it, with `site` as it is by then; None when `stop` came first.

    The operating system gives the lock on when its holder dies; one that is stopped keeps it. Raises JournalError for
    a journal that cannot be opened.
    """
    asked = 0
    while not stop.is_set():
        try:
            journal = open_journal()
        except JournalBusyError:
            if not asked:
                log.info("another process writes the journal, this one stands by")
        else:
            if asked:
                log.info("this process writes the journal now", last_seq=journal.last_seq)
            _look_at_once(site)
            return journal
        asked += 1
        if asked % round(POLL_SECONDS / _ASK_SECONDS) == 0:
            site.look()
        stop.wait(_ASK_SECONDS)
    return None


def _look_at_once(site: WarmSite) -> None:
    """The second look in a row is the one that counts."""
    for _ in range(2):
        site.look()
