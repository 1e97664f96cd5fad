"""Which service level a finding falls under, and why: exactly one wins. Pure.

Among the levels that match, the one whose match names more parts wins; of as many parts, the higher `rank`; of the
same rank, the nearer space, then the one whose match lies inside the other's. Two that could still tie are refused
when the contract is loaded.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from facility.asset import Criticality
from facility.catalogue import System
from facility.finding import Finding, OrderKind, Severity
from facility.registry import Registry
from ticketing.calendar import Calendar
from ticketing.contract import RESOLUTION_PAUSES, RESPONSE_PAUSES, Promise, Revision, ServiceLevel
from ticketing.contract_match import Match, inside
from ticketing.limit import Limit, LimitUnit
from ticketing.names_zh import KINDS_ZH, SEVERITIES_ZH
from ticketing.said import NOTHING, Said

BUILT_IN_LEVEL = "built-in default"
_BUILT_IN_PRIORITY = {Severity.CRITICAL: 1, Severity.HIGH: 2, Severity.MEDIUM: 3, Severity.LOW: 4}


@dataclass(frozen=True, slots=True)
class LevelFacts:
    """What a contract may ask about a finding and its asset. `spaces`: the asset's space, then those around it."""

    severity: Severity
    kind: OrderKind = OrderKind.FAULT
    rule_id: str = ""
    site_id: str = ""
    building_id: str = ""
    spaces: tuple[str, ...] = ()
    equipment_class: str = ""
    system: System | None = None
    criticality: Criticality = Criticality.NORMAL

    def values(self, part: str) -> frozenset[str]:
        """The facts that a part of a match is compared with."""
        return {
            "class": frozenset([self.equipment_class]),
            "system": frozenset([self.system] if self.system is not None else ()),
            "severity": frozenset([self.severity]),
            "rule": frozenset([self.rule_id]),
            "criticality": frozenset([self.criticality]),
            "building": frozenset([self.building_id]),
            "space": frozenset(self.spaces),
            "kind": frozenset([self.kind]),
        }[part]

    @property
    def said(self) -> Said:
        """In words."""
        rule = Said(f", rule {self.rule_id}", f"，规则 {self.rule_id}") if self.rule_id else NOTHING
        what = Said(self.equipment_class or "an unknown asset", self.equipment_class or "未知设备资产")
        return Said(
            f"{what.en}, severity {self.severity}, kind {self.kind}{rule.en}",
            f"{what.zh}，严重度{SEVERITIES_ZH[self.severity]}，类型{KINDS_ZH[self.kind]}{rule.zh}",
        )


@dataclass(frozen=True, slots=True)
class LevelChoice:
    """The level that won and the reason. With no contract in force, contract and revision are None."""

    level: ServiceLevel
    reason: Said
    contract_id: str | None = None
    revision: int | None = None

    @property
    def is_default(self) -> bool:
        """Whether no level was meant for this: the contract's default level or the built-in one."""
        return self.level.is_default


def facts_of(finding: Finding, registry: Registry) -> LevelFacts:
    """The facts about a finding; of an asset that is not in the registry only what the finding itself says."""
    return facts_about(finding, registry)


class Judged(Protocol):
    """What has a severity, a kind, a rule and a place: a finding, or the order it led to."""

    @property
    def severity(self) -> Severity:
        """How bad it is."""

    @property
    def kind(self) -> OrderKind:
        """Fault or preventive."""

    @property
    def rule_id(self) -> str:
        """The rule that found it."""

    @property
    def asset_id(self) -> str:
        """What it is about."""

    @property
    def building_id(self) -> str:
        """Where that is."""


def facts_about(judged: Judged, registry: Registry) -> LevelFacts:
    """`facts_of` for a finding or an order."""
    asset = registry.assets.get(judged.asset_id)
    building = registry.buildings.get(judged.building_id)
    return LevelFacts(
        severity=judged.severity,
        kind=judged.kind,
        rule_id=judged.rule_id,
        site_id=building.site_id if building is not None else "",
        building_id=judged.building_id,
        spaces=spaces_around(asset.space_id if asset is not None else None, registry),
        equipment_class=asset.equipment_class.name if asset is not None else "",
        system=asset.equipment_class.system if asset is not None else None,
        criticality=asset.criticality if asset is not None else Criticality.NORMAL,
    )


def spaces_around(space_id: str | None, registry: Registry) -> tuple[str, ...]:
    """A space and every space it lies in, innermost first."""
    spaces: list[str] = []
    while space_id is not None and space_id in registry.spaces and space_id not in spaces:
        spaces.append(space_id)
        space_id = registry.spaces[space_id].parent_id
    return tuple(spaces)


def covers(match: Match, facts: LevelFacts) -> bool:
    """Whether every part that the match names holds the facts."""
    return all(values & facts.values(part) for part, values in match.parts().items())


def choose_level(revision: Revision, facts: LevelFacts) -> LevelChoice:
    """The level of a revision for the facts; its default level, or the built-in one, when none matches."""
    matching = [level for level in revision.levels if covers(level.match, facts)]
    if not matching and revision.default_level is not None:
        why = Said(
            f"No level matches ({facts.said.en}): the default level applies.",
            f"没有匹配的等级（{facts.said.zh}）：适用默认等级。",
        )
        return LevelChoice(revision.default_level, why)
    if not matching:
        why = Said(
            f"No level matches ({facts.said.en}) and there is no default level: the built-in default applies.",
            f"没有匹配的等级（{facts.said.zh}），合同也没有默认等级：适用内置默认值。",
        )
        return LevelChoice(built_in_level(facts.severity), why)
    best = max(_weight(level, facts) for level in matching)
    first = [level for level in matching if _weight(level, facts) == best]
    winner = next(one for one in first if all(one is other or inside(one.match, other.match) for other in first))
    beaten = [_beaten(winner, level, facts) for level in matching if level is not winner]
    en = f"; it beats {', '.join(one.en for one in beaten)}" if beaten else "; no other level matches"
    zh = f"；优先于 {'、'.join(one.zh for one in beaten)}" if beaten else "；没有其他匹配的等级"
    why = Said(
        f"Level {winner.id} (clause {winner.clause}) matches {winner.match}{en}.",
        f"等级 {winner.id}（条款 {winner.clause}）匹配：{winner.match.said.zh}{zh}。",
    )
    return LevelChoice(winner, why)


def built_in_level(severity: Severity = Severity.MEDIUM) -> ServiceLevel:
    """What holds when no contract is in force: four hours to respond, a day to resolve, around the clock."""
    return ServiceLevel(
        id=BUILT_IN_LEVEL,
        clause="none",
        match=Match(),
        priority=_BUILT_IN_PRIORITY[severity],
        calendar=Calendar.always(ZoneInfo("UTC")),
        response=Promise(Limit(LimitUnit.CALENDAR, timedelta(hours=4)), RESPONSE_PAUSES),
        resolution=Promise(Limit(LimitUnit.CALENDAR, timedelta(hours=24)), RESOLUTION_PAUSES),
        is_default=True,
    )


def _conditions(count: int) -> str:
    return f"{count} condition{'' if count == 1 else 's'}"


def _weight(level: ServiceLevel, facts: LevelFacts) -> tuple[int, int, int]:
    near = next((index for index, space in enumerate(facts.spaces) if space in level.match.spaces), 0)
    return len(level.match.parts()), level.rank, -near


def _beaten(winner: ServiceLevel, other: ServiceLevel, facts: LevelFacts) -> Said:
    more, fewer = _weight(winner, facts), _weight(other, facts)
    if more[0] != fewer[0]:
        why = Said(f"names {_conditions(fewer[0])}, not {more[0]}", f"只有 {fewer[0]} 项条件，而非 {more[0]} 项")
    elif more[1] != fewer[1]:
        why = Said(f"rank {other.rank} is below {winner.rank}", f"等次 {other.rank} 低于 {winner.rank}")
    elif more[2] != fewer[2]:
        why = Said("its space is farther around", "其空间范围更远")
    else:
        why = Said("it is wider", "其范围更宽")
    return Said(f"{other.id} ({why.en})", f"{other.id}（{why.zh}）")
