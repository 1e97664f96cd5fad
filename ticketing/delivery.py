"""What becomes of a message after a try: delivered, tried again by which channel and when, or given up. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=10)
TRIES_EACH = 2
GIVE_UP_AFTER = 150  # tries; with these pauses about a day


@dataclass(frozen=True, slots=True)
class Tried:
    """A message that could not be delivered: its tries with this one, and the channel of `channels` that failed."""

    tries: int
    channel: int
    channels: int
    urgent: bool
    permanent: bool


@dataclass(frozen=True, slots=True)
class Again:
    """Try the channel of this index at `at` (wall clock, aware UTC)."""

    channel: int
    at: datetime


def decide_again(tried: Tried, wall: datetime) -> Again | None:
    """The next try; None: give up. Each channel gets two tries (one of what is urgent, and of what it refuses for
    good), then the next one has its turn at once; after the last one it begins anew, ever more slowly, for a day or so.
    """
    if (tried.permanent and tried.channels == 1) or tried.tries >= GIVE_UP_AFTER:
        return None
    each = 1 if tried.urgent or tried.permanent else TRIES_EACH
    moves_on = tried.channels > 1 and tried.tries % each == 0
    channel = (tried.channel + 1) % tried.channels if moves_on else tried.channel
    if moves_on and channel != 0:
        return Again(channel, wall)
    rounds = min(tried.tries // max(1, tried.channels if moves_on else 1), 12)
    return Again(channel, wall + min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** max(0, rounds - 1)))
