"""Runs a simulation on a clock and puts what it says on the wire."""

from collections.abc import Callable, Iterable
from threading import Event
from typing import Protocol

from facility.clock import Clock
from facility.instant import SECOND_US
from simulators.dialect import Message
from simulators.run import Simulation

_SLICE_US = 600 * SECOND_US


class Publisher(Protocol):
    """Where messages go. `publish` blocks while too many are unacknowledged; False when `stop` ended the wait."""

    def publish(
        self, topic: str, payload: bytes, stop: Event | None = None, *, qos: int = 1, retain: bool = False
    ) -> bool:
        """Take one message over."""


def play(
    simulation: Simulation,
    publisher: Publisher,
    clock: Clock,
    stop: Event,
    on_step: Callable[[int], None] | None = None,
    *,
    spoil: Callable[[list[Message]], Iterable[Message]] = list,
) -> int:
    """Publish each step when the clock reaches it, until `stop` is set; the number of messages published.

    `spoil` may change what goes on the wire. After a pause of the machine it works through what was missed, ten
    simulated minutes at a time.
    """
    published = 0
    while not stop.is_set():
        now_us = clock.now_us()
        if simulation.next_us > now_us:
            stop.wait((simulation.next_us - now_us) / SECOND_US / clock.factor)
            continue
        for message in spoil(simulation.advance(min(now_us, simulation.next_us + _SLICE_US))):
            if not _publish(publisher, message, stop):
                return published
            published += 1
        if on_step is not None:
            on_step(simulation.at_us)
    return published


def _publish(publisher: Publisher, message: Message, stop: Event) -> bool:
    return publisher.publish(message.topic, message.payload, stop, qos=message.qos, retain=message.retain)
