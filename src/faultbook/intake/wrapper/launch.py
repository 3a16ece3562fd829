"""Starting a job so that it can't tell the difference, and so that its memory is measured truly.

The job's process is forked before anything heavy is imported, and waits for a word. Linux counts
what a process was before its exec into its peak memory (`exec_mmap`, fs/exec.c), so a job that was
forked late would be shown with our own size.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import signal
import termios
from collections.abc import Sequence
from dataclasses import dataclass

FORWARDED: tuple[signal.Signals, ...] = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
)
"""Signals that are passed on to the job's process group."""

CANT_EXECUTE, NOT_FOUND = 126, 127  # POSIX shell, 2.8.2
# Python ignores these at its start; the job gets them as they were meant.
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


@dataclass(frozen=True, slots=True)
class Streams:
    """What the job's own end of its streams is; None where it inherits ours.

    Attributes:
        terminal: the stdout is a pseudo-terminal, which becomes the job's controlling terminal.
    """

    stdin: int | None
    stdout: int
    stderr: int
    terminal: bool = False


class Launch:
    """A forked job that waits to be let go.

    Attributes:
        pid: of the job, and of its process group.
    """

    def __init__(self, command: Sequence[str], streams: Streams) -> None:
        """Fork the job; signals wait meanwhile, so that none meets our handlers in the child."""
        go_read, self._go = os.pipe()
        self._failure, failure_write = os.pipe()
        handled = [number for number in FORWARDED if signal.getsignal(number) != signal.SIG_IGN]
        before = signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
        try:
            self.pid = os.fork()
            if self.pid == 0:
                os.close(self._go)  # else it would not see the end of us
                for number in (*handled, *_IGNORED_BY_PYTHON):
                    signal.signal(number, signal.SIG_DFL)
                _become(command, streams, go_read, failure_write, before)
            with contextlib.suppress(OSError):  # the child does the same; whoever is first
                if not streams.terminal:
                    os.setpgid(self.pid, self.pid)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(go_read)
        os.close(failure_write)

    def go(self) -> OSError | None:
        """Let the job go; gives the reason when the command can't be started."""
        with contextlib.suppress(BrokenPipeError):  # a signal has ended it before
            os.write(self._go, b"!")
        os.close(self._go)
        with os.fdopen(self._failure, "rb") as pipe:
            told = pipe.read()
        return OSError(int(told), os.strerror(int(told))) if told else None

    def cancel(self) -> None:
        """End the waiting process without starting the job."""
        os.close(self._go)
        os.close(self._failure)
        os.waitpid(self.pid, 0)


def exit_code_of(error: OSError) -> int:
    """Tell the exit code that a shell gives for a command that can't be started."""
    return NOT_FOUND if error.errno in (errno.ENOENT, errno.ENOTDIR) else CANT_EXECUTE


def _become(
    command: Sequence[str],
    streams: Streams,
    go: int,
    failure: int,
    mask: set[signal.Signals | int],
) -> None:
    """Turn the forked process into the job; never returns."""
    try:
        if streams.terminal:
            os.setsid()
            fcntl.ioctl(streams.stdout, termios.TIOCSCTTY, 0)
        else:
            os.setpgid(0, 0)
        for fd, own in ((0, streams.stdin), (1, streams.stdout), (2, streams.stderr)):
            if own is not None:
                os.dup2(own, fd)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if os.read(go, 1):
            _execute(command)
    except OSError as error:
        os.write(failure, str(error.errno or errno.EINVAL).encode())
    finally:
        os._exit(NOT_FOUND)


def _execute(command: Sequence[str]) -> None:
    try:
        os.execvp(command[0], tuple(command))  # noqa: S606 - to run it is what we are asked for
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        # A script without its #! line: shells run it themselves (POSIX, execvp).
        script = shutil.which(command[0]) or command[0]
        os.execv("/bin/sh", ["sh", script, *command[1:]])  # noqa: S606 - the same
