"""An executor that is a command: run without a shell, in a group of its own, told on its stdin.

It holds the lock of its approval for as long as it lives, so that whoever takes over after a crash
sees whether an earlier one is still at work.
"""

import contextlib
import errno
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from faultbook.base.host_lock import hold, kill_holders, note_group
from faultbook.base.process_group import kill_group
from faultbook.base.settings import (
    APPROVAL_DIGEST,
    APPROVAL_ID,
    EXECUTOR_SECRETS,
    SLACK_SECRETS,
)
from faultbook.delivery.executor.order import HEARD_BYTES, Order
from faultbook.delivery.executor.outcome import Ended, Outcome

_TO_END_SECONDS = 5.0
_KILLED_CODES = frozenset({124, 137, 143})
"""How shells and timeout(1) report what was ended from outside, which may have had its effect."""
# What Faultbook itself is trusted with is none of an executor's business.
_OUR_PREFIXES = (
    EXECUTOR_SECRETS,
    *SLACK_SECRETS,
    *("FAULTBOOK_TOKEN", "FAULTBOOK_WEBHOOK_SECRET", "FAULTBOOK_DATABASE_URL"),
)


class StillRunningError(Exception):
    """A command that an earlier process began for the approval has not ended."""


class Commands:
    """Runs executors' commands and probes; from any thread.

    Args:
        folder: where they run.
        locks: a folder of this machine for their locks.
        environ: what they inherit, but for secrets.
    """

    def __init__(self, folder: Path, locks: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._locks = locks
        self._environ = {
            name: value for name, value in environ.items() if not name.startswith(_OUR_PREFIXES)
        }
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._interrupted = False

    def run(self, order: Order, seconds: float) -> Outcome:
        """Run an order's command to its end, for so many seconds at most.

        Raises:
            StillRunningError: an earlier one has not ended.
        """
        with self._hold(order.approval.number) as lock, tempfile.TemporaryFile() as said:
            try:
                code = self._call(order, order.plan.command, seconds, said, lock)
            except OSError as error:
                why = f"can't be started ({error.strerror})"
                return Outcome(Ended.FAILED, f"{order.plan.command[0]} {why}; nothing ran.")
            return _outcome(code, order.say_last(_tail(said)), order.plan.timeout_seconds)

    def probe(self, order: Order, seconds: float) -> bool | None:
        """Ask whether it has happened; None where nobody can tell."""
        with tempfile.TemporaryFile() as said:
            try:
                code = self._call(order, order.plan.probe, seconds, said, None)
            except OSError:
                return None
        return {0: True, 1: False}.get(code) if code is not None else None

    def check_ended(self, number: int, *, end: bool) -> None:
        """Make sure that nothing an earlier process began for an approval is still at work.

        With `end` it is killed, since its time is over.

        Raises:
            StillRunningError: something is.
        """
        try:
            with self._hold(number):
                return
        except StillRunningError:
            if end:
                kill_holders(self._place(number))
            raise

    def interrupt(self) -> None:
        """End what runs, and start nothing more."""
        with self._lock:
            self._interrupted = True
            for process in self._running:
                kill_group(process)

    def _place(self, number: int) -> Path:
        return self._locks / f"A-{number}.lock"

    @contextlib.contextmanager
    def _hold(self, number: int) -> Iterator[int]:
        with contextlib.ExitStack() as stack:
            try:
                lock = stack.enter_context(hold(self._place(number)))
            except BlockingIOError as error:
                raise StillRunningError from error
            yield lock

    def _call(
        self,
        order: Order,
        command: Sequence[str],
        seconds: float,
        said: IO[bytes],
        lock: int | None,
    ) -> int | None:
        """Run a command; gives its exit code, negative for a signal, None if it took too long."""
        known = {APPROVAL_ID: order.approval.id, APPROVAL_DIGEST: order.approval.digest}
        # A file, not a pipe: a command that never reads its stdin must not hold us.
        with tempfile.TemporaryFile() as told:
            told.write(order.told)
            told.seek(0)
            with self._lock:
                if self._interrupted:
                    raise OSError(errno.EINTR, "Faultbook is stopping")
                process = subprocess.Popen(  # noqa: S603 - the team's own command, without a shell
                    command,
                    cwd=self._folder,
                    env=self._environ | known,
                    stdin=told,
                    stdout=said,
                    stderr=said,
                    process_group=0,
                    pass_fds=() if lock is None else (lock,),
                )
                self._running.add(process)
        try:
            if lock is not None:
                note_group(lock, process.pid)
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self._end(process)

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        kill_group(process)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_TO_END_SECONDS)
        with self._lock:
            self._running.discard(process)


def _outcome(code: int | None, said: str, limit: float) -> Outcome:
    if code == 0:
        return Outcome(Ended.EXECUTED, said)
    then = f": {said}" if said else "."
    if code is None:
        words = f"It did not end within {limit:g} s and was ended{then}"
        return Outcome(Ended.UNKNOWN, words)
    if code < 0:
        return Outcome(Ended.UNKNOWN, f"It was ended by signal {-code}{then}")
    if code in _KILLED_CODES:
        return Outcome(Ended.UNKNOWN, f"Exit {code}: something in it was ended{then}")
    return Outcome(Ended.FAILED, f"Exit {code}{then}")


def _tail(file: IO[bytes]) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - HEARD_BYTES))
    return file.read(HEARD_BYTES)
