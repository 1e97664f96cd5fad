"""Messages that the broker acknowledged to the devices and threw away before we had them. Mosquitto counts them.

It does so when its queue for us is full (`max_queued_messages`, `max_queued_bytes`): we were away, or too slow, for
too long. Nobody sends them again, so it is said loudly.
"""

import structlog

log = structlog.get_logger(__name__)
_MOST_DIGITS = 18


class BrokerLosses:
    """Follows the broker's own count, which begins at 0 with each of its starts."""

    def __init__(self) -> None:
        self._last: int | None = None

    def look(self, said: bytes) -> int:
        """How many were thrown away since it spoke last. Of the first word nobody knows which are new: it is told, and
        counts as none."""
        if not said.isdigit() or len(said) > _MOST_DIGITS:
            return 0
        total, before = int(said), self._last
        self._last = total
        if before is None and total:
            log.warning("since its start the broker threw messages away that it had acknowledged", total=total)
        if before is None:
            return 0
        lost = total - before if total >= before else total
        if lost:
            log.error(
                "the broker threw away messages it had acknowledged; raise max_queued_messages and max_queued_bytes, "
                "or find out why ingest is behind",
                lost=lost,
            )
        return lost
