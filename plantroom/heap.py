"""What lives as long as the program is left out of the search for garbage, which otherwise stops every thread."""

import gc


def settle_heap() -> None:
    """Count all that is alive now as lasting: the directory, rules, newest readings and libraries, millions of objects
    that a full search would go through again and again. Once after the start; costs one such search."""
    gc.collect()
    gc.freeze()
