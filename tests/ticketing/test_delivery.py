"""What becomes of a message that could not be delivered. Pure."""

from datetime import UTC, datetime, timedelta

import pytest

from ticketing.delivery import GIVE_UP_AFTER, LONGEST_PAUSE, Again, Tried, decide_again

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)


def again(tries: int, channel: int = 0, channels: int = 2, *, urgent: bool = False, permanent: bool = False) -> Again:
    found = decide_again(Tried(tries, channel, channels, urgent, permanent), AT)
    assert found is not None
    return found


def test_a_channel_gets_two_tries_and_then_the_next_one_its_turn_at_once() -> None:
    assert again(1).channel == 0
    assert again(1).at > AT
    assert again(2) == Again(1, AT)


def test_what_is_urgent_or_refused_for_good_goes_to_the_next_channel_at_once() -> None:
    assert again(1, urgent=True) == again(1, permanent=True) == Again(1, AT)


def test_after_the_last_channel_the_first_has_its_turn_again_later() -> None:
    found = again(4, channel=1)
    assert found.channel == 0
    assert found.at > AT


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_pauses_grow_to_ten_minutes_and_the_tries_end(channels: int) -> None:
    channel, at, pauses = 0, AT, []
    for tries in range(1, GIVE_UP_AFTER):
        found = decide_again(Tried(tries, channel, channels, urgent=False, permanent=False), at)
        assert found is not None
        pauses.append(found.at - at)
        channel, at = found.channel, found.at
    assert max(pauses) == LONGEST_PAUSE
    assert timedelta(hours=8) < at - AT < timedelta(hours=30)
    assert decide_again(Tried(GIVE_UP_AFTER, channel, channels, urgent=False, permanent=False), at) is None


def test_what_the_only_channel_refuses_for_good_is_given_up() -> None:
    assert decide_again(Tried(1, 0, 1, urgent=False, permanent=True), AT) is None
