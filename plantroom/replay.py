"""Sends history over MQTT in the own dialect, as the devices would have: the same scans that a backtest judges."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from threading import Event
from typing import Protocol

from facility.clock import RealClock
from facility.instant import SECOND_US, format_instant, from_us
from facility.reading import Scan
from facility.registry import Registry
from simulators.dialect import own_message


class Publisher(Protocol):
    """The publishing end of the wire."""

    def publish(self, topic: str, payload: bytes, stop: Event | None = None) -> bool:
        """Take one message over; blocks while too many are unacknowledged. False when `stop` ended the wait."""


def messages(scans: Iterable[Scan], registry: Registry) -> Iterator[tuple[int, str, bytes]]:
    """(instant, topic, payload) of each scan, in order.

    An asset that speaks another dialect is sent in its own topic of our dialect all the same.
    """
    for scan in scans:
        site_id, at = registry.site_of(scan.asset_id).id, format_instant(from_us(scan.at_us))
        message = own_message(site_id, scan.asset_id, at, {one.point: one.value for one in scan.values})
        yield scan.at_us, message.topic, message.payload


def send(
    stream: Iterable[tuple[int, str, bytes]],
    publisher: Publisher,
    stop: Event,
    *,
    speed: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Publish a stream; how many messages went out.

    `speed` is history's seconds per second; None sends as fast as the broker takes them. A gap in the history of
    more than an hour is not waited for.
    """
    clock, sent = RealClock(), 0
    began_us, first_us, skipped_us, last_us = clock.now_us(), None, 0, None
    for at_us, group in groupby(stream, key=lambda item: item[0]):
        first_us = at_us if first_us is None else first_us
        if last_us is not None and at_us - last_us > 3600 * SECOND_US:
            skipped_us += at_us - last_us
        last_us = at_us
        if speed is not None:
            due_us = began_us + (at_us - first_us - skipped_us) / speed
            if stop.wait(max(0.0, (due_us - clock.now_us()) / SECOND_US)):
                return sent
        for _, topic, payload in group:
            if not publisher.publish(topic, payload, stop):
                return sent
            sent += 1
        if progress is not None:
            progress(sent)
    return sent
