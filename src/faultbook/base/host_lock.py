"""A locked file that a command inherits: on this host it is known for as long as it lives.

The lock outlives whoever took it and was killed, so that who comes next sees that something is
still at work, and can kill it.
"""

import contextlib
import fcntl
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from faultbook.base.process_group import signal_group

_LOCKED = re.compile(
    r"^lock:.* FLOCK .* (?P<taker>[0-9]+) [0-9a-f]+:[0-9a-f]+:(?P<inode>[0-9]+) ", re.MULTILINE
)


@contextlib.contextmanager
def hold(path: Path) -> Iterator[int]:
    """Hold a lock for a command to inherit; its process group is noted by `note_group`.

    Gives the file descriptor. The file is empty at first, and gone at the end.

    Raises:
        BlockingIOError: it is held.
        OSError: the file can't be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _take(path) as file:
        # Whom an earlier one has noted may be somebody else by now.
        file.truncate(0)
        try:
            yield file.fileno()
        finally:
            path.unlink(missing_ok=True)
            # What the command left behind on purpose goes on, and holds nothing any more.
            fcntl.flock(file, fcntl.LOCK_UN)


def note_group(lock: int, group: int) -> None:
    """Note whom to kill should we be gone; without room for it only Linux can tell."""
    with contextlib.suppress(OSError):
        os.write(lock, f"{group}\n".encode())


def kill_holders(path: Path) -> None:
    """Kill the process groups of the commands that hold a lock, but not its taker's.

    Linux says who inherited it, noted or not; elsewhere it is whom the taker has noted.
    """
    try:
        known, noted = path.stat(), path.read_text("ascii", "replace").strip()
    except FileNotFoundError:
        return
    groups = _inheritors(known)
    if groups is None:
        groups = {int(noted)} if noted.isdecimal() else set()
    for group in groups:
        if group > 1:
            signal_group(group, signal.SIGKILL)


def _take(path: Path) -> IO[bytes]:
    while True:
        with contextlib.ExitStack() as stack:
            # Unbuffered and appended to: it is read by who comes next.
            file = stack.enter_context(path.open("ab", buffering=0))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it may have unlinked it after we opened it.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(path.stat(), os.fstat(file.fileno())):
                    stack.pop_all()
                    return file


def _inheritors(known: os.stat_result) -> set[int] | None:
    """Find the process groups that inherited a lock; None where nothing tells who holds it.

    Only Linux does, in proc(5)'s `fdinfo`: each line of a lock names who took it, and the file.
    """
    groups, is_told = set[int](), False
    for told in Path("/proc").glob("[0-9]*/fdinfo/*"):
        with contextlib.suppress(OSError):  # it ended meanwhile, or is somebody else's
            found = _LOCKED.search(told.read_text("ascii", "replace"))
            if found is None or int(found["inode"]) != known.st_ino:
                continue
            process = told.parents[1]
            if os.path.samestat((process / "fd" / told.name).stat(), known):
                is_told = True
                # Until its exec a new process of the taker has the lock, whatever it is to be.
                groups |= {os.getpgid(int(process.name))} - _group_of(int(found["taker"]))
    return groups if is_told else None


def _group_of(pid: int) -> set[int]:
    with contextlib.suppress(ProcessLookupError):
        return {os.getpgid(pid)}
    return set()
