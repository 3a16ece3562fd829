"""The whole bot as a process, and its workers as processes, which a test may kill at any time."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from faultbook.base.clock import system_clock
from faultbook.model.task import Task, TaskState
from faultbook.model.token import Scope, Token
from faultbook.operations.tasks import list_tasks
from faultbook.operations.tokens import create_token, digest, new_secret
from faultbook.store.engine import Store, open_store, sqlite_url
from faultbook.store.tasks import TaskFilter
from tests.sandbox.driver import Workspace

AGENT = "chaos-bot"
ROUTES = """
[[routes]]
name = "exports"
match = ["export*"]
agent = "chaos-bot"
timeout_seconds = 300
attempts = 3
backoff_seconds = 0.2
lapses = 3
"""
_EVERYTHING = 10_000


@dataclass
class Process:
    """A process that is killed and started again, with what it prints in a file."""

    command: list[str]
    environ: dict[str, str]
    folder: Path
    name: str
    running: "subprocess.Popen[bytes] | None" = None
    starts: int = 0

    def start(self) -> None:
        """Start it anew; its words go behind those of before."""
        with (self.folder / f"{self.name}.log").open("ab") as out:
            self._mark = out.tell()
            self.running = subprocess.Popen(
                self.command, cwd=self.folder, env=self.environ, stdout=out, stderr=out
            )
        self.starts += 1

    def kill(self) -> bool:
        """Kill it on the spot, and tell whether it ran until then."""
        assert self.running is not None
        if self.running.poll() is None:
            os.kill(self.running.pid, signal.SIGKILL)
        return self.running.wait(10) == -signal.SIGKILL

    def wait_dead(self) -> None:
        """Wait until it ended by itself."""
        assert self.running is not None
        self.running.wait(60)

    def stop(self) -> None:
        """End it in order."""
        if self.running is not None and self.running.poll() is None:
            os.kill(self.running.pid, signal.SIGTERM)
            self.running.wait(20)

    def said(self) -> str:
        """Give what it printed since it was started last."""
        found = (self.folder / f"{self.name}.log").read_bytes()[self._mark :]
        return found.decode("utf-8", "replace")


@dataclass
class Crew:
    """Workers that are forked from one process, so that killed ones are soon replaced.

    Attributes:
        alive: their process ids by their names; no two have the same name.
    """

    process: "subprocess.Popen[str]"
    alive: dict[str, int] = field(default_factory=dict)
    hired: int = 0

    @classmethod
    def start(cls, environ: dict[str, str], folder: Path, seconds: float) -> "Crew":
        """Start the process that the workers come from; each takes so long for half a task."""
        command = [sys.executable, "-m", "tests.journeys.task_crew", AGENT, str(seconds)]
        pipe = subprocess.PIPE
        with (folder / "crew.log").open("wb") as err:
            process = subprocess.Popen(
                command, env=environ, stdin=pipe, stdout=pipe, stderr=err, text=True
            )
        return cls(process)

    def hire(self) -> None:
        """Start a worker."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.hired += 1
        name = f"{AGENT}-{self.hired}"
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        while not line.strip().isdigit():  # words of another worker
            line = self.process.stdout.readline()
        self.alive[name] = int(line)

    def kill(self, name: str) -> None:
        """Kill a worker on the spot."""
        os.kill(self.alive.pop(name), signal.SIGKILL)

    def stop(self) -> None:
        """Kill them all."""
        for name in list(self.alive):
            with contextlib.suppress(ProcessLookupError):
                self.kill(name)
        self.process.communicate(timeout=30)


@dataclass
class Whole:
    """A bot with its HTTP server and timers, and workers of one agent."""

    workspace: Workspace
    folder: Path
    database: str
    url: str
    environ: dict[str, str]
    bot: Process
    store: Store
    workers: list[Process] = field(default_factory=list)

    def is_ready(self) -> bool:
        """Tell whether the bot said so; it is there until it is killed."""
        assert self.bot.running is not None
        assert self.bot.running.poll() is None, f"the bot ended: {self.bot.said()}"
        return "HTTP API" in self.bot.said()

    def wait_ready(self) -> None:
        """Wait for the bot to say so."""
        Workspace.wait_for(self.is_ready, timeout=30, every=0.05)

    def hire(self, how: str, route: str, seconds: float = 0.0) -> Process:
        """Start a worker that works so, on the tasks of a route."""
        name = f"{AGENT}-{len(self.workers) + 1}"
        command = [sys.executable, "-m", "tests.journeys.task_worker", AGENT, name, how]
        worker = Process([*command, str(seconds), route], self.environ, self.folder, name)
        worker.start()
        self.workers.append(worker)
        return worker

    def tasks(self, states: frozenset[TaskState] | None = None) -> list[Task]:
        """List tasks, those in some states or all."""
        return self.store.read(list_tasks, TaskFilter(states=states, limit=_EVERYTHING))

    def stop(self) -> None:
        """End all that runs."""
        for worker in self.workers:
            if worker.running is not None:
                worker.kill()
        self.bot.stop()


@contextlib.contextmanager
def whole_bot(
    workspace: Workspace, folder: Path, database: str = "", routes: str = ROUTES
) -> Iterator[Whole]:
    """Start the bot with a token for its workers, and end everything afterwards."""
    folder.mkdir()
    home, port = folder / "home", _free_port()
    url = database or sqlite_url(home)
    (folder / "faultbook.toml").write_text(f'home = "{home}"\n{routes}', "utf-8")
    store = open_store(url)
    environ = {
        **{k: v for k, v in os.environ.items() if "SLACK" not in k and "FAULTBOOK" not in k},
        **workspace.environment,
        "PYTHONPATH": f"{Path.cwd() / 'src'}:{Path.cwd()}",
        "FAULTBOOK_DATABASE_URL": url,
    }
    command = [sys.executable, "-m", "tests.journeys.up_launcher", "--port", str(port)]
    bot = Process(command, environ, folder, "bot")
    address = f"http://127.0.0.1:{port}"
    of_workers = environ | {"FAULTBOOK_URL": address, "FAULTBOOK_TOKEN": _make_token(store)}
    whole = Whole(workspace, folder, url, address, of_workers, bot, store)
    try:
        bot.start()
        whole.wait_ready()
        yield whole
    finally:
        whole.stop()
        store.close()


def _make_token(store: Store) -> str:
    secret = new_secret()
    scopes = frozenset({Scope.TASKS_WORK.value})
    token = Token("tok-chaos", AGENT, "Ana Ruiz", scopes, frozenset(), system_clock())
    store.write(create_token, token, digest(secret))
    return secret


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
