"""What lives as long as the program is left out of the search for garbage, which otherwise stops every thread."""

import gc


def grow_heap() -> None:
    """Search for no garbage until `settle_heap`: what a start makes stays, and searching it is a fifth of its time."""
    gc.disable()


def settle_heap() -> None:
    """Search again, and count all that is alive now as lasting: the directory, rules, newest readings and libraries,
    millions of objects that a full search would go through again and again. Once after the start; costs one such
    search."""
    gc.collect()
    gc.freeze()
    gc.enable()
