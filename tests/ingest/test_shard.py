"""What a shard is called, where its heartbeat travels, and what it says it hears."""

from pathlib import Path

import pytest

from ingest.shard import ShardFeed, read_covered, write_covered


def test_each_shard_has_a_heartbeat_of_its_own(tmp_path: Path) -> None:
    assert ShardFeed("main", tmp_path).heartbeat_topic == "plantroom/$ingest/heartbeat"
    assert ShardFeed("north", tmp_path).heartbeat_topic == "plantroom/$ingest/heartbeat/north"


@pytest.mark.parametrize("name", ["", "North", "a/b", "a+", "-a", "a-", "..", "a" * 33, "a\n"])
def test_a_name_that_cannot_be_a_topic_and_a_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected lower case"):
        ShardFeed(name, tmp_path)


def test_what_is_covered_is_found_again(tmp_path: Path) -> None:
    assert read_covered(tmp_path / "run") == frozenset()
    write_covered(tmp_path / "run", frozenset({"mall", "tower"}))
    assert read_covered(tmp_path / "run") == {"mall", "tower"}
    write_covered(tmp_path / "run", frozenset())
    assert read_covered(tmp_path / "run") == frozenset()


def test_a_file_that_says_nothing_readable_covers_nothing(tmp_path: Path) -> None:
    (tmp_path / "covered.json").write_bytes(b'{"tower": tr')
    assert read_covered(tmp_path) == frozenset()
