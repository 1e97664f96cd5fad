"""The ingest service in this process, on any broker, and what it wrote."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry

from facility.clock import RealClock
from facility.reading import Entry
from facility.registry import Registry
from ingest.journal import JournalReader, JournalWriter
from ingest.link import BrokerAddress
from ingest.service import IngestService, IngestSettings


@contextmanager
def listening(address: BrokerAddress, folder: Path, registry: Registry) -> Iterator[Path]:
    """The journal's folder, while the service listens."""
    journal, stop = folder / "journal", threading.Event()
    with JournalWriter(journal) as writer:
        service = IngestService(
            address,
            writer,
            journal,
            folder / "spool",
            registry,
            RealClock(),
            IngestSettings(allowance_us=2_000_000),
            CollectorRegistry(),
        )
        thread = threading.Thread(target=service.run, args=(stop,))
        thread.start()
        try:
            assert service.listening.wait(30)
            yield journal
        finally:
            stop.set()
            thread.join(30)


def entries_of(journal: Path) -> list[Entry]:
    """Everything in a small journal."""
    with JournalReader(journal) as reader:
        return [entry for commit in reader.read(0, 1_000) for entry in commit.entries]
