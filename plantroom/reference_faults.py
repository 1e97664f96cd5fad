"""The page of everything that can be broken in a simulated plant, generated from the plant models."""

from simulators.air_handler import UNIT_FAULTS
from simulators.air_handler_zone import ZONE_FAULTS
from simulators.elevator import CAR_FAULTS, ROOM_FAULTS
from simulators.lighting import CIRCUIT_FAULTS
from simulators.plant import FaultNames
from simulators.water import LEAK_FAULTS, METER_FAULTS, TANK_FAULTS
from simulators.water_pump import PUMP_FAULTS

_SYSTEMS: tuple[tuple[str, str, tuple[tuple[str, FaultNames], ...]], ...] = (
    ("Elevators", "elevator", (("car", CAR_FAULTS), ("machine room (first car)", ROOM_FAULTS))),
    ("Air", "air_handler", (("air handler", UNIT_FAULTS), ("zone", ZONE_FAULTS))),
    ("Light", "lighting", (("circuit", CIRCUIT_FAULTS),)),
    (
        "Water",
        "water",
        (("tank", TANK_FAULTS), ("pump", PUMP_FAULTS), ("meter", METER_FAULTS), ("leak sensor", LEAK_FAULTS)),
    ),
)
_INTRODUCTION = (
    "A scenario breaks parts at their times (`faults:` with `at`, `asset`, `fault`, `severity` up to 1, `until`).",
    "The models know nothing of rules or limits: heat, air, water, people and control loops follow their balances, and",
    "what is broken shows in them as far as physics lets it. Beside the readings the truth is published on",
    "`simulation/SITE/truth`: instant, asset, fault, component, severity, on or off. `plantroom score` compares orders",
    "with it; see [scores](scores.md).",
)


def faults_page(generated: str) -> str:
    """Every fault of every plant model with its part and what its severity means, as Markdown."""
    lines = ["# What can be broken in a simulated plant", "", generated, "", *_INTRODUCTION, ""]
    for title, model, groups in _SYSTEMS:
        lines += [f"## {title}: model `{model}`", "", "| asset | fault | part | what happens |", "|---|---|---|---|"]
        for asset, kinds in groups:
            lines += [f"| {asset} | `{name}` | {kind.component} | {kind.what} |" for name, kind in kinds.items()]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
