"""What the engine process does by the clock: every minute of the program's time, the visits that are due."""

import threading

import structlog

from facility.clock import Clock
from facility.errors import RetryableError
from plantroom.database import Database
from plantroom.engine_host import EngineHost
from ticketing.contract_book import ContractBook
from ticketing.desk import Desk
from ticketing.preventive import due

log = structlog.get_logger(__name__)
_MINUTE_SECONDS = 60.0


class Jobs:
    """Runs in a thread of its own. A minute that was missed is made up by the next one: nothing depends on the beat."""

    def __init__(self, database: Database, host: EngineHost, book: ContractBook, clock: Clock) -> None:
        self._database, self._host, self._book, self._clock = database, host, book, clock
        self._desk = Desk(book, lambda: host.registry)

    def step(self) -> tuple[str, ...]:
        """Open what is due now; the ids of the orders opened. Raises RetryableError when the database is away."""
        if not self._clock.now_us():
            return ()  # the journal's clock before the first event
        with self._database.writing() as session:
            opened = due(session, self._desk, self._book, self._host.registry, self._clock.now())
        if opened:
            log.info("visits of the plan opened", orders=len(opened))
            self._host.touch()
        return opened

    def run(self, stop: threading.Event) -> None:
        """Step until `stop`; a database that is away is asked again a minute later."""
        while not stop.is_set():
            try:
                self.step()
            except RetryableError as error:
                log.warning("visits of the plan wait for the database", reason=str(error))
            stop.wait(max(1.0, _MINUTE_SECONDS / self._clock.factor))
