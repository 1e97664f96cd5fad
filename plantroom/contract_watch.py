"""The contracts in force: their files are read again when they change, and what is broken leaves the last good ones.

A revision that has been in force is never changed: orders stand on it, and their deadlines would move.
"""

import threading
from collections.abc import Callable, Iterable, Mapping

import structlog

from facility.clock import Clock
from facility.errors import InputError
from facility.registry import Registry
from plantroom.contracts import check_renewal, load_contracts
from plantroom.files import read_texts
from plantroom.settings import Settings
from ticketing.contract_book import ContractBook

log = structlog.get_logger(__name__)
POLL_SECONDS = 2.0


class ContractWatch:
    """Renews the book of the contracts in force. `texts()` are their files by name; `refused` is why those on disk are
    not in force, empty when they are. A changed file is taken when two looks in a row agree.
    """

    def __init__(
        self,
        settings: Settings,
        book: ContractBook,
        texts: Mapping[str, str],
        plant: tuple[Callable[[], Registry], Callable[[], Iterable[str]]],
        clock: Clock,
    ) -> None:
        """`plant` is the directory in force and the ids of the rules in force."""
        self._settings, self._book, self._plant, self._clock = settings, book, plant, clock
        self._texts = self._seen = dict(texts)
        self.refused = ""

    def texts(self) -> Mapping[str, str]:
        """The files in force."""
        return self._texts

    def check(self, texts: Mapping[str, str], registry: Registry | None = None) -> ContractBook:
        """The book these files make beside the plant (or a directory to come). Raises InputError with every problem."""
        directory, rules = self._plant
        book = load_contracts(texts, registry or directory(), rules())
        check_renewal(self._texts, texts, self._clock.now())
        return book

    def look(self) -> bool:
        """Compare with the files once; whether others came into force."""
        try:
            found = read_texts(self._settings.contract, "contract")
            settled, self._seen = found == self._seen, found
            if not settled or found == self._texts:
                self.refused = "" if settled else self.refused
                return False
            book = self.check(found)
        except InputError as error:
            if str(error) != self.refused:
                log.error("the changed contracts are refused, those in force stay in force", reason=str(error))
            self.refused = str(error)
            return False
        self._book.renew(book)
        self._texts, self.refused = found, ""
        log.info("the changed contracts are in force", contracts=[one.id for one in book.contracts])
        return True

    def run(self, stop: threading.Event) -> None:
        """Look until `stop`."""
        while not stop.wait(POLL_SECONDS):
            self.look()
