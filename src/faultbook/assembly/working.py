"""What `faultbook task work` works with: tasks of a server where one is set, or of the store."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from faultbook.base.errors import InvalidError
from faultbook.base.settings import TASK_ID, TASK_LEASE, TASK_PROGRESS, Settings
from faultbook.model.route import COMMAND_AGENT

if TYPE_CHECKING:
    from faultbook.intake.wrapper.task_order import TaskOrder
    from faultbook.intake.wrapper.work import WorkSource


@dataclass(frozen=True, slots=True)
class TaskAround:
    """The task within whose command we are; empty where nothing says so.

    Attributes:
        progress: the file that its worker looks at.
    """

    id: str
    lease: str
    progress: str


def task_around() -> TaskAround:
    """Read what a worker told the command that it runs."""
    told = (os.environ.get(name, "") for name in (TASK_ID, TASK_LEASE, TASK_PROGRESS))
    return TaskAround(*told)


def order_here(
    settings: Settings, command: tuple[str, ...], artifacts: tuple[str, ...]
) -> "TaskOrder":
    """Order a command to be run in this folder, with our own environment and output."""
    from faultbook.intake.wrapper.task_order import TaskOrder  # noqa: PLC0415 - of a worker alone

    locks = lock_folder(settings)
    return TaskOrder(command, artifacts, Path.cwd(), os.environ, locks, passed_on=True)


def open_work(
    settings: Settings, agent: str, worker: str | None, routes: Sequence[str] | None
) -> "WorkSource":
    """Open the source of an agent's tasks.

    Raises:
        InvalidError: the agent has no such route, or FAULTBOOK_URL is no address.
        UnavailableError: the database can't be reached.
    """
    if agent == COMMAND_AGENT:
        raise InvalidError(
            f"`{agent}` stands for the commands of routes, which `faultbook up` runs itself.",
            code="reserved_agent",
            next_step="Name the agent of a route: --agent invoice-bot.",
            where="--agent",
        )
    from faultbook.intake.wrapper.work import worker_name  # noqa: PLC0415 - of a worker alone

    named = worker or worker_name(agent)
    if settings.url is not None:
        # Each is imported where it is used: the other costs as much again.
        from faultbook.client.http import HttpClient  # noqa: PLC0415
        from faultbook.intake.wrapper.tasks_from_server import ServerWork  # noqa: PLC0415

        token = settings.token.get_secret_value() if settings.token else None
        client = HttpClient(settings.url, token)
        return ServerWork(client, agent, named, routes, settings.limits.artifact_bytes)
    from faultbook.assembly.house import open_house  # noqa: PLC0415
    from faultbook.intake.wrapper.tasks_from_store import StoreWork  # noqa: PLC0415

    with ExitStack() as opened:
        house = open_house(settings)
        opened.callback(house.close)
        work = StoreWork(house, agent, named, routes, house.close)
        opened.pop_all()
        return work


def lock_folder(settings: Settings) -> Path:
    """Tell where this host notes which tasks its commands do."""
    return settings.home.absolute() / "tasks"
