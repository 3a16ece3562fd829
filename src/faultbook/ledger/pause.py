"""The cyclic collector held still while a large file is read.

The parser makes over a dozen small objects a row, all of them alive until the end and none in a
cycle; the collector would walk through them again and again. Of ten thousand rows it takes half the
time. Pausing it is process-wide and harmless: reference counting goes on, and whoever comes first
switches it on again, also when several threads read at once.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_LARGE = 100_000


@contextmanager
def collector_paused(size: int) -> Iterator[None]:
    """Hold the collector still for a block of work on a text of so many characters, if large."""
    if size < _LARGE or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
