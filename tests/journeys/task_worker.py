"""A worker that a test may kill: `-m tests.journeys.task_worker AGENT NAME HOW SECONDS [ROUTE]`.

Each way to work is one that happens: `honest` brings a file, `liar` says that it is done and brings
none, `hanging` gives signs of life and never ends, `dying` is killed as it begins, `late` falls
silent and closes when it was given up, `steady` takes its time.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Callable

from faultbook.client import Client, Task, TaskGone

LEASE_SECONDS = 5.0


def honest(task: Task, seconds: float) -> None:
    """Take a while, say so, and bring the file."""
    time.sleep(random.uniform(0, seconds))  # noqa: S311 - any pace will do
    task.progress("half way")
    time.sleep(random.uniform(0, seconds))  # noqa: S311 - the same
    task.artifact("report.txt", f"{task.id}: {task.text}\n".encode())


def steady(task: Task, seconds: float) -> None:
    """Take just so long, and bring the file."""
    time.sleep(seconds)
    task.artifact("report.txt", f"{task.id}: {task.text}\n".encode())


def liar(task: Task, _: float) -> None:
    """Say that it is done."""
    task.done()


def hanging(task: Task, _: float) -> None:
    """Never end, until the task is somebody else's."""
    task.progress("still at it")
    while not task.cancelled:
        time.sleep(0.1)


def dying(_: Task, __: float) -> None:
    """End at once, without a word."""
    os.kill(os.getpid(), signal.SIGKILL)


def late(task: Task, seconds: float) -> None:
    """Fall silent for so long, and close then."""
    task._lease._ended.set()  # no more signs of life, as of a machine that sleeps
    time.sleep(seconds)


WAYS: dict[str, Callable[[Task, float], None]] = {
    way.__name__: way for way in (honest, steady, liar, hanging, dying, late)
}


def work(agent: str, name: str, how: str, seconds: float, route: str = "") -> None:
    """Work until killed."""
    routes = [route] if route else None
    with Client() as client:
        for task in client.tasks(agent, routes=routes, worker=name, lease_seconds=LEASE_SECONDS):
            with task:
                try:
                    WAYS[how](task, seconds)
                    print(f"{task.id} {task.done().verdict}", flush=True)
                except TaskGone as gone:
                    print(gone, flush=True)


if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]), *sys.argv[5:])
