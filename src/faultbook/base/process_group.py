"""A process group: signalled and killed as a whole."""

import os
import signal
import subprocess


def signal_group(group: int, number: int) -> bool:
    """Signal a whole process group; False when nobody is left in it."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # it became another user, by sudo for one
        return True
    return True


def kill_group(leader: "subprocess.Popen[bytes]") -> None:
    """Kill what was started as the leader of a group, with all of it, while its id is its own."""
    if leader.returncode is None:
        signal_group(leader.pid, signal.SIGKILL)
