"""No bytes trip any dialect: they are read or refused with a reason. The long run is in `make soak`."""

import pytest
from golden import ARRIVED, Player
from hypothesis import given, settings
from hypothesis import strategies as st
from mutation import messages_of, mutated, new_player, play_all

from facility.instant import parse_instant, to_us
from ingest.dialects import DIALECTS
from ingest.payload import Arrival

_START_US = to_us(parse_instant(ARRIVED))
_PLAYERS: dict[str, Player] = {}


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_mutated_messages_are_read_or_refused(dialect: str) -> None:
    read, refused = play_all(new_player(dialect), mutated(dialect, 1_500, seed=1), _START_US)
    assert read + refused == 1_500
    assert read > 10
    assert refused > 10


@settings(max_examples=300, deadline=None)
@given(dialect=st.sampled_from(sorted(DIALECTS)), payload=st.binary(max_size=120), which=st.integers(min_value=0))
def test_any_bytes_are_read_or_refused(dialect: str, payload: bytes, which: int) -> None:
    player = _PLAYERS.setdefault(dialect, new_player(dialect))
    topics = sorted({topic for topic, _ in messages_of(dialect)})
    topic = topics[which % len(topics)]
    _, said = player.read(topic, payload, Arrival(_START_US))
    assert said == "" or said.startswith(topic)


def test_a_message_with_ten_thousand_unknown_names_is_refused_in_few_words() -> None:
    payload = b'{"at": "2026-11-21T09:00:00Z", "values": {%s}}' % b",".join(b'"name%d":1' % n for n in range(10_000))
    _, said = Player("devices.yaml").read("acme/lift-2", payload, Arrival(_START_US))
    assert "and 9,980 more problems" in said
    assert len(said) < 10_000
