"""Payloads that no device should send: random ones, and golden messages cut, flipped, spliced and blown up. Seeded."""

import random
from collections.abc import Iterator
from functools import cache

from golden import CASES, Player, load_case, payload_of, player_of

from ingest.payload import Arrival

Message = tuple[str, bytes]
_TOKENS = (
    b"null", b"true", b"-1", b"1e999", b"-0.0", b"9" * 40, b"[]", b"{}", b'""', b'"\\ud800"', b"NaN", b"\xff\xfe",
    b"\x00", b'"' + b"x" * 400 + b'"', b"[" * 200, b'{"a":' * 200, b"9223372036854775808", b"1e308", b"-1e308",
)  # fmt: skip
_LAST_US = 253_402_300_800_000_000


@cache
def messages_of(dialect: str) -> tuple[Message, ...]:
    """Every message of a dialect's golden cases, earlier ones too."""
    cases = [load_case(path) for path in CASES if path.parent.name == dialect]
    return tuple((part["topic"], payload_of(part)) for case in cases for part in (*case.get("before", ()), case))


def mutated(dialect: str, count: int, seed: int) -> Iterator[Message]:
    """`count` messages on the topics of a dialect, nearly all of them wrong somewhere."""
    chance, known = random.Random(f"{dialect}{seed}"), messages_of(dialect)
    for _ in range(count):
        topic, payload = chance.choice(known)
        if chance.random() < 0.1:
            yield topic, chance.randbytes(chance.randrange(200))
            continue
        data = bytearray(payload)
        for _ in range(chance.randrange(4)):
            _change(data, chance, known)
        yield topic, bytes(data)


def _change(data: bytearray, chance: random.Random, known: tuple[Message, ...]) -> None:
    here, there = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    match chance.randrange(6):
        case 0:
            del data[here:there]
        case 1:
            data[here:there] = chance.choice(_TOKENS)
        case 2:
            data[here:here] = data[here:there]
        case 3:
            other = chance.choice(known)[1]
            data[here:] = other[chance.randrange(len(other) + 1) :]
        case 4 if data:
            data[here % len(data)] ^= 1 << chance.randrange(8)
        case _:
            data[here:here] = chance.randbytes(chance.randrange(6))


def new_player(dialect: str) -> Player:
    """A player with the building of a dialect's cases."""
    return player_of(next(path for path in CASES if path.parent.name == dialect))


def play_all(player: Player, messages: Iterator[Message], arrived_us: int) -> tuple[int, int]:
    """Play messages, one second apart; (read, refused). Only a PayloadError, or scans a journal can hold, may come."""
    read = refused = 0
    known = player.router.registry.assets
    for topic, payload in messages:
        arrived_us += 1_000_000
        scans, said = player.read(topic, payload, Arrival(arrived_us, redelivered=arrived_us % 7_000_000 == 0))
        for scan in scans:
            assert scan.asset_id in known
            assert 0 <= scan.at_us < _LAST_US, (topic, payload)
            for value in scan.values:
                assert value.point in known[scan.asset_id].points
                assert isinstance(value.value, str) or abs(value.value) < float("inf"), (topic, payload)
        assert len(said) < 20_000, (topic, payload)
        read, refused = read + (not said), refused + bool(said)
    return read, refused
