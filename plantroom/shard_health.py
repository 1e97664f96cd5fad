"""How one shard's ingest, engine and followers are doing, for the page about Plantroom itself."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from dashboards.web.protocols import StageHealth
from facility.clock import Clock, JournalClock
from facility.instant import SECOND_US
from ingest.follower import Follower
from ingest.latest import IngestCounters
from plantroom.judging import Judge
from plantroom.several import Newest
from plantroom.shard import Shard


@dataclass(frozen=True, slots=True)
class ShardSources:
    """What is asked of one shard. `lag` is how many commits its engine has not judged yet."""

    shard: Shard
    host: Judge
    latest: Newest
    followers: Mapping[str, Follower]
    lag: Callable[[], int]

    def stages(self, clock: Clock) -> Iterator[StageHealth]:
        """Ingest and engine."""
        counters, host = self.latest.counters, self.host
        alive = _is_alive(counters, clock)
        yield StageHealth(
            self.shard.called("ingest"),
            alive,
            "" if alive else "no heartbeat came back from the broker for 10 s",
            counts={"received": counters.received, "rejected": counters.rejected},
        )
        yield StageHealth(
            self.shard.called("rules"),
            not host.away,
            host.away,
            behind_commits=self.lag(),
            counts={"findings": host.findings_total},
        )

    def follower_stages(self) -> Iterator[StageHealth]:
        """Everyone else who reads the journal."""
        for name, follower in list(self.followers.items()):  # it grows when this process becomes the keeper
            state = follower.state
            yield StageHealth(name, not state.trouble, state.trouble, behind_commits=state.lag)


def _is_alive(counters: IngestCounters, clock: Clock) -> bool:
    """With the journal clock there are no heartbeats: nobody can tell silence from the end of the history."""
    if isinstance(clock, JournalClock):
        return True
    return counters.at_us is not None and (clock.now_us() - counters.at_us) / clock.factor < 10 * SECOND_US
