"""The confirm command: a probe of the side effect that a successful job claims to have had."""

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Literal

from faultbook.base.process_group import kill_group
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line

CONFIRM_SECONDS = 60.0
"""How long a confirm command may take."""

_LOOK_SECONDS = 0.05
_TAIL_BYTES = 2_000


@dataclass(frozen=True, slots=True)
class Confirmation:
    """How the probe came out, and the end of what it said."""

    outcome: Literal["succeeded", "failed", "timed_out"]
    words: str


def confirm(
    command: str, unless: Callable[[], bool], limit: float = CONFIRM_SECONDS
) -> Confirmation:
    """Run the probe by `sh -c`, apart from the job's streams.

    Args:
        command: what the shell runs.
        unless: ends it early when it tells so.
        limit: seconds after which its process group is killed.
    """
    with _scratch() as said:
        try:
            probe = subprocess.Popen(  # noqa: S603 - the operator's own command
                ["/bin/sh", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=said or subprocess.DEVNULL,
                stderr=subprocess.STDOUT if said else subprocess.DEVNULL,
                process_group=0,
            )
        except OSError as error:
            return Confirmation("failed", f"it could not be started: {error.strerror}")
        code = _wait(probe, unless, limit)
        words = _end_of(said)
    if code is None:
        return Confirmation("timed_out", words)
    if code == 0:
        return Confirmation("succeeded", words)
    return Confirmation("failed", f"exit {code}{': ' if words else ''}{words}")


def _wait(probe: "subprocess.Popen[bytes]", unless: Callable[[], bool], limit: float) -> int | None:
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline and not unless():
        with contextlib.suppress(subprocess.TimeoutExpired):
            return probe.wait(_LOOK_SECONDS)
    kill_group(probe)
    probe.wait()
    return None


@contextlib.contextmanager
def _scratch() -> Iterator[IO[bytes] | None]:
    """Give a file for what it says: a pipe would wait for whatever it leaves behind."""
    try:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - only its making may fail here
    except OSError:  # a full disk must not keep the probe from running
        yield None
        return
    with file:
        yield file


def _end_of(said: IO[bytes] | None) -> str:
    if said is None:
        return ""
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - _TAIL_BYTES))
    return cut(one_line(redact(said.read().decode("utf-8", "replace"))), 300)
