"""A worker as a process of its own: `python -m tests.client.workers MODE`, told by files.

It writes the id of each task it holds to `held`, and goes on with a task once `go` is there.
"""

import sys
import time
from pathlib import Path

from faultbook.client import Client


def work(mode: str) -> None:
    """Work on tasks as the mode says, in the present folder."""
    with Client() as client:
        for task in client.tasks("cron", worker=mode, lease_seconds=5):
            with task:
                Path("held").write_text(task.id, encoding="utf-8")
                while not Path("go").exists():
                    time.sleep(0.01)
                Path("go").unlink()
                task.artifact("report.txt", b"by " + mode.encode())
    Path("ended").touch()


if __name__ == "__main__":
    work(sys.argv[1])
