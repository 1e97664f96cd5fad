"""Who looks at the engine while it is busy waits for one commit, not for all there are."""

import threading

from running import wait_until

from plantroom.turns import Turns


def test_who_asks_has_it_next_although_its_holder_takes_it_again_at_once() -> None:
    turns, had = Turns(), threading.Event()

    def look() -> None:
        with turns:
            had.set()

    other = threading.Thread(target=look)
    with turns:
        other.start()
        wait_until(lambda: turns.is_wanted, 30, "the other to ask")
        assert not had.is_set(), "it is held"
    with turns:
        assert had.is_set(), "its holder took it again before who had asked"
    other.join(10)


def test_its_holder_may_take_it_again_within() -> None:
    turns, had = Turns(), threading.Event()

    def look() -> None:
        with turns:
            had.set()

    other = threading.Thread(target=look)
    with turns:
        with turns:
            other.start()
        wait_until(lambda: turns.is_wanted, 30, "the other to ask")
        assert not had.is_set(), "it is still held"
    assert had.wait(10)
    other.join(10)
