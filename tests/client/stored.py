"""Tasks of the clients' server: given, and looked at in its store."""

import os

from faultbook.model.person import Person
from faultbook.model.policy import Policy
from faultbook.model.run import RunRecord
from faultbook.model.task import NewTask, Task, TaskSource
from faultbook.operations.recording import read_run
from faultbook.operations.tasks import find_task, take_task
from faultbook.operations.work import sweep_tasks
from tests.client.conftest import ROUTES
from tests.intake.wrapper.servers import Server


def give(server: Server, text: str = "export the invoices") -> int:
    new = NewTask(text, Person("", "Ana"), TaskSource.CLI, route="jobs")
    task = server.store.write(take_task, [os.urandom(8).hex()], new, ROUTES)
    assert task is not None
    return task.number


def find(server: Server, number: int) -> Task:
    return server.store.read(find_task, number)


def run_of(server: Server, number: int) -> RunRecord:
    return server.store.read(read_run, find(server, number).run_id or "")


def sweep(server: Server) -> int:
    return server.store.write(sweep_tasks, Policy(), ROUTES)
