"""A bench for workers: a real store with routes, and both places tasks are claimed from."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from faultbook.assembly.house import House
from faultbook.base.clock import system_clock
from faultbook.base.errors import UnavailableError
from faultbook.base.settings import Settings
from faultbook.client.http import HttpClient
from faultbook.intake.http.app import build_app
from faultbook.intake.wrapper.task_job import TaskEnd, TaskJob
from faultbook.intake.wrapper.task_order import TaskOrder
from faultbook.intake.wrapper.tasks_from_server import ServerWork
from faultbook.intake.wrapper.tasks_from_store import StoreWork
from faultbook.intake.wrapper.work import ClaimedTask, WorkSource
from faultbook.model.person import Person
from faultbook.model.policy import Policy
from faultbook.model.route import RetryPolicy, Route, Routes
from faultbook.model.run import RunRecord
from faultbook.model.task import NewTask, Task, TaskSource
from faultbook.model.token import Scope
from faultbook.operations.recording import read_run
from faultbook.operations.tasks import cancel_task, find_task, take_task
from faultbook.operations.work import sweep_tasks
from faultbook.store.engine import Store
from tests.intake.http.conftest import make_token, serving
from tests.intake.wrapper.harness import until

AGENT = "invoice-bot"
ANA = Person("U1", "Ana")
ROUTES = Routes(
    (
        Route("quick", "quick", match=("quick*",), agent=AGENT, timeout_seconds=1),
        Route(
            "export",
            "export",
            match=("export*",),
            agent=AGENT,
            timeout_seconds=60,
            retry=RetryPolicy(attempts=2, backoff_seconds=0),
        ),
    )
)


def script(code: str, *arguments: str) -> tuple[str, ...]:
    return ("sh", "-c", code, "sh", *arguments)


@dataclass
class Bench:
    """Tasks are given to the store; a worker claims them from one of the two places."""

    store: Store
    source: WorkSource
    folder: Path
    routes: Routes = ROUTES
    policy: Policy = field(default_factory=Policy)

    def give(self, text: str = "export November") -> Task:
        new = NewTask(text, ANA, TaskSource.CLI)
        task = self.store.write(take_task, [f"test:{text}:{id(new)}"], new, self.routes)
        assert task is not None
        return task

    def claim(self) -> ClaimedTask:
        task = self.source.claim(5)
        assert task is not None
        return task

    def order(self, *command: str, artifacts: tuple[str, ...] = ()) -> TaskOrder:
        return TaskOrder(command, artifacts, self.folder, os.environ, self.folder.parent / "locks")

    def job(
        self, *command: str, artifacts: tuple[str, ...] = (), task: ClaimedTask | None = None
    ) -> TaskJob:
        order = self.order(*command, artifacts=artifacts)
        return TaskJob(task or self.claim(), self.source, order)

    def do(self, *command: str, artifacts: tuple[str, ...] = ()) -> TaskEnd:
        return self.job(*command, artifacts=artifacts).run()

    @contextmanager
    def doing(self, job: TaskJob) -> Iterator[list[TaskEnd]]:
        """Run a job in a thread; its end is in the list once this is left."""
        ends: list[TaskEnd] = []
        thread = threading.Thread(target=lambda: ends.append(job.run()))
        thread.start()
        try:
            yield ends
        finally:
            thread.join(30)
            assert ends, "the job did not end"

    def task(self, number: int = 1) -> Task:
        return self.store.read(find_task, number)

    def run(self, number: int = 1) -> RunRecord:
        return self.store.read(read_run, self.task(number).run_id or "")

    def cancel(self, number: int = 1) -> Task:
        return self.store.write(cancel_task, number, ANA)

    def sweep(self) -> int:
        return self.store.write(sweep_tasks, self.policy, self.routes)

    def path(self, name: str) -> Path:
        return self.folder / name

    def appears(self, name: str) -> str:
        """Wait for a file that a command writes whole, and read it."""
        until(lambda: self.path(name).exists() and self.path(name).read_text().endswith("\n"))
        return self.path(name).read_text()


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that ended and waits for its parent does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def store_source(store: Store, worker: str = "bot-1", agent: str = AGENT) -> StoreWork:
    house = House(Settings(), Policy(), store, system_clock, ROUTES)
    return StoreWork(house, agent, worker)


@contextmanager
def server_source(store: Store, worker: str = "bot-1") -> Iterator[ServerWork]:
    app = build_app(store, Policy(), Settings(), ROUTES)
    with serving(app) as url:
        client = HttpClient(url, make_token(store, Scope.TASKS_WORK, agent=AGENT))
        source = ServerWork(client, AGENT, worker, None, 25_000_000)
        yield source
        source.close()
        app.state.stop_waiting()


def hurried(source: WorkSource) -> WorkSource:
    """Let a source hear signs of life more often, so that tests need not wait for them."""
    source.heartbeat_seconds = 0.2  # type: ignore[misc] # a constant of its class elsewhere
    return source


def lose_the_first_close(source: WorkSource, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the answer to the first close get lost on its way; gives the closes that were asked."""
    told: Any = source._client if isinstance(source, ServerWork) else source
    verb = "tell_task" if isinstance(source, ServerWork) else "finish"
    real, asked = getattr(told, verb), list[str]()

    def ask(*given: Any) -> Any:  # noqa: ANN401 - passed on as it came
        answer = real(*given)
        if verb == "finish" or given[1] == "close":
            asked.append(str(given[0]))
            if len(asked) == 1:
                raise UnavailableError("It hangs.")
        return answer

    monkeypatch.setattr(told, verb, ask)
    return asked
