"""Workers by fork, so that a hundred that are killed are soon replaced: names in, pids out.

    python -m tests.journeys.task_crew AGENT SECONDS

Each line of stdin names a worker; it is a process of its own, which works until it is killed.
"""

import contextlib
import os
import signal
import sys

from faultbook.client import Client, Task, TaskGone  # loaded once, before any is forked
from faultbook.client.claiming import Claims
from faultbook.client.http import HttpClient
from tests.journeys.task_worker import work

LOADED = (Client, Claims, HttpClient, Task, TaskGone)


def main(agent: str, seconds: float) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that were killed
    begun = []
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            try:
                work(agent, line.strip(), "honest", seconds)
            finally:
                os._exit(1)
        begun.append(pid)
        os.write(1, f"{pid}\n".encode())
    for pid in begun:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
