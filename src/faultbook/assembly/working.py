"""Where `faultbook task work` gets its tasks: a server where one is set, or the store."""

from collections.abc import Sequence
from pathlib import Path

from faultbook.base.errors import InvalidError
from faultbook.base.settings import Settings
from faultbook.intake.wrapper.work import WorkSource, worker_name
from faultbook.model.route import COMMAND_AGENT


def open_work(
    settings: Settings, agent: str, worker: str | None, routes: Sequence[str] | None
) -> WorkSource:
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

    house = open_house(settings)
    try:
        return StoreWork(house, agent, named, routes, house.close)
    except BaseException:
        house.close()
        raise


def lock_folder(settings: Settings) -> Path:
    """Tell where this host notes which tasks its commands do."""
    return settings.home.absolute() / "tasks"
