"""Sends what is in the outbox: claims, tries in threads, and writes how it went. Every write is the leaseholder's.

A program that stops between a try and its settling tries again later with the same key; the receiver knows it by that.
"""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from facility.clock import Clock
from facility.errors import PermanentError, PlantroomError
from ticketing.delivery import Again, Tried, decide_again
from ticketing.egress import Egress
from ticketing.lease import Lease
from ticketing.outbox_rows import DELIVERED, FAILED, claim, settle
from ticketing.roster import Roll
from ticketing.tables_outbox import OutboxRow
from ticketing.webhook import RefusedError, post

log = structlog.get_logger(__name__)
WORKERS = 8
_LAST_LOOKS, _LAST_LOOK_S = 8, 0.5
"""How long an ending process waits for what is on its way."""


class Tell(Protocol):
    """How a person is told. Raises NotDeliveredError or RefusedError."""

    def __call__(self, address: str, subject: str, body: str, key: str = "") -> None:
        """Send it to an Apprise address, with the key by which the receiver knows it again, if it takes one."""


@dataclass(frozen=True, slots=True)
class Message:
    """One claimed message, free of its row."""

    key: str
    kind: str
    event: str
    receiver: str
    channels: tuple[str, ...]
    channel: int
    subject: str
    body: str
    urgent: bool
    tries: int

    @property
    def channel_name(self) -> str:
        """The channel that is tried now."""
        return self.channels[self.channel]


class Courier:
    """Up to eight messages on their way at once, so that one slow receiver holds nobody else up."""

    def __init__(
        self, lease: Lease, people: Roll, tell: Tell, egress: Egress, clock: Clock, wall: Clock, name: str
    ) -> None:
        self._egress = egress
        self._lease, self._people, self._tell = lease, people, tell
        self._clock, self._wall, self._name = clock, wall, name
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="courier")
        self._out: dict[Future[None], Message] = {}

    @property
    def is_idle(self) -> bool:
        """Whether every try has ended; `step` settles them."""
        return all(future.done() for future in self._out)

    @property
    def has_sent(self) -> bool:
        """Whether messages are on their way, or have come back and are not settled yet."""
        return bool(self._out)

    def step(self) -> int:
        """Settle what came back and send what is due; how many were settled or sent. Raises LeaseLostError."""
        settled = self._settle()
        free = WORKERS - len(self._out)
        if not free:
            return settled
        wall = self._wall.now()
        with self._lease.writing() as session:
            found = [_message(row) for row in claim(session, self._clock.now(), wall, self._name, free)]
        for message in found:
            self._out[self._pool.submit(self._send, message)] = message
        return settled + len(found)

    def close(self) -> None:
        """Wait up to four seconds for what is on its way and write down how it went, so that the next leader does not
        send it again; what takes longer stays claimed, and is tried again when that has run out. Raises RetryableError.
        """
        self._pool.shutdown(wait=False, cancel_futures=True)
        for _ in range(_LAST_LOOKS):
            if self.is_idle or self._lease.epoch is None or not self._lease.hold():
                break
            wait(self._out, _LAST_LOOK_S)
        if self._lease.epoch is not None:
            self._settle()

    def _settle(self) -> int:
        done = [future for future in self._out if future.done() and not future.cancelled()]
        if not done:
            return 0
        with self._lease.writing() as session:
            for future in done:
                message = self._out[future]
                settle(session, message.key, self._name, self._outcome(message, future.exception()))
        for future in done:
            del self._out[future]
        return len(done)

    def _send(self, message: Message) -> None:
        with self._egress.guarded():
            self._send_guarded(message)

    def _send_guarded(self, message: Message) -> None:
        if message.kind == "webhook":
            hooks: Mapping[str, Any] = {hook.id: hook for hook in self._people().webhooks}
            hook = hooks.get(message.receiver)
            if hook is None:
                msg = f"the roster has no webhook {message.receiver!r}"
                raise RefusedError(msg)
            at_s = self._wall.now_us() // 1_000_000
            post(hook.address, hook.secret, message.key, message.event, message.body, at_s)
            return
        person = self._people().people.get(message.receiver)
        channels = {one.name: one.address for one in person.channels} if person is not None else {}
        if message.channel_name not in channels:
            msg = f"the roster has no channel {message.channel_name!r} of {message.receiver!r}"
            raise RefusedError(msg)
        self._tell(channels[message.channel_name], message.subject, message.body, message.key)

    def _outcome(self, message: Message, error: BaseException | None) -> dict[str, Any]:
        wall, tries = self._wall.now(), message.tries + 1
        if error is None:
            return {
                "state": DELIVERED,
                "ended_at": wall,
                "tries": tries,
                "delivered_by": message.channel_name,
                "error": "",
            }
        if not isinstance(error, PlantroomError):
            log.error("a message could not be sent for a reason nobody foresaw", key=message.key, error=repr(error))
        permanent = isinstance(error, PermanentError)
        tried = Tried(tries, message.channel, len(message.channels), message.urgent, permanent)
        again = decide_again(tried, wall)
        told = f"{message.channel_name}: {error}"
        if isinstance(again, Again):
            return {"tries": tries, "channel": again.channel, "next_try_at": again.at, "error": told}
        log.error("a message was given up", key=message.key, receiver=message.receiver, reason=told)
        return {"state": FAILED, "ended_at": wall, "tries": tries, "error": told}


def _message(row: OutboxRow) -> Message:
    return Message(
        key=row.key,
        kind=row.kind,
        event=row.event,
        receiver=row.person,
        channels=tuple(row.channels),
        channel=row.channel,
        subject=row.subject,
        body=row.body,
        urgent=row.urgent,
        tries=row.tries,
    )
