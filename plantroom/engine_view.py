"""What pages, API and jobs read of the engine, from any thread."""

from collections.abc import Callable, Sequence

from facility.finding import Finding
from facility.registry import Registry
from plantroom.turns import Turns
from rules.engine import Engine
from rules.explain import Shelf
from rules.plan import NotApplicable
from rules.rule import Rule


class EngineView:
    """An engine that a thread feeds under `lock`; whoever else looks at it takes turns with that thread."""

    def __init__(self) -> None:
        self.lock = Turns()
        self.engine: Engine
        self.tell: Callable[[Sequence[Finding]], None] = lambda found: None  # noqa: ARG005 - nobody listens yet
        """Who hears of findings that changed, once they are kept; of none when a person changed something."""

    @property
    def registry(self) -> Registry:
        """The directory the engine judges by."""
        return self.engine.registry

    def rule_name(self, rule_id: str, language: str) -> str:
        """The name of a rule in force; empty when there is none in this language."""
        rule_set = self.engine.rule_set
        rule = rule_set.rules.get(rule_id) if rule_set is not None else None
        return rule.name.get(language, "") if rule is not None else ""

    @property
    def event_time_us(self) -> int:
        """The newest event time of any building; 0 before the first."""
        return max(0, self.engine.event_time_us)

    def touch(self) -> None:
        """A person changed an order: whoever tells of changes should look at once."""
        self.tell(())

    def pending(self) -> list[Finding]:
        """Conditions that are true but whose persistence still runs."""
        with self.lock:
            return list(self.engine.pending())

    def shelves(self) -> list[Shelf]:
        """What people took out of view, as the engine knows it now."""
        with self.lock:
            return self.engine.shelves()

    def not_applicable(self) -> list[NotApplicable]:
        """Rules that cannot judge an asset, with what it lacks."""
        with self.lock:
            return list(self.engine.not_applicable())

    @property
    def rule_ids(self) -> frozenset[str]:
        """The rules in force; empty before the first set is."""
        return frozenset(self.engine.rule_set.rules) if self.engine.rule_set is not None else frozenset()

    def rule(self, rule_id: str) -> Rule | None:
        """A rule of the active set; None when there is none of this id."""
        return self.engine.rule_set.rules.get(rule_id) if self.engine.rule_set is not None else None
