"""The engines of all shards as one, for whoever shows or uses what is judged: pages, API, jobs.

With one shard this is its engine and nothing more.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Protocol

from facility.finding import Finding
from facility.registry import Registry
from rules.engine import Engine
from rules.explain import Shelf
from rules.parameters import Override
from rules.plan import NotApplicable
from rules.rule import Rule
from rules.rule_set import RuleSet
from rules.standing import Standing

Tell = Callable[[Sequence[Finding]], None]


class SeenEngine(Protocol):
    """An engine, as far as it is looked at; `rules.engine.Engine` says what each is."""

    @property
    def registry(self) -> Registry: ...
    @property
    def rule_set(self) -> RuleSet | None: ...
    @property
    def event_time_us(self) -> int: ...
    @property
    def site_files(self) -> dict[str, str]: ...
    @property
    def overrides(self) -> tuple[Override, ...]: ...
    def active(self) -> list[Finding]: ...
    def pending(self) -> list[Finding]: ...
    def shelves(self) -> list[Shelf]: ...
    def not_applicable(self) -> list[NotApplicable]: ...
    def rules_on(self, asset_id: str) -> list[Rule]: ...
    def standings(self, asset_id: str) -> list[Standing]: ...


class Judge(Protocol):
    """Who runs the engine of one shard."""

    away: str
    tell: Tell
    cursor: int
    findings_total: int

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held while the engine is looked at."""

    @property
    def engine(self) -> Engine:
        """The engine that judges now."""

    def awaits_files(self) -> bool:
        """Whether the journal does not say yet which site and rules hold."""


class Judging:
    """May be asked from any thread. The first of `judges` is asked for what all know alike: files, rules, shelves."""

    def __init__(self, judges: Sequence[Judge]) -> None:
        self._judges = tuple(judges)

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held while `engine` is looked at, which the engines want back soon."""
        return self._judges[0].lock if len(self._judges) == 1 else self._all_locks()

    @property
    def engine(self) -> SeenEngine:
        """What is judged now."""
        return (
            self._judges[0].engine if len(self._judges) == 1 else SeveralEngines([one.engine for one in self._judges])
        )

    @property
    def registry(self) -> Registry:
        """The directory in force: the whole plant's."""
        return self._judges[0].engine.directory

    @property
    def event_time_us(self) -> int:
        """The newest event time of any building; 0 before the first."""
        return max(0, self.engine.event_time_us)

    @property
    def rule_ids(self) -> frozenset[str]:
        """The rules in force; empty before the first set is."""
        rule_set = self.engine.rule_set
        return frozenset(rule_set.rules) if rule_set is not None else frozenset()

    def rule(self, rule_id: str) -> Rule | None:
        """A rule of the active set; None when there is none of this id."""
        rule_set = self.engine.rule_set
        return rule_set.rules.get(rule_id) if rule_set is not None else None

    def rule_name(self, rule_id: str, language: str) -> str:
        """The name of a rule in force; empty when there is none in this language."""
        rule = self.rule(rule_id)
        return rule.name.get(language, "") if rule is not None else ""

    def pending(self) -> list[Finding]:
        """Conditions that are true but whose persistence still runs."""
        with self.lock:
            return self.engine.pending()

    def shelves(self) -> list[Shelf]:
        """What people took out of view, as the engine knows it now."""
        with self.lock:
            return self.engine.shelves()

    def not_applicable(self) -> list[NotApplicable]:
        """Rules that cannot judge an asset, with what it lacks."""
        with self.lock:
            return self.engine.not_applicable()

    def tell(self, listener: Tell) -> None:
        """Who hears of findings that changed, once they are kept; of none when a person changed something."""
        for judge in self._judges:
            judge.tell = listener

    def touch(self) -> None:
        """A person changed an order: whoever tells of changes should look at once."""
        self._judges[0].tell(())

    @property
    def away(self) -> str:
        """Why findings are not kept now; empty when they are."""
        return next((one.away for one in self._judges if one.away), "")

    def awaits_files(self) -> bool:
        """Whether some journal does not say yet which site and rules hold."""
        return any(one.awaits_files() for one in self._judges)

    @contextmanager
    def _all_locks(self) -> Iterator[None]:
        with ExitStack() as held:
            for judge in self._judges:
                held.enter_context(judge.lock)
            yield


class SeveralEngines:
    """Several engines as one. Each judges buildings of its own; all know the whole plant's files and people's words."""

    def __init__(self, engines: Sequence[Engine]) -> None:
        self._engines = engines
        self._first = engines[0]

    @property
    def registry(self) -> Registry:
        """The whole plant's, also of buildings that are between two engines."""
        return self._first.directory

    @property
    def rule_set(self) -> RuleSet | None:
        """In force everywhere, or in a moment."""
        return self._first.rule_set

    @property
    def event_time_us(self) -> int:
        """The newest of any."""
        return max(engine.event_time_us for engine in self._engines)

    @property
    def site_files(self) -> dict[str, str]:
        """In force everywhere, or in a moment."""
        return self._first.site_files

    @property
    def overrides(self) -> tuple[Override, ...]:
        """As all of them were told."""
        return self._first.overrides

    def active(self) -> list[Finding]:
        """Of every building."""
        return [finding for engine in self._engines for finding in engine.active()]

    def pending(self) -> list[Finding]:
        """Of every building."""
        return [finding for engine in self._engines for finding in engine.pending()]

    def shelves(self) -> list[Shelf]:
        """As all of them were told."""
        return self._first.shelves()

    def not_applicable(self) -> list[NotApplicable]:
        """Of every building."""
        return [item for engine in self._engines for item in engine.not_applicable()]

    def rules_on(self, asset_id: str) -> list[Rule]:
        """From the engine that judges the asset."""
        return self._of(asset_id).rules_on(asset_id)

    def standings(self, asset_id: str) -> list[Standing]:
        """From the engine that judges the asset; none while its building is between two."""
        return self._of(asset_id).standings(asset_id)

    def _of(self, asset_id: str) -> Engine:
        return next((engine for engine in self._engines if asset_id in engine.registry.assets), self._first)
