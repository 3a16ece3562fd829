"""One attempt at a task at a time on this host, even after a worker was killed.

Whoever has the task next ends what is left of the earlier attempt first: its lease has run out.
"""

import contextlib
import errno
import time
from collections.abc import Iterator
from pathlib import Path

from faultbook.base.host_lock import hold, kill_holders

_END_SECONDS = 10.0
_LOOK_SECONDS = 0.05


@contextlib.contextmanager
def alone(path: Path) -> Iterator[int]:
    """Hold a lock for a command to inherit, as `hold` gives it.

    Raises:
        OSError: an earlier attempt can't be ended, or the file can't be made.
    """
    until = time.monotonic() + _END_SECONDS
    with contextlib.ExitStack() as stack:
        while True:
            try:
                lock = stack.enter_context(hold(path))
            except BlockingIOError as error:
                if time.monotonic() > until:
                    raise OSError(errno.EBUSY, "an earlier attempt still runs here") from error
            else:
                break
            kill_holders(path)
            time.sleep(_LOOK_SECONDS)
        yield lock
