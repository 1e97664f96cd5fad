"""Signing in as a decision: in, or not and why; wrong tries lock a name for a while, longer each time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

TRIES = 5
"""Wrong ones in a row before a name is locked."""
FIRST_LOCK, LONGEST_LOCK = timedelta(minutes=1), timedelta(minutes=15)


class SignIn(StrEnum):
    """WRONG is said of an unknown name too."""

    IN = "in"
    WRONG = "wrong"
    LOCKED = "locked"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Tries:
    """Wrong tries in a row so far, and until when the name is locked (aware UTC)."""

    failed: int = 0
    locked_until: datetime | None = None

    def left(self, now: datetime) -> timedelta:
        """How long it is still locked; zero when it is not."""
        return max(self.locked_until - now, timedelta(0)) if self.locked_until is not None else timedelta(0)


def decide_sign_in(tries: Tries, now: datetime, *, is_right: bool, is_disabled: bool) -> tuple[SignIn, Tries]:
    """What comes of a try, and the tries after it. While locked even the right password is refused."""
    if tries.left(now):
        return SignIn.LOCKED, tries
    if not is_right:
        failed = tries.failed + 1
        if failed < TRIES:
            return SignIn.WRONG, Tries(failed)
        lock = min(FIRST_LOCK * 2 ** min(failed - TRIES, 10), LONGEST_LOCK)
        return SignIn.WRONG, Tries(failed, now + lock)
    if is_disabled:
        return SignIn.DISABLED, tries
    return SignIn.IN, Tries()
