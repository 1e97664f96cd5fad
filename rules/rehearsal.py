"""An engine fed by hand: what runs the tests of rule files, and what tries a rule out before it is activated."""

from collections.abc import Mapping

from facility.finding import Finding
from facility.instant import SECOND_US
from facility.reading import Commit, Entry, Heartbeat, PointValue, Quality, RuleSetActivated, Scan, SiteEdited, Value
from rules.engine import LISTENING_GAP_US, Engine
from rules.errors import RulesError


class Rehearsal:
    """One engine, its own journal, and every finding that came out. Seconds count from `start_us`.

    `site` is the text of a site file, `files` are rule files by name. `commits` is the journal so far. Raises
    RulesError when one of them is refused.
    """

    def __init__(
        self,
        site: str,
        files: Mapping[str, str],
        *,
        start_us: int,
        allowance_us: int = 0,
        listening_gap_us: int = LISTENING_GAP_US,
    ) -> None:
        self.engine = Engine(allowance_us=allowance_us, listening_gap_us=listening_gap_us)
        self.start_us = start_us
        self.commits: list[Commit] = []
        self.changes: list[Finding] = []
        self.send(
            SiteEdited("first site", start_us, {"site.yaml": site}),
            RuleSetActivated("first rules", start_us, "", dict(files)),
        )
        if self.engine.errors:
            raise RulesError("; ".join(self.engine.errors))

    @property
    def findings(self) -> dict[str, Finding]:
        """The newest value of every finding by id, in the order in which they were first raised."""
        return {finding.id: finding for finding in self.changes}

    def send(self, *entries: Entry) -> list[Finding]:
        """Commit these entries together; the findings that changed."""
        commit = Commit(len(self.commits) + 1, self.start_us, entries)
        self.commits.append(commit)
        changed = self.engine.feed(commit)
        self.changes += changed
        return changed

    def scan(self, seconds: float, asset_id: str, quality: Quality = Quality.GOOD, **values: Value) -> list[Finding]:
        """The readings of one asset at one instant."""
        return self.send(make_scan(self.at(seconds), asset_id, values, quality))

    def beat(self, seconds: float) -> list[Finding]:
        """Somebody listened at that instant."""
        return self.send(Heartbeat(self.at(seconds)))

    def at(self, seconds: float) -> int:
        """The instant that many seconds after the start, in microseconds since the epoch."""
        return self.start_us + round(seconds * SECOND_US)


def make_scan(at_us: int, asset_id: str, values: Mapping[str, Value], quality: Quality = Quality.GOOD) -> Scan:
    """A complete scan in which every reading has the same quality."""
    return Scan(asset_id, at_us, True, tuple(PointValue(name, value, quality) for name, value in values.items()))  # noqa: FBT003 - complete
