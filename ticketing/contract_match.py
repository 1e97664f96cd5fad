"""What a service level is for, and how two of them compare. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from facility.asset import Criticality
from facility.catalogue import System, equipment_classes
from facility.finding import OrderKind, Severity
from ticketing.names_zh import CRITICALITIES_ZH, KINDS_ZH, PARTS_ZH, SEVERITIES_ZH
from ticketing.said import Said


@dataclass(frozen=True, slots=True)
class Match:
    """The parts a level names; an empty part means any. It covers facts when every part it names holds them."""

    classes: frozenset[str] = frozenset()
    systems: frozenset[System] = frozenset()
    severities: frozenset[Severity] = frozenset()
    rules: frozenset[str] = frozenset()
    criticalities: frozenset[Criticality] = frozenset()
    buildings: frozenset[str] = frozenset()
    spaces: frozenset[str] = frozenset()
    kinds: frozenset[OrderKind] = frozenset()

    def parts(self) -> Mapping[str, frozenset[str]]:
        """The parts it names, by the word the file uses, in the file's order."""
        named: tuple[tuple[str, frozenset[str]], ...] = (
            ("class", self.classes),
            ("system", frozenset(self.systems)),
            ("severity", frozenset(self.severities)),
            ("rule", self.rules),
            ("criticality", frozenset(self.criticalities)),
            ("building", self.buildings),
            ("space", self.spaces),
            ("kind", frozenset(self.kinds)),
        )
        return {name: values for name, values in named if values}

    def covered_classes(self) -> frozenset[str]:
        """The equipment classes that both its classes and its systems allow."""
        return frozenset(
            name
            for name, kind in equipment_classes().items()
            if (not self.classes or name in self.classes) and (not self.systems or kind.system in self.systems)
        )

    def reach(self) -> Mapping[str, frozenset[str]]:
        """`parts` with class and system as one: what two matches are compared by."""
        named = dict(self.parts())
        if named.pop("class", None) or named.get("system"):
            named.pop("system", None)
            named["class"] = self.covered_classes()
        return named

    def __str__(self) -> str:
        return self.said.en

    @property
    def said(self) -> Said:
        """In words."""
        parts = self.parts().items()
        words: dict[str, Mapping[str, str]] = {
            "severity": SEVERITIES_ZH, "kind": KINDS_ZH, "criticality": CRITICALITIES_ZH
        }  # fmt: skip
        en = ", ".join(f"{name} {' or '.join(sorted(values))}" for name, values in parts)
        zh = "，".join(
            f"{PARTS_ZH[name]}为 {'或 '.join(words.get(name, {}).get(one, one) for one in sorted(values))}"
            for name, values in parts
        )
        return Said(en or "anything", zh or "任何情况")


def inside(inner: Match, outer: Match) -> bool:
    """Whether everything `inner` covers is covered by `outer` too, and not the other way round."""
    own, other = inner.reach(), outer.reach()
    return own != other and all(part in own and own[part] <= values for part, values in other.items())


def overlap(one: Match, other: Match) -> bool:
    """Whether some finding could fall under both. Two spaces are apart, even when one lies in the other."""
    first, second = one.reach(), other.reach()
    return all(first[part] & second[part] for part in first.keys() & second.keys())
