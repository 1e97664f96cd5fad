"""Readers that share what was decoded read the same as those that do not, within a bounded memory."""

from pathlib import Path

import pytest

from facility.reading import DeadLetter, encode_entries
from ingest.decoded import DecodedCommits
from ingest.journal import JournalReader, JournalWriter


def test_two_readers_are_given_the_same_entries(tmp_path: Path) -> None:
    decoded = DecodedCommits()
    with (
        JournalWriter(tmp_path) as writer,
        JournalReader(tmp_path, decoded=decoded) as first,
        JournalReader(tmp_path, decoded=decoded) as second,
        JournalReader(tmp_path) as alone,
    ):
        for number in range(5):
            writer.append(number, [DeadLetter(number, "t", b"x", "r")])
        found = first.read(0)
        assert found == second.read(0) == alone.read(0)
        assert all(one.entries[0] is other.entries[0] for one, other in zip(found, second.read(0), strict=True))


def test_it_holds_no_more_than_it_may_and_refuses_what_is_no_commit() -> None:
    decoded = DecodedCommits(most_bytes=1_000)
    packed = [encode_entries((DeadLetter(number, "t", b"x" * 100, "r"),)) for number in range(50)]
    for _ in range(2):
        for number, one in enumerate(packed):
            assert decoded.decode(one) == (DeadLetter(number, "t", b"x" * 100, "r"),)
            assert decoded.held_bytes <= 1_000
    huge = encode_entries((DeadLetter(1, "t", b"x" * 2_000, "r"),))
    assert decoded.decode(huge)[0] == DeadLetter(1, "t", b"x" * 2_000, "r")
    assert decoded.held_bytes == 0
    with pytest.raises(ValueError, match="MessagePack"):
        decoded.decode(b"\xc1")
