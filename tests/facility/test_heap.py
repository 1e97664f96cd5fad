"""The search for garbage stands still while many values are made, and goes on after the last of those who asked."""

import gc
import threading

from facility.heap import many_values


def test_the_search_goes_on_after_the_last_of_several() -> None:
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with many_values():
            inside.set()
            leave.wait(20)

    thread = threading.Thread(target=other)
    with many_values():
        assert not gc.isenabled()
        thread.start()
        assert inside.wait(20)
    assert not gc.isenabled()  # the other one is still at it
    leave.set()
    thread.join(20)
    assert gc.isenabled()


def test_it_is_left_as_it_was() -> None:
    gc.disable()
    try:
        with many_values(), many_values():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
