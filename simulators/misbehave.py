"""Devices as they should not be: the same messages, spoilt in one way, to try the conformance kit and the rest on.

Deterministic: what happens to a message depends on its number and on nothing else.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

import msgspec

from facility.catalogue import point_types
from facility.instant import format_instant, parse_instant
from simulators.dialect import Message

SLOW = 5
SHUFFLED = 4
AHEAD = timedelta(hours=8)


class Misbehaviour(StrEnum):
    """One way in which a device can be wrong."""

    NO_ZONE = "no-zone"
    WRONG_CLOCK = "wrong-clock"
    SHUFFLED = "shuffled"
    REPEATED = "repeated"
    OUT_OF_RANGE = "out-of-range"
    SLOW = "slow"
    MISSING_POINT = "missing-point"
    TEXT_NUMBERS = "text-numbers"
    RETAINED = "retained"
    QOS_0 = "qos-0"
    BROKEN = "broken"


TOLD: dict[Misbehaviour, str] = {
    Misbehaviour.NO_ZONE: "instants without a time zone",
    Misbehaviour.WRONG_CLOCK: "a clock eight hours ahead: local time sent as UTC",
    Misbehaviour.SHUFFLED: "readings newest first, four at a time",
    Misbehaviour.REPEATED: "every message twice",
    Misbehaviour.OUT_OF_RANGE: "numbers far beyond what their points can have",
    Misbehaviour.SLOW: "one message of five",
    Misbehaviour.MISSING_POINT: "the first point of each asset is left out",
    Misbehaviour.TEXT_NUMBERS: "numbers written as texts with a unit",
    Misbehaviour.RETAINED: "readings published with the retain flag",
    Misbehaviour.QOS_0: "QoS 0",
    Misbehaviour.BROKEN: "every third payload cut short",
}
"""What each does, in words."""


class Misbehaving:
    """Spoils messages, topic by topic; the simulation's truth is left alone."""

    def __init__(self, kind: Misbehaviour) -> None:
        self._kind = kind
        self._counts: dict[str, int] = {}
        self._held: dict[str, list[Message]] = {}

    def spoil(self, messages: Iterable[Message]) -> Iterator[Message]:
        """What goes on the wire instead of these messages."""
        for message in messages:
            if message.topic.startswith("simulation/"):
                yield message
            else:
                yield from self._one(message)

    def _one(self, message: Message) -> Iterator[Message]:
        kind, number = self._kind, self._counts.get(message.topic, 0)
        self._counts[message.topic] = number + 1
        if kind is Misbehaviour.SLOW:
            if number % SLOW == 0:
                yield message
        elif kind is Misbehaviour.SHUFFLED:
            held = self._held.setdefault(message.topic, [])
            held.append(message)
            if len(held) == SHUFFLED:
                yield from reversed(held)
                held.clear()
        elif kind is Misbehaviour.BROKEN:
            cut = message.payload[: len(message.payload) // 2] if number % 3 == 0 else message.payload
            yield replace(message, payload=cut)
        elif kind is Misbehaviour.REPEATED:
            yield from (message, message)
        elif kind in (Misbehaviour.RETAINED, Misbehaviour.QOS_0):
            qos = 0 if kind is Misbehaviour.QOS_0 else 1
            yield replace(message, qos=qos, retain=kind is Misbehaviour.RETAINED)
        else:
            yield replace(message, payload=_rewrite(message.payload, _REWRITES[kind]))


Rewrite = Callable[[str, dict[str, Any]], tuple[str, dict[str, Any]]]
"""From instant and values (by name) to others."""


def _rewrite(payload: bytes, rewrite: Rewrite) -> bytes:
    data = msgspec.json.decode(payload)
    if "points" in data:
        values = {name: point["present_value"] for name, point in data["points"].items()}
        data["timestamp"], values = rewrite(data["timestamp"], values)
        data["points"] = {name: {"present_value": value} for name, value in values.items()}
    else:
        data["at"], data["values"] = rewrite(data["at"], data["values"])
    return msgspec.json.encode(data)


def _no_zone(at: str, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return at.removesuffix("Z"), values


def _wrong_clock(at: str, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return format_instant(parse_instant(at) + AHEAD), values


def _missing_point(at: str, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return at, dict(list(values.items())[1:])


def _text_numbers(at: str, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return at, {name: value if isinstance(value, str) else f"{value} units" for name, value in values.items()}


def _out_of_range(at: str, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    def far(name: str, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        kind = point_types().get(name)
        if isinstance(value, str):
            return value
        if kind is not None and kind.maximum is None:
            return -1 if kind.minimum == 0 else value
        return (kind.maximum if kind is not None and kind.maximum is not None else 1e5) * 10

    return at, {name: far(name, value) for name, value in values.items()}


_REWRITES: dict[Misbehaviour, Rewrite] = {
    Misbehaviour.NO_ZONE: _no_zone,
    Misbehaviour.WRONG_CLOCK: _wrong_clock,
    Misbehaviour.MISSING_POINT: _missing_point,
    Misbehaviour.TEXT_NUMBERS: _text_numbers,
    Misbehaviour.OUT_OF_RANGE: _out_of_range,
}
