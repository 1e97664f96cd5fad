"""What every watched file has in common: two looks agree, what is broken is refused, and the last good one stays."""

import pytest

from facility.errors import refuse
from plantroom.file_watch import FileWatch


class Notes(FileWatch[str]):
    """A file that may say anything but `bad`; `gone` cannot be read, and `busy` cannot be handed over."""

    noun = "notes"

    def __init__(self) -> None:
        super().__init__("one")
        self.disk, self.taken = "one", ["one"]

    def read(self) -> str:
        if self.disk == "gone":
            raise refuse("notes", "cannot be read", "Put it back.")
        return self.disk

    def take(self, found: str) -> None:
        if found == "bad":
            raise refuse("notes", "is bad", "Write something else.")
        if found == "busy":
            msg = "no space left"
            raise OSError(msg)
        self.taken.append(found)


@pytest.fixture
def notes() -> Notes:
    return Notes()


def looks(notes: Notes, *contents: str) -> list[bool]:
    """What each look says, with one of these contents on disk."""
    found = []
    for notes.disk in contents:
        found.append(notes.look())
    return found


def test_a_change_is_taken_when_two_looks_agree(notes: Notes) -> None:
    assert looks(notes, "one", "tw", "two", "two", "two") == [False, False, False, True, False]
    assert notes.taken == ["one", "two"]


def test_what_is_broken_or_gone_is_refused_and_the_last_good_one_stays(notes: Notes) -> None:
    assert looks(notes, "bad") == [False]
    assert notes.refused == "", "it may be half saved"
    assert looks(notes, "bad") == [False]
    assert "is bad" in notes.refused
    assert looks(notes, "gone", "gone") == [False, False]
    assert "cannot be read" in notes.refused
    assert (notes.in_force, notes.taken) == ("one", ["one"])
    assert looks(notes, "one", "one") == [False, False]
    assert notes.refused == ""


def test_what_cannot_be_handed_over_now_is_tried_again(notes: Notes) -> None:
    assert looks(notes, "busy") == [False]
    with pytest.raises(OSError, match="no space"):
        notes.look()
    assert notes.in_force == "one"
    with pytest.raises(OSError, match="no space"):
        notes.look()
