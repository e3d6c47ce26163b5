"""Python's garbage collection in the web process."""

import gc


def keep_what_is_loaded() -> None:
    """Call it when all code is loaded. A full collection stops a request for as long as it takes to scan every object.

    What is loaded stays loaded and need not be scanned. Few objects of a request live long, so full collections may be rare.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(700, 10, 100)
