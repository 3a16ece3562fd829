"""A job, from its launch to its end: streams, signals, time limit, and what it consumed."""

import contextlib
import math
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType

from faultbook.base.process_group import signal_group
from faultbook.intake.wrapper import terminal
from faultbook.intake.wrapper.group import (
    KILL_AFTER_SECONDS,
    kill_leftovers,
    terminate,
)
from faultbook.intake.wrapper.launch import FORWARDED, Launch, Streams, exit_code_of
from faultbook.intake.wrapper.streams import Relay, Tail

TIMED_OUT = 124
"""The exit code of a job that was ended at its timeout and still said 0, as timeout(1) has it."""

_SIGNAL_BASE = 128  # shells report 128+n for a child that signal n ended
_POLL_SECONDS = 0.05
# A signal that comes between Python's last look for one and a wait is heard when the wait ends.
_HEAR_SECONDS = 0.1
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024
"""getrusage(2) counts memory in KiB, Darwin's in bytes."""


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How a job came out.

    Attributes:
        exit_code: its own; None when a signal ended it.
        failure: why it could not be started; None when it was.
        ended: by the monotonic clock, in seconds; no step of the wall clock reaches it.
        cpu_seconds: user and system time, of it and of the children it waited for.
        peak_memory_bytes: None where it can't be told.
        stdout_tail: the end of what it wrote, not redacted yet; so is `stderr_tail`, None where
            both are one terminal.
    """

    exit_code: int | None
    signal: int | None
    failure: OSError | None
    timed_out: bool
    ended: float
    cpu_seconds: float
    peak_memory_bytes: int | None
    stdout_tail: str
    stderr_tail: str | None
    lost_output: bool

    @property
    def succeeded(self) -> bool:
        """Tell whether it ran, ended by itself and said 0."""
        return self.exit_code == 0 and not self.timed_out and self.failure is None

    @property
    def status(self) -> int:
        """The code to exit with: its own, or 128+n when signal n ended it."""
        if self.signal is not None:
            return _SIGNAL_BASE + self.signal
        code = self.exit_code or 0
        return TIMED_OUT if self.timed_out and not code else code


class Job:
    """One command, launched at once and let go by `run`.

    Make it before threads are started, in the main thread: it forks, and takes the signals.
    """

    def __init__(self, command: Sequence[str]) -> None:
        terminal.guard_standard_streams()
        self._ended_read, self._ended = os.pipe()
        self._in_terminal = terminal.is_one_terminal()
        self._has_keyboard = terminal.has_keyboard()
        if self._in_terminal and self._has_keyboard:
            self._claim = terminal.claim_keyboard()
            self._has_keyboard = self._claim is not None
        self._out, self._err = Tail(), Tail()
        self._relays: list[Relay] = []
        self._pseudo_terminal: int | None = None
        streams = self._open_terminal() if self._in_terminal else self._open_pipes()
        self._has_begun = self._is_over = False
        self._kill_at = 0.0
        self.hurried = False
        """A signal came after the job's end: who sent it wants us gone."""
        self._ignored: set[int] = set()
        self._launch = Launch(command, streams)
        self._take_signals()
        for fd in {streams.stdout, streams.stderr}:
            os.close(fd)

    def _open_pipes(self) -> Streams:
        out, out_write = os.pipe()
        err, err_write = os.pipe()
        self._relays += [
            Relay(out, terminal.STDOUT, self._ended_read, self._out),
            Relay(err, terminal.STDERR, self._ended_read, self._err),
        ]
        return Streams(None, out_write, err_write)

    def _open_terminal(self) -> Streams:
        ours, jobs = terminal.open_pseudo_terminal(keyboard=self._has_keyboard)
        self._pseudo_terminal = ours
        self._relays.append(Relay(os.dup(ours), terminal.STDOUT, self._ended_read, self._out))
        if not self._has_keyboard:
            return Streams(None, jobs, jobs, terminal=True)
        self._relays.append(Relay(os.dup(terminal.STDIN), ours, self._ended_read, None))
        return Streams(jobs, jobs, jobs, terminal=True)

    def cancel(self) -> None:
        """Let the waiting process end without the command; once that has begun, do nothing."""
        if not self._has_begun:
            self._has_begun = self._is_over = True
            self._launch.cancel()

    def run(self, timeout: float | None) -> JobEnd:
        """Let the job go, pass on what it says and what it is told, and wait for its end."""
        self._has_begun = True
        with self._keyboard():
            failure = self._launch.go()
            for relay in self._relays:
                relay.start()
            timed_out = self._wait(timeout)
            ended = time.monotonic()
            _, status, used = os.wait4(self._launch.pid, 0)
            self._is_over = True
            if timed_out:
                kill_leftovers(self._launch.pid, self._kill_at, lambda: self.hurried)
            os.close(self._ended)
            for relay in self._relays:
                while not self.hurried and not relay.join(_POLL_SECONDS):
                    pass
        code = os.waitstatus_to_exitcode(status)
        return JobEnd(
            exit_code=exit_code_of(failure) if failure else code if code >= 0 else None,
            signal=-code if code < 0 and not failure else None,
            failure=failure,
            timed_out=timed_out,
            ended=ended,
            cpu_seconds=used.ru_utime + used.ru_stime,
            peak_memory_bytes=used.ru_maxrss * MEMORY_UNIT,
            stdout_tail=self._out.text(),
            stderr_tail=None if self._in_terminal else self._err.text(),
            lost_output=any(relay.lost_output for relay in self._relays),
        )

    @contextlib.contextmanager
    def _keyboard(self) -> Iterator[None]:
        if not self._has_keyboard:
            yield
        elif self._in_terminal:
            with terminal.raw_keyboard():
                yield
        else:
            terminal.hand_over(self._launch.pid)
            try:
                yield
            finally:
                terminal.hand_over(os.getpgrp())

    def _wait(self, timeout: float | None) -> bool:
        """Wait for the job's end without reaping it; tells whether it had to be ended."""
        told: queue.SimpleQueue[bool] = queue.SimpleQueue()
        threading.Thread(target=self._watch, args=(told,), daemon=True, name="waiter").start()
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = math.inf if deadline is None else max(0.0, deadline - time.monotonic())
            try:
                if told.get(timeout=min(left, _HEAR_SECONDS)):
                    return False
                self._stop_too()
            except queue.Empty:
                if left <= _HEAR_SECONDS:
                    break
        self._kill_at = time.monotonic() + KILL_AFTER_SECONDS
        terminate(self._launch.pid)
        with contextlib.suppress(queue.Empty):
            while not told.get(timeout=KILL_AFTER_SECONDS):
                pass
            return True
        self._signal_group(signal.SIGKILL)
        while not told.get():
            pass
        return True

    def _watch(self, told: "queue.SimpleQueue[bool]") -> None:
        """Tell the main thread, which can be interrupted, of each stop and of the end."""
        pid = self._launch.pid
        while True:
            # WNOWAIT: its id stays its own until the main thread has reaped it.
            seen = os.waitid(os.P_PID, pid, os.WEXITED | os.WSTOPPED | os.WNOWAIT)
            if seen is None or seen.si_code not in (os.CLD_STOPPED, os.CLD_TRAPPED):
                told.put(True)  # noqa: FBT003 - the queue's only word
                return
            # It may have been continued meanwhile; then there is no stop to take any longer.
            os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG)
            told.put(False)  # noqa: FBT003 - the same

    def _stop_too(self) -> None:
        """Stop when the job at our keyboard was stopped, as a shell expects of its job."""
        if not self._has_keyboard or self._in_terminal:
            return
        terminal.hand_over(os.getpgrp())
        os.kill(os.getpid(), signal.SIGSTOP)
        terminal.hand_over(self._launch.pid)
        self._signal_group(signal.SIGCONT)

    def _signal_group(self, number: int) -> None:
        signal_group(self._launch.pid, number)

    def _take_signals(self) -> None:
        for number in FORWARDED:
            # What was ignored (nohup, a script's `&`) the job ignores too, unless it handles it.
            if signal.signal(number, self._forward) == signal.SIG_IGN:
                self._ignored.add(number)
        if signal.getsignal(signal.SIGTSTP) != signal.SIG_IGN:
            signal.signal(signal.SIGTSTP, self._stop_both)

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGWINCH and self._pseudo_terminal is not None:
            terminal.copy_size(self._pseudo_terminal)
        elif not self._is_over:
            self._signal_group(number)
        elif number in _ENDING and number not in self._ignored:
            self.hurried = True

    def _stop_both(self, _number: int, _frame: FrameType | None) -> None:
        if not self._is_over:
            self._signal_group(signal.SIGTSTP)
        os.kill(os.getpid(), signal.SIGSTOP)
        if not self._is_over:
            self._signal_group(signal.SIGCONT)
