"""MQTT packets out of bytes: the same however they are cut, bounded whatever comes, refused when they are none."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.link import NOT_UTF8, BrokerAddress, Delivery
from ingest.mqtt_frames import (
    MOST_PAYLOAD,
    Answer,
    FrameError,
    FrameReader,
    acknowledgements,
    again,
    connect,
    publish,
    subscribe,
)

MESSAGES = st.lists(
    st.tuples(
        st.integers(1, 0xFFFF), st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.binary(max_size=300)
    ),
    max_size=12,
)


def read(*pieces: bytes, limit: int = 1000) -> tuple[list[Delivery], list[Answer]]:
    reader, answers = FrameReader(), list[Answer]()
    found: list[Delivery] = []
    for piece in pieces:
        reader.feed(piece)
        while more := reader.take(limit, 7, answers):
            assert len(more) <= limit
            found += more
    return found, answers


@settings(deadline=None)
@given(MESSAGES, st.lists(st.integers(0, 3000), max_size=8), st.integers(1, 4))
def test_packets_are_the_same_however_they_are_cut(
    messages: list[tuple[int, str, bytes]], cuts: list[int], limit: int
) -> None:
    stream = b"\x20\x02\x00\x00" + b"".join(publish(*one) + b"\xd0\x00" for one in messages)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    found, answers = read(*pieces, limit=limit)
    assert [(one.mid, one.topic, one.payload) for one in found] == messages
    assert all((one.qos, one.generation, one.retained, one.redelivered) == (1, 7, False, False) for one in found)
    assert answers == [Answer(0x20, b"\x00\x00"), *[Answer(0xD0, b"")] * len(messages)]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_packets_or_refused(data: bytes) -> None:
    reader, found = FrameReader(), list[Delivery]()
    reader.feed(data)
    with suppress(FrameError):
        while more := reader.take(1, 1, []):
            found += more
    assert sum(len(one.payload) + 2 for one in found) + len(reader.waiting) <= len(data)


def test_flags_and_qos_0_and_a_topic_that_is_no_text() -> None:
    found, _ = read(b"\x31\x05\x00\x01ahi", again(publish(9, "t", b"x")), b"\x32\x06\x00\x02\xff\xfe\x00\x01")
    assert found == [
        Delivery("a", b"hi", 0, 0, True, False, 7),
        Delivery("t", b"x", 1, 9, False, True, 7),
        Delivery(NOT_UTF8, b"", 1, 1, False, False, 7),
    ]


@pytest.mark.parametrize(
    ("packet", "said"),
    [
        (b"\x32\x04\x00\x09ab", "a message that is none"),
        (b"\x32\x01\x00", "a message that is none"),
        (b"\x32\x03\x00\x01a", "a message that is none"),
        (b"\x34\x05\x00\x01a\x00\x01", "a message that is none"),
        (b"\x30\xff\xff\xff\xff\x01", "a length of more than four bytes"),
        (b"\x10\x02\x00\x00", "no broker sends"),
        (b"\x20\xff\xff\x03", "no broker sends"),
    ],
)
def test_what_is_no_packet_is_refused_after_what_came_before_it(packet: bytes, said: str) -> None:
    reader = FrameReader()
    reader.feed(publish(1, "a", b"1") + packet)
    assert [one.payload for one in reader.take(10, 1, [])] == [b"1"]
    with pytest.raises(FrameError, match=said):
        reader.take(10, 1, [])


def test_a_payload_beyond_all_limits_is_cut_and_what_follows_it_is_read() -> None:
    huge = publish(3, "big", bytes(9 * 2**20)) + publish(4, "small", b"x")
    reader, found, most = FrameReader(), list[Delivery](), 0
    for at in range(0, len(huge), 2**18):
        reader.feed(huge[at : at + 2**18])
        found += reader.take(10, 1, [])
        most = max(most, len(reader.waiting))
    assert [(one.topic, len(one.payload), one.mid) for one in found] == [("big", MOST_PAYLOAD, 3), ("small", 1, 4)]
    assert most < MOST_PAYLOAD + 2**19


def test_what_is_sent() -> None:
    address = BrokerAddress(client_id="me", user="u", password="p")  # noqa: S106 - no secret
    assert connect(address) == b"\x10\x14\x00\x04MQTT\x04\xc0\x00\x1e\x00\x02me\x00\x01u\x00\x01p"
    assert connect(BrokerAddress(client_id="me"))[8:10] == b"\x04\x00"
    assert subscribe(5, "#") == b"\x82\x06\x00\x05\x00\x01#\x01"
    assert publish(1, "a", bytes(200))[:7] == b"\x32\xcd\x01\x00\x01a\x00"
    assert acknowledgements([1, 0x203]) == b"\x40\x02\x00\x01\x40\x02\x02\x03"
