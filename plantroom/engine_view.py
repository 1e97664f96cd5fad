"""What is looked at of an engine that is fed, from any thread."""

from collections.abc import Callable, Sequence

from facility.finding import Finding
from facility.registry import Registry
from plantroom.turns import Turns
from rules.engine import Engine


class EngineView:
    """An engine that a thread feeds under `lock`; whoever else looks at it takes turns with that thread.

    `plantroom.judging` asks it, and those of other shards, what pages, API and jobs want to know.
    """

    def __init__(self) -> None:
        self.lock = Turns()
        self.engine: Engine
        self.tell: Callable[[Sequence[Finding]], None] = lambda found: None  # noqa: ARG005 - nobody listens yet
        """Who hears of findings that changed, once they are kept; of none when a person changed something."""

    @property
    def registry(self) -> Registry:
        """The directory in force: the whole plant's, whichever buildings of it the engine judges."""
        return self.engine.directory

    @property
    def event_time_us(self) -> int:
        """The newest event time of any building; 0 before the first."""
        return max(0, self.engine.event_time_us)
