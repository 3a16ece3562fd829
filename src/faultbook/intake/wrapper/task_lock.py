"""One attempt at a task at a time on this host, even after a worker was killed.

The command inherits a locked file, so the lock lives as long as anything of it does. Whoever has
the task next ends what is left of the earlier attempt first: its lease has run out.
"""

import contextlib
import errno
import fcntl
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from faultbook.intake.wrapper.group import signal_group

_END_SECONDS = 10.0
_LOOK_SECONDS = 0.05
_LOCKED = re.compile(
    r"^lock:.* FLOCK .* (?P<taker>[0-9]+)"
    r" (?P<major>[0-9a-f]+):(?P<minor>[0-9a-f]+):(?P<inode>[0-9]+) ",
    re.MULTILINE,
)


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
        for group in {int(noted)} if noted.isdecimal() else _inheritors(lock):
            if group > 1:
                signal_group(group, signal.SIGKILL)
        time.sleep(_LOOK_SECONDS)


def _inheritors(lock: int) -> set[int]:
    """Find the process groups that inherited a lock before its worker could note them.

    Only Linux tells, in proc(5)'s `fdinfo`: each line of a lock names who took it, and the file.
    """
    file, groups = os.fstat(lock), set()
    for told in Path("/proc").glob("[0-9]*/fdinfo/*"):
        with contextlib.suppress(OSError):  # it ended meanwhile, or is somebody else's
            found = _LOCKED.search(told.read_text("ascii", "replace"))
            if found is None or int(found["inode"]) != file.st_ino:
                continue
            device = os.makedev(int(found["major"], 16), int(found["minor"], 16))
            pid = int(told.parts[2])
            if device == file.st_dev and pid != int(found["taker"]):
                groups.add(os.getpgid(pid))
    return groups
