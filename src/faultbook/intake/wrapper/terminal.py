"""The terminal that a job was started at: it still sees one, and still gets the keyboard.

Where stdout and stderr are the same terminal, the job gets a pseudo-terminal of its own (as
script(1) does): it colours, prompts and draws as it would without us. stdout and stderr are one
stream there, kept as stdout's tail. Ctrl-Z does nothing in it. In every other case the streams are
pipes, and where the keyboard is ours the job's process group is put into the foreground.
"""

import contextlib
import fcntl
import os
import signal
import struct
import termios
import tty
from collections.abc import Iterator

STDIN, STDOUT, STDERR = 0, 1, 2
_OUTPUT_FLAGS, _LOCAL_FLAGS = 1, 3  # places in what tcgetattr gives


def guard_standard_streams() -> None:
    """Put /dev/null where a standard stream is closed.

    Otherwise the next file that is opened, the database for one, would become the job's stdout.
    """
    for fd in (STDIN, STDOUT, STDERR):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one


def is_one_terminal() -> bool:
    """Tell whether stdout and stderr are one and the same terminal."""
    return (
        os.isatty(STDOUT)
        and os.isatty(STDERR)
        and os.fstat(STDOUT).st_rdev == os.fstat(STDERR).st_rdev
    )


def has_keyboard() -> bool:
    """Tell whether stdin is a terminal whose foreground is ours."""
    try:
        return os.isatty(STDIN) and os.tcgetpgrp(STDIN) == os.getpgrp()
    except OSError:
        return False


def claim_keyboard() -> int | None:
    """Claim the keyboard for raw mode; None when another wrapper at this terminal has it.

    Two that put the terminal back in the wrong order would leave it raw. What is given is held open
    for as long as the claim is.
    """
    try:
        # Opened anew: a lock belongs to an open file, and siblings share the one they inherited.
        claim = os.open(os.ttyname(STDIN), os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(claim)
        return None
    return claim


def open_pseudo_terminal(*, keyboard: bool) -> tuple[int, int]:
    """Open a pseudo-terminal like the one we are at; gives our end and the job's."""
    ours, jobs = os.openpty()
    with contextlib.suppress(OSError, termios.error):
        attributes = termios.tcgetattr(STDOUT)
        if not keyboard:
            # Nobody puts the outer terminal into raw mode then; its line ends are enough, and
            # what comes through a pipe is not typed, so it is not shown either.
            attributes[_OUTPUT_FLAGS] &= ~termios.OPOST
            attributes[_LOCAL_FLAGS] &= ~termios.ECHO
        termios.tcsetattr(jobs, termios.TCSANOW, attributes)
    copy_size(ours)
    return ours, jobs


def copy_size(pseudo_terminal: int) -> None:
    """Give a pseudo-terminal the size of ours; the kernel tells the job by SIGWINCH."""
    with contextlib.suppress(OSError):
        size = fcntl.ioctl(STDOUT, termios.TIOCGWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
        fcntl.ioctl(pseudo_terminal, termios.TIOCSWINSZ, size)


@contextlib.contextmanager
def raw_keyboard() -> Iterator[None]:
    """Hand every key through as it is, and put the terminal back at the end."""
    before = termios.tcgetattr(STDIN)
    tty.setraw(STDIN)
    try:
        yield
    finally:
        # Drained, not flushed: what was typed ahead belongs to the shell.
        termios.tcsetattr(STDIN, termios.TCSADRAIN, before)


def hand_over(group: int) -> None:
    """Put a process group into the foreground of the terminal at stdin."""
    # Whoever is in the background and does this would be stopped.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
    try:
        with contextlib.suppress(OSError):
            os.tcsetpgrp(STDIN, group)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
