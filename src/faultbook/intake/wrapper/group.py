"""A job's process group: ended with whatever it left behind."""

import signal
import time
from collections.abc import Callable

from faultbook.base.process_group import signal_group

KILL_AFTER_SECONDS = 10.0
"""How long a process group has between TERM and KILL."""

_POLL_SECONDS = 0.05


def terminate(group: int) -> None:
    """Ask a process group to end."""
    signal_group(group, signal.SIGTERM)
    signal_group(group, signal.SIGCONT)  # a stopped process does not hear TERM


def kill_leftovers(group: int, kill_at: float, unless: Callable[[], bool] = lambda: False) -> None:
    """Kill what a job left behind, at `kill_at` by the monotonic clock or when `unless` says so."""
    while not unless() and time.monotonic() < kill_at and signal_group(group, 0):
        time.sleep(_POLL_SECONDS)
    signal_group(group, signal.SIGKILL)
