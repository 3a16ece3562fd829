"""One attempt at a task at a time on this host, even after a worker was killed.

The command inherits a locked file, so the lock lives as long as anything of it does. Whoever has
the task next ends what is left of the earlier attempt first: its lease has run out.
"""

import contextlib
import errno
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from faultbook.intake.wrapper.group import signal_group

_END_SECONDS = 10.0
_LOOK_SECONDS = 0.05


@contextlib.contextmanager
def alone(path: Path) -> Iterator[int]:
    """Hold a lock for a command to inherit; its process group is noted by `note_group`.

    Raises:
        OSError: an earlier attempt can't be ended, or the file can't be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("a+b", buffering=0) as file:
        _take(file.fileno(), path)
        file.truncate(0)
        try:
            yield file.fileno()
        finally:
            path.unlink(missing_ok=True)
            # What the command left behind on purpose goes on, and holds nothing any more.
            fcntl.flock(file, fcntl.LOCK_UN)


def note_group(lock: int, group: int) -> None:
    """Note whom to end should we be gone."""
    os.write(lock, f"{group}\n".encode())


def _take(lock: int, path: Path) -> None:
    until = time.monotonic() + _END_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > until:
                raise OSError(errno.EBUSY, "an earlier attempt still runs here") from error
        else:
            return
        noted = path.read_text("ascii", "replace").strip() if path.exists() else ""
        if noted.isdecimal() and int(noted) > 1:
            signal_group(int(noted), signal.SIGKILL)
        time.sleep(_LOOK_SECONDS)
