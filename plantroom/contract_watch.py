"""The contracts in force: their files are read again when they change, and what is broken leaves the last good ones.

A revision that has been in force is never changed: orders stand on it, and their deadlines would move.
"""

from collections.abc import Callable, Iterable, Mapping

from facility.clock import Clock
from facility.registry import Registry
from plantroom.contracts import check_renewal, load_contracts
from plantroom.file_watch import FileWatch
from plantroom.files import read_texts
from plantroom.settings import Settings
from ticketing.contract_book import ContractBook


class ContractWatch(FileWatch[Mapping[str, str]]):
    """Renews the book of the contracts in force. `texts()` are their files by name."""

    noun = "contracts"

    def __init__(
        self,
        settings: Settings,
        book: ContractBook,
        texts: Mapping[str, str],
        plant: tuple[Callable[[], Registry], Callable[[], Iterable[str]]],
        clock: Clock,
    ) -> None:
        """`plant` is the directory in force and the ids of the rules in force."""
        super().__init__(dict(texts))
        self._settings, self._book, self._plant, self._clock = settings, book, plant, clock

    def texts(self) -> Mapping[str, str]:
        """The files in force."""
        return self.in_force

    def check(self, texts: Mapping[str, str], registry: Registry | None = None) -> ContractBook:
        """The book these files make beside the plant (or a directory to come). Raises InputError with every problem."""
        directory, rules = self._plant
        book = load_contracts(texts, registry or directory(), rules())
        check_renewal(self.in_force, texts, self._clock.now())
        return book

    def read(self) -> Mapping[str, str]:
        """The files of the settings."""
        return read_texts(self._settings.contract, "contract")

    def take(self, found: Mapping[str, str]) -> None:
        """Raises InputError with every problem."""
        self._book.renew(self.check(found))
