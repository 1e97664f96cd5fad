"""The long run of broken payloads, on every dialect."""

import pytest
from golden import ARRIVED
from mutation import mutated, new_player, play_all
from soaking import Begin

from facility.instant import parse_instant, to_us
from ingest.dialects import DIALECTS

_COUNT = 100_000


@pytest.mark.soak
def test_a_hundred_thousand_broken_payloads_on_every_dialect(soak_row: Begin) -> None:
    counted = soak_row("100,000 random and mutated payloads on every dialect: read or refused, nothing else")
    read = refused = 0
    for dialect in sorted(DIALECTS):
        some, others = play_all(new_player(dialect), mutated(dialect, _COUNT, seed=2), to_us(parse_instant(ARRIVED)))
        read, refused = read + some, refused + others
    assert read + refused == _COUNT * len(DIALECTS)
    counted.update({"dialects": len(DIALECTS), "payloads": read + refused, "read": read, "refused": refused})
