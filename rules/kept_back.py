"""What comes of buildings that are on the way here: taken in as if it were to be judged, and not judged."""

from facility.reading import Scan, VisitRecorded
from facility.registry import Registry
from rules.building import BuildingStream
from rules.memory import BuildingMemory, Kept
from rules.plan import Plan
from rules.snapshot import Snapshot


class KeptBack:
    """The buildings that are expected. What is kept of them is in the engine's state."""

    def __init__(self, state: Snapshot, directory: Registry) -> None:
        self._kept = state.kept
        for name in state.expected:
            self._kept.setdefault(name, Kept(BuildingMemory(newest_us=-1)))
        self._streams = {
            name: BuildingStream(kept.memory, Plan(directory), None, state) for name, kept in self._kept.items()
        }

    def take(self, building_id: str, scan: Scan) -> None:
        """Keep a scan, if its building is expected."""
        stream = self._streams.get(building_id)
        if stream is not None:
            stream.take(scan)

    def tick(self, at_us: int) -> None:
        """Somebody listened at `at_us`."""
        for stream in self._streams.values():
            stream.tick(at_us)

    def visit(self, building_id: str, event: VisitRecorded) -> None:
        """Keep a visit, if its building is expected."""
        kept = self._kept.get(building_id)
        if kept is not None:
            kept.visits.append((kept.memory.newest_us, event))
