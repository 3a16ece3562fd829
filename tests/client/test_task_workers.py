"""Worker processes: killed, hung or told to stop, they leave no task done twice or lost."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faultbook.model.task import TaskState
from tests.client.conftest import SCOPES
from tests.client.stored import find, give, run_of, sweep
from tests.conftest import FrozenClock
from tests.intake.wrapper.harness import until
from tests.intake.wrapper.servers import Server

ROOT = Path(__file__).parents[2]


class _Worker:
    """A worker process in a folder of its own."""

    def __init__(self, folder: Path, server: Server, mode: str) -> None:
        folder.mkdir()
        self.folder = folder
        environ = {**os.environ, **server.environ(*SCOPES), "PYTHONPATH": f"{ROOT}/src:{ROOT}"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.client.workers", mode], cwd=folder, env=environ
        )

    def holds(self, number: int) -> None:
        """Wait until it holds a task."""
        held = self.folder / "held"
        until(lambda: held.exists() and held.read_text("utf-8") == f"T-{number}")

    def go(self) -> None:
        """Let it go on."""
        (self.folder / "go").touch()


@pytest.fixture
def workers(tmp_path: Path, server: Server) -> Iterator[Callable[[str], _Worker]]:
    """Start worker processes, and end them."""
    started: list[_Worker] = []

    def start(mode: str) -> _Worker:
        started.append(_Worker(tmp_path / mode, server, mode))
        return started[-1]

    yield start
    for worker in started:
        worker.process.kill()
        worker.process.wait(10)


def test_the_task_of_a_killed_worker_is_done_by_another(
    workers: Callable[[str], _Worker], server: Server, clock: FrozenClock
) -> None:
    number = give(server)
    first = workers("first")
    first.holds(number)
    first.process.kill()
    first.process.wait(10)
    clock.advance(6)
    assert sweep(server) == 1
    second = workers("second")
    second.holds(number)
    second.go()
    until(lambda: find(server, number).state.is_ended)
    done = find(server, number)
    assert (done.state, done.attempts, done.lapses, done.worker) == (
        TaskState.DONE, 2, 1, "second",
    )  # fmt: skip


def test_a_worker_that_hung_and_comes_back_late_changes_nothing(
    workers: Callable[[str], _Worker], server: Server, clock: FrozenClock
) -> None:
    number = give(server)
    first = workers("first")
    first.holds(number)
    first.process.send_signal(signal.SIGSTOP)
    clock.advance(6)
    assert sweep(server) == 1
    second = workers("second")
    second.holds(number)
    first.process.send_signal(signal.SIGCONT)
    first.go()
    until(lambda: not (first.folder / "go").exists())
    other = give(server)
    first.holds(other)  # it was told so, and went on with the next
    second.go()
    until(lambda: find(server, number).state.is_ended)
    done = run_of(server, number)
    assert [artifact.excerpt for artifact in done.artifacts] == ["by second"]
    assert str(done.verdict) == "passed"


def test_a_worker_that_is_told_to_stop_finishes_its_task_first(
    workers: Callable[[str], _Worker], server: Server
) -> None:
    number, second = give(server), give(server)
    worker = workers("first")
    worker.holds(number)
    worker.process.terminate()
    worker.go()
    assert worker.process.wait(30) == 0
    assert (worker.folder / "ended").exists()
    assert find(server, number).state is TaskState.DONE
    assert find(server, second).state is TaskState.QUEUED


def test_a_worker_that_waits_stops_soon(workers: Callable[[str], _Worker], server: Server) -> None:
    number = give(server)
    worker = workers("first")
    worker.holds(number)
    worker.go()
    until(lambda: find(server, number).state.is_ended)
    worker.process.terminate()
    assert worker.process.wait(30) == 0
