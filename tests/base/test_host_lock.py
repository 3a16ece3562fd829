"""Locks of a host: taken by one, inherited by a command, and nobody else killed for them."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from faultbook.base import host_lock
from faultbook.base.host_lock import hold, kill_holders, note_group

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "locks" / "one"


@pytest.fixture
def start() -> Iterator[Start]:
    """Give what starts a process that reads its stdin to its end, in a group of its own."""
    with contextlib.ExitStack() as stack:

        def begin(*inherited: int) -> "subprocess.Popen[bytes]":
            process = stack.enter_context(
                subprocess.Popen(
                    ["cat"], stdin=subprocess.PIPE, process_group=0, pass_fds=inherited
                )
            )
            stack.callback(process.kill)
            return process

        yield begin


def end(process: "subprocess.Popen[bytes]") -> int:
    """Let a process end by itself; gives its exit code, negative where it was killed."""
    process.communicate()
    return process.returncode


def is_free(path: Path) -> bool:
    try:
        with hold(path):
            return True
    except BlockingIOError:
        return False


def test_a_lock_is_held_by_one_and_its_file_is_empty_at_first_and_gone_at_the_end(
    path: Path,
) -> None:
    path.parent.mkdir()
    path.write_text("4711\n")
    with hold(path) as lock:
        assert path.read_text() == ""
        note_group(lock, 12)
        assert path.read_text() == "12\n"
        assert not is_free(path)
        assert path.exists()
    assert not path.exists()
    assert is_free(path)
    assert not path.exists()


def test_a_lock_whose_file_was_unlinked_meanwhile_is_taken_anew(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = fcntl.flock, list[int]()

    def flock(file: IO[bytes], how: int) -> None:
        asked.append(how)
        if len(asked) == 1:
            path.unlink()  # as who held it does, between our opening it and locking it
        real(file, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    with hold(path):
        assert len(asked) == 2
        monkeypatch.undo()
        assert not is_free(path)


def test_a_command_that_inherited_a_lock_is_killed_whether_it_was_noted_or_not(
    path: Path, start: Start
) -> None:
    with hold(path) as lock:
        first, second = start(lock), start(lock)
        note_group(lock, first.pid)
        kill_holders(path)
        assert [end(first), end(second)] == [-signal.SIGKILL] * 2


def test_where_nothing_tells_who_inherited_it_whom_its_taker_noted_is_killed(
    path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_lock, "_inheritors", lambda _: None)
    with hold(path) as lock:
        command = start(lock)
        kill_holders(path)
        assert command.poll() is None
        note_group(lock, command.pid)
        kill_holders(path)
        assert end(command) == -signal.SIGKILL
    kill_holders(path)


def test_a_number_that_is_somebody_elses_by_now_kills_nobody(path: Path, start: Start) -> None:
    bystander = start()
    with hold(path) as lock:
        note_group(lock, bystander.pid)
        kill_holders(path)
    assert end(bystander) == 0


def test_what_its_taker_is_about_to_start_for_something_else_is_no_command_that_holds_it(
    path: Path,
) -> None:
    """Between fork and exec a new process has all that its parent has open, and its group."""
    code = (
        "import subprocess, sys; from pathlib import Path; "
        "from faultbook.base.host_lock import hold\n"
        "with hold(Path(sys.argv[1])) as lock:\n"
        "    subprocess.run(['sh', '-c', 'echo held; cat'], pass_fds=(lock,), check=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        process_group=0,
    ) as taker:
        assert taker.stdout is not None
        assert taker.stdout.readline() == b"held\n"
        kill_holders(path)
        assert end(taker) == 0


def test_what_a_command_leaves_behind_goes_on_and_holds_nothing(path: Path, start: Start) -> None:
    with hold(path) as lock:
        left = start(lock)
        waiting = os.open(path, os.O_WRONLY)
    try:
        fcntl.flock(waiting, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(waiting)
    assert is_free(path)
    assert end(left) == 0


def test_a_group_that_can_not_be_noted_is_no_reason_to_end_it(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    lock = os.open(path, os.O_RDONLY)  # a write fails, as on a full disk
    try:
        note_group(lock, 12)
    finally:
        os.close(lock)
    assert path.read_text() == ""
