"""What the journeys of tasks ask and look at."""

from faultbook.model.task import Task, TaskState
from faultbook.operations.tasks import find_task, list_tasks, read_events
from faultbook.store.tasks import TaskFilter
from tests.journeys.running import RunningBot
from tests.sandbox.driver import Json, Workspace

TEXT = "export the November invoices"
ASKED = f"@faultbook {TEXT}"


def all_tasks(bot: RunningBot) -> list[Task]:
    return bot.house.store.read(list_tasks, TaskFilter(states=None))


def the_task(workspace: Workspace, bot: RunningBot) -> Task:
    tasks: list[Task] = workspace.wait_for(lambda: all_tasks(bot))
    assert len(tasks) == 1
    return tasks[0]


def wait_state(workspace: Workspace, bot: RunningBot, number: int, state: TaskState) -> Task:
    def reached() -> Task | None:
        task = bot.house.store.read(find_task, number)
        return task if task.state is state else None

    found = workspace.wait_for(reached)
    assert found is not None
    return found


def kinds(bot: RunningBot, number: int) -> list[str]:
    return [event.kind for event in bot.house.store.read(read_events, number)]


def card_in(workspace: Workspace, channel: str, thread: str, said: str = "T-") -> Json:
    def shown() -> Json | None:
        found = workspace.from_bot(channel, thread=thread)
        return found[0] if found and said in found[0]["text"] else None

    found = workspace.wait_for(shown)
    assert found is not None
    return found


def reactions(workspace: Workspace, channel: str, ts: str) -> list[str]:
    found = next(one for one in workspace.messages(channel) if one["ts"] == ts)
    return [one["name"] for one in found.get("reactions", [])]


def private(workspace: Workspace, user: str, said: str) -> Json:
    def shown() -> Json | None:
        return next((one for one in workspace.ephemerals(user) if said in one["text"]), None)

    found = workspace.wait_for(shown)
    assert found is not None
    return found
