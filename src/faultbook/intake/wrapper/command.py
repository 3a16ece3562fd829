"""A command without a terminal, run from any thread: what tasks are done with.

Unlike `Job` it takes no signals and leaves our own streams alone, so that several run side by side
in one process.
"""

import contextlib
import errno
import os
import queue
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from faultbook.base.host_lock import note_group
from faultbook.base.process_group import signal_group
from faultbook.intake.wrapper.group import (
    KILL_AFTER_SECONDS,
    kill_leftovers,
    terminate,
)
from faultbook.intake.wrapper.launch import exit_code_of
from faultbook.intake.wrapper.process import MEMORY_UNIT, JobEnd
from faultbook.intake.wrapper.streams import Relay, Tail

_REST_SECONDS = 10.0
"""How long the rest of its output is awaited; more would be somebody else's."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What is run, and where.

    Attributes:
        arguments: the program first; no shell reads them.
        told: what it reads on its stdin.
        passed_on: its output goes to ours as well.
        lock: a locked file that it inherits, where its process group is noted.
    """

    arguments: Sequence[str]
    folder: Path
    environ: Mapping[str, str]
    told: bytes = b""
    passed_on: bool = False
    lock: int | None = None


class Command:
    """One run of a command in a process group of its own."""

    def __init__(self, line: CommandLine) -> None:
        self._line = line
        self._words: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._kill_after = KILL_AFTER_SECONDS
        self._out, self._err = Tail(), Tail()
        self.was_ended = False
        """Somebody else ended it; how it came out says nothing."""

    def end(self, kill_after: float = KILL_AFTER_SECONDS) -> None:
        """End it, from another thread: TERM, and KILL so many seconds later."""
        self._kill_after = kill_after
        self._words.put(False)  # noqa: FBT003 - `_wait` reads it: not over by itself

    def run(self, limit: float | None) -> JobEnd:
        """Run it to its end, `limit` seconds at most."""
        with contextlib.ExitStack() as stack:
            out, err = _sinks(stack, passed_on=self._line.passed_on)
            ended_read, ended = os.pipe()
            stack.callback(os.close, ended_read)
            stack.callback(os.close, ended)
            streams = [os.pipe(), os.pipe()]
            try:
                process = self._start(streams[0][1], streams[1][1])
            except OSError as error:
                for read, _ in streams:
                    os.close(read)
                return _not_started(error)
            finally:
                for _, write in streams:
                    os.close(write)
            relays = [
                Relay(streams[0][0], out, ended_read, self._out),
                Relay(streams[1][0], err, ended_read, self._err),
            ]
            return self._follow(process, relays, ended, limit)

    def _follow(
        self,
        process: "subprocess.Popen[bytes]",
        relays: Sequence[Relay],
        ended_fd: int,
        limit: float | None,
    ) -> JobEnd:
        if self._line.lock is not None:
            note_group(self._line.lock, process.pid)
        for relay in relays:
            relay.start()
        timed_out, kill_at = self._wait(process.pid, limit)
        ended = time.monotonic()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = code = os.waitstatus_to_exitcode(status)
        if kill_at is not None:
            kill_leftovers(process.pid, kill_at)
        os.write(ended_fd, b"!")
        for relay in relays:
            relay.join(_REST_SECONDS)
        return JobEnd(
            exit_code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            failure=None,
            timed_out=timed_out,
            ended=ended,
            cpu_seconds=used.ru_utime + used.ru_stime,
            peak_memory_bytes=_peak(used.ru_maxrss),
            stdout_tail=self._out.text(),
            stderr_tail=self._err.text(),
            lost_output=any(relay.lost_output for relay in relays),
        )

    def _start(self, out: int, err: int) -> "subprocess.Popen[bytes]":
        line = self._line
        # A file, not a pipe: a command that never reads its stdin must not hold us.
        with tempfile.TemporaryFile() as told:
            told.write(line.told)
            told.seek(0)

            def start(arguments: Sequence[str]) -> "subprocess.Popen[bytes]":
                return subprocess.Popen(  # noqa: S603 - the operator's own command, without a shell
                    arguments,
                    cwd=line.folder,
                    env=dict(line.environ),
                    stdin=told,
                    stdout=out,
                    stderr=err,
                    process_group=0,
                    pass_fds=() if line.lock is None else (line.lock,),
                )

            try:
                return start(line.arguments)
            except OSError as error:
                if error.errno != errno.ENOEXEC:
                    raise
                # A script without its #! line: shells run it themselves (POSIX, execvp).
                script = shutil.which(line.arguments[0]) or line.arguments[0]
                return start(["/bin/sh", script, *line.arguments[1:]])

    def _wait(self, pid: int, limit: float | None) -> tuple[bool, float | None]:
        """Wait for its end without reaping it.

        Tells whether it was still running at its limit, and when its group is killed, if it is.
        """
        threading.Thread(target=self._watch, args=(pid,), daemon=True, name="waiter").start()
        try:
            if self._words.get(timeout=limit):
                return False, None
            timed_out, self.was_ended = False, True
        except queue.Empty:
            timed_out = True
            self._kill_after = KILL_AFTER_SECONDS
        kill_at = time.monotonic() + self._kill_after
        terminate(pid)
        with contextlib.suppress(queue.Empty):
            while not self._words.get(timeout=max(0.0, kill_at - time.monotonic())):
                kill_at = min(kill_at, time.monotonic() + self._kill_after)
            return timed_out, kill_at
        signal_group(pid, signal.SIGKILL)
        while not self._words.get():
            pass
        return timed_out, kill_at

    def _watch(self, pid: int) -> None:
        # WNOWAIT: its id stays its own until it is reaped.
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        self._words.put(True)  # noqa: FBT003 - `_wait` reads it: it is over


@contextlib.contextmanager
def _no_sink() -> Iterator[int]:
    fd = os.open(os.devnull, os.O_WRONLY)
    try:
        yield fd
    finally:
        os.close(fd)


def _sinks(stack: contextlib.ExitStack, *, passed_on: bool) -> tuple[int, int]:
    if passed_on:
        return 1, 2
    fd = stack.enter_context(_no_sink())
    return fd, fd


def _peak(most: int) -> int | None:
    """Tell the peak memory, where it is the command's own.

    Linux counts what a process was before its exec as well (`exec_mmap`, fs/exec.c): up to our own
    size the number says nothing about it.
    """
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * MEMORY_UNIT if most > ours else None


def _not_started(error: OSError) -> JobEnd:
    return JobEnd(
        exit_code=exit_code_of(error),
        signal=None,
        failure=error,
        timed_out=False,
        ended=time.monotonic(),
        cpu_seconds=0.0,
        peak_memory_bytes=None,
        stdout_tail="",
        stderr_tail="",
        lost_output=False,
    )
