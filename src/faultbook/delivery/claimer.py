"""Who claims: a name that tells machine and process, so that a crash can be seen from beside."""

import os
import platform
from collections.abc import Iterable

from faultbook.base.ids import new_id, short_id


def name_claimer() -> str:
    """Name this instance: machine, process, and what tells it from an earlier one of that id."""
    return f"{platform.node()}/{os.getpid()}/{short_id(new_id())}"


def claimers_that_are_gone(names: Iterable[str]) -> list[str]:
    """Pick those that ran on this machine and whose process is no more."""
    return [name for name in names if _is_gone(name)]


def _is_gone(name: str) -> bool:
    machine, _, rest = name.rpartition("/")[0].rpartition("/")
    if machine != platform.node() or not rest.isdecimal():
        return False
    if int(rest) == os.getpid():
        return True  # an earlier life of this process id: this instance has claimed nothing yet
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False
