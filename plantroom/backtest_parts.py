"""Judges history in several processes, each some of the assets, and explains what they found over the building.

The findings are those of one engine over everything. The caller reads and checks the history meanwhile.
"""

import multiprocessing
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self

import msgspec

from facility.finding import Finding
from facility.reading import Commit, Entry, ParameterOverridden, Scan, decode_entries, encode_entries
from facility.registry import Registry
from plantroom.allowance import ALLOWANCE_US
from plantroom.listening import listening_gap_us
from rules.engine import Engine
from rules.judge import IGNORED
from rules.memory import BuildingMemory
from rules.merge import RawStep, explain_steps
from rules.parameters import Override
from rules.plan import build_plan
from rules.rule_set import RuleSet
from rules.snapshot import Snapshot


class _Answer(msgspec.Struct):
    """What a part found, and how far it came."""

    steps: list[RawStep]
    judged: list[tuple[int, str, int]]
    event_time_us: int


class Parts:
    """`count` processes at most, one an asset. Leave the context to end them whatever happened."""

    def __init__(
        self, registry: Registry, rule_set: RuleSet, count: int, overrides: Sequence[ParameterOverridden] = ()
    ) -> None:
        self._registry, self._rule_set, self._gap_us = registry, rule_set, listening_gap_us(registry)
        self._overrides = [
            Override(one.rule_id, one.parameter, one.scope, one.value) for one in overrides if one.value is not None
        ]
        self._groups, self._wanted = _share(registry, rule_set, max(count, 1))
        self._ends: list[Connection] = []
        self._processes: list[BaseProcess] = []
        self.event_time_us = 0

    def __enter__(self) -> Self:
        for group in self._groups:
            here, there = multiprocessing.Pipe()
            process = multiprocessing.Process(target=_judge, args=(there, group, self._gap_us), daemon=True)
            process.start()
            there.close()
            self._ends.append(here)
            self._processes.append(process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for end in self._ends:
            end.close()
        for process in self._processes:
            if error is not None:
                process.terminate()
            process.join()

    def feed(self, commit: Commit) -> None:
        """Hand a commit to all parts; waits while they are busy."""
        for index, end in enumerate(self._ends):
            self._send(end, encode_entries(self._entries(index, commit.entries)))

    def finish(self) -> Iterator[list[Finding]]:
        """The findings of everything that was fed, explained, in one engine's order."""
        for end in self._ends:
            self._send(end, b"")
        answers = [msgspec.msgpack.decode(self._receive(end), type=_Answer) for end in self._ends]
        self.event_time_us = max((answer.event_time_us for answer in answers), default=0)
        judged = [each for answer in answers for each in answer.judged]
        settings = Snapshot(ALLOWANCE_US, self._gap_us, scans_advance=True)
        steps = [step for answer in answers for step in answer.steps]
        yield from explain_steps(self._registry, self._rule_set, settings, steps, judged, self._overrides)

    def _entries(self, index: int, entries: Sequence[Entry]) -> tuple[Entry, ...]:
        """What this part looks at; of other scans only that something was heard in their building then."""
        wanted, found = self._wanted[index], []
        for entry in entries:
            if not isinstance(entry, Scan) or entry.asset_id in wanted:
                found.append(entry)
            elif not entry.values or any(value.quality not in IGNORED for value in entry.values):
                found.append(Scan(entry.asset_id, entry.at_us, entry.complete, ()))
        return tuple(found)

    def _send(self, end: Connection, data: bytes) -> None:
        try:
            end.send_bytes(data)
        except OSError as error:
            raise self._lost() from error

    def _receive(self, end: Connection) -> bytes:
        try:
            return end.recv_bytes()
        except (OSError, EOFError) as error:
            raise self._lost() from error

    @staticmethod
    def _lost() -> RuntimeError:
        return RuntimeError("a judging process ended early; its error is above. Run with --workers 0 to judge in one.")


def _judge(end: Connection, assets: frozenset[str], gap_us: int) -> None:
    """A judging process: commits come in until an empty one, then all it found goes out."""
    engine, seq = Engine(allowance_us=ALLOWANCE_US, listening_gap_us=gap_us, judged=assets), 0
    judged: list[tuple[int, str, int]] = []
    while data := end.recv_bytes():
        seq += 1
        engine.feed(Commit(seq, 0, decode_entries(data)))
        judged += [(seq, building_id, at_us) for building_id, at_us in engine.judged_us().items()]
    if engine.errors:
        raise RuntimeError("; ".join(engine.errors))
    end.send_bytes(msgspec.msgpack.encode(_Answer(engine.steps, judged, engine.event_time_us)))
    end.close()


def _share(registry: Registry, rule_set: RuleSet, count: int) -> tuple[list[frozenset[str]], list[frozenset[str]]]:
    """The assets of each part, as much work in each as can be, and whose readings each part looks at."""
    weights = dict.fromkeys(registry.assets, 0)
    looked_at: dict[str, set[str]] = {asset_id: {asset_id} for asset_id in registry.assets}
    for building_id in registry.buildings:
        for judgement in build_plan(registry, rule_set, (), building_id, BuildingMemory()).judgements:
            weights[judgement.asset.id] += 1
            looked_at[judgement.asset.id].update(look.origin_asset_id for look in judgement.looks)
            if any(term.function == "siblings" for term in judgement.rule.program.terms):
                looked_at[judgement.asset.id].update(registry.siblings(judgement.asset.id))
    groups: list[list[str]] = [[] for _ in range(min(count, max(len(weights), 1)))]
    loads = [0] * len(groups)
    for asset_id in sorted(weights, key=lambda name: (-weights[name], name)):
        lightest = loads.index(min(loads))
        groups[lightest].append(asset_id)
        loads[lightest] += weights[asset_id]
    wanted = [frozenset(name for asset_id in group for name in looked_at[asset_id]) for group in groups]
    return [frozenset(group) for group in groups], wanted
