"""The commands of routes: the bot's own workers, in threads beside the event loop."""

import asyncio
import os
import threading
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from faultbook.assembly.house import House
from faultbook.assembly.working import lock_folder
from faultbook.base.settings import EXECUTOR_SECRETS, SLACK_SECRETS, Settings
from faultbook.intake.wrapper.crew import Crew
from faultbook.intake.wrapper.task_order import TaskOrder
from faultbook.intake.wrapper.tasks_from_store import StoreWork
from faultbook.intake.wrapper.work import ClaimedTask, worker_name
from faultbook.model.route import COMMAND_AGENT

log = structlog.get_logger("commands")

_MOST = 16
"""How many commands run at once, over all routes."""

_GRACE_SECONDS, _KILL_AFTER_SECONDS = 5.0, 5.0
_RETRY_SECONDS = 5.0
_LOOK_SECONDS = 0.05
# Whose commands these are is the operator's, and Slack is ours alone. A `faultbook` among them
# reports to this very store.
_NOT_PASSED = (
    EXECUTOR_SECRETS,
    *SLACK_SECRETS,
    *("FAULTBOOK_TOKEN", "FAULTBOOK_WEBHOOK_SECRET", "FAULTBOOK_URL"),
)


def start_commands(
    house: House, stack: AsyncExitStack, folders: Mapping[str, Path] | None = None
) -> None:
    """Start doing the tasks of command routes, if there are any; the stack stops it.

    Args:
        house: its routes name the commands.
        stack: stops it before anything that was started earlier.
        folders: where the commands of some routes run; the others run where the settings are.
    """
    if any(route.command for route in house.routes):
        workers = CommandWorkers(house, folders or {})
        workers.start()
        stack.push_async_callback(workers.stop)


class CommandWorkers:
    """Claims the tasks of command routes and runs their commands."""

    def __init__(self, house: House, folders: Mapping[str, Path]) -> None:
        self._routes = house.routes
        self._folder = settings_folder(house.settings)
        self._folders = folders
        self._environ = command_environ(os.environ, house.settings)
        self._locks = lock_folder(house.settings)
        self._source = StoreWork(house, COMMAND_AGENT, worker_name(COMMAND_AGENT))
        self._crew = Crew(self._source, self._order, _say, most=_MOST)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True, name="commands")

    def start(self) -> None:
        """Begin to claim."""
        self._thread.start()

    async def stop(self) -> None:
        """Claim nothing more, let what runs end, or end it and give its tasks back."""
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._stopping.set()
        self._crew.close()
        until = time.monotonic() + _GRACE_SECONDS
        while self._crew.is_working and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
        self._crew.end(_KILL_AFTER_SECONDS)
        self._thread.join()
        self._source.close()

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                self._crew.run()
            except Exception:  # whatever it is, the tasks still wait
                log.exception("commands_failed")
                self._stopping.wait(_RETRY_SECONDS)

    def _order(self, task: ClaimedTask) -> TaskOrder:
        route = self._routes.of(task.route)
        folder = self._folders.get(route.name, self._folder)
        return TaskOrder(route.command, route.artifacts, folder, self._environ, self._locks)


def settings_folder(settings: Settings) -> Path:
    """Tell where commands of the settings run: the folder of `faultbook.toml`."""
    return settings.config_path.parent if settings.config_path else Path.cwd()


def command_environ(environ: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Give the environment of a command: ours, but for the secrets that are no business of it."""
    kept = {name: value for name, value in environ.items() if not name.startswith(_NOT_PASSED)}
    return kept | {"FAULTBOOK_HOME": str(settings.home.absolute())}


def _say(words: str) -> None:
    log.info("command", words=words)
