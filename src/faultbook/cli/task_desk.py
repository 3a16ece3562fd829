"""Where `faultbook task` gives and finds tasks: the local store, or the server of FAULTBOOK_URL."""

import getpass
import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from faultbook.base.settings import Settings
from faultbook.cli.asking import opened

if TYPE_CHECKING:
    from faultbook.assembly.house import House
    from faultbook.client.http import HttpClient
    from faultbook.model.token import Token

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Given:
    """A task as it was given on the command line; what was not said is empty.

    Attributes:
        links: names and addresses.
    """

    text: str
    route: str | None = None
    priority: int = 0
    links: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tasks to list."""

    state: str = "open"
    route: str | None = None
    limit: int = 50


class TaskDesk(Protocol):
    """Takes tasks and shows them, as the public documents do.

    Raises:
        FaultbookError: the place can't be had, or refuses.
    """

    def add(self, given: Given) -> Document:
        """Give a task."""
        ...

    def list_some(self, wanted: Wanted) -> list[Document]:
        """List tasks."""
        ...

    def read(self, task: str) -> Document:
        """Show one with its timeline."""
        ...

    def cancel(self, task: str) -> Document:
        """Cancel an open one."""
        ...

    def retry(self, task: str) -> Document:
        """Queue an ended one again."""
        ...


@contextmanager
def open_desk(settings: Settings) -> Iterator[TaskDesk]:
    """Open the place that the settings name."""
    if settings.url is None:
        with opened(settings) as house:
            yield _Local(house)
        return
    client = open_client(settings)
    try:
        yield _Remote(client)
    finally:
        client.close()


def open_client(settings: Settings) -> "HttpClient":
    """Open the server that FAULTBOOK_URL names."""
    from faultbook.client.http import HttpClient  # noqa: PLC0415 - only a remote answer pays for it

    token = settings.token.get_secret_value() if settings.token else None
    return HttpClient(settings.url or "", token)


def who() -> str:
    """Name the user who asks."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user has no name
        return f"user {os.getuid()}"


@dataclass(frozen=True, slots=True)
class _Local:
    house: "House"
    user: str = field(default_factory=who)

    def add(self, given: Given) -> Document:
        from faultbook.model.person import Person  # noqa: PLC0415 - see `opened`
        from faultbook.model.task import NewTask, TaskLink, TaskSource  # noqa: PLC0415 - the same
        from faultbook.operations import task_reporting  # noqa: PLC0415 - the same
        from faultbook.view.task_documents import task_document  # noqa: PLC0415 - the same

        new = NewTask(
            text=given.text,
            requester=Person("", self.user),
            source=TaskSource.CLI,
            links=tuple(TaskLink(name, url) for name, url in given.links),
            route=given.route,
            priority=given.priority,
        )
        added = self.house.store.write(
            task_reporting.add_task, self._token(), new, self.house.routes
        )
        return task_document(added.task, added.place)

    def list_some(self, wanted: Wanted) -> list[Document]:
        from faultbook.model.task import OPEN, TaskState  # noqa: PLC0415 - see `opened`
        from faultbook.operations import task_reporting  # noqa: PLC0415 - the same
        from faultbook.store.tasks import TaskFilter  # noqa: PLC0415 - the same
        from faultbook.view.task_documents import task_document  # noqa: PLC0415 - the same

        states = {"open": OPEN, "all": None}.get(wanted.state, frozenset())
        if wanted.state not in {"open", "all"}:
            states = frozenset({TaskState(wanted.state)})
        asked = TaskFilter(states=states, route=wanted.route, limit=wanted.limit)
        found = self.house.store.read(
            task_reporting.list_tasks, self._token(), asked, self.house.routes
        )
        return [task_document(each.task, each.place) for each in found]

    def read(self, task: str) -> Document:
        from faultbook.operations import task_reporting  # noqa: PLC0415 - see `opened`
        from faultbook.view.task_documents import whole_task_document  # noqa: PLC0415 - the same

        found = self.house.store.read(
            task_reporting.read_task, self._token(), _number(task), self.house.routes
        )
        return whole_task_document(found.task, found.events, found.run, found.place)

    def cancel(self, task: str) -> Document:
        return self._change(task, "cancel_task")

    def retry(self, task: str) -> Document:
        return self._change(task, "retry_task")

    def _change(self, task: str, verb: str) -> Document:
        from faultbook.operations import task_reporting  # noqa: PLC0415 - see `opened`
        from faultbook.view.task_documents import task_document  # noqa: PLC0415 - the same

        change = getattr(task_reporting, verb)
        done = self.house.store.write(change, self._token(), _number(task), self.house.routes)
        return task_document(done.task, done.place)

    def _token(self) -> "Token":
        """Stand for the user, who may do all that the store's owner may."""
        from faultbook.model.token import COMMAND_LINE, Scope, Token  # noqa: PLC0415 - see `opened`

        return Token(COMMAND_LINE, self.user, self.user, frozenset(Scope), frozenset(), 0)


def _number(task: str) -> int:
    from faultbook.operations.tasks import parse_task_id  # noqa: PLC0415 - see `opened`

    return parse_task_id(task)


@dataclass(frozen=True, slots=True)
class _Remote:
    client: "HttpClient"
    user: str = field(default_factory=who)

    def add(self, given: Given) -> Document:
        document: Document = {
            "text": given.text,
            "requester": self.user,
            "priority": given.priority,
            "links": [{"name": name, "url": url} for name, url in given.links],
        }
        if given.route is not None:
            document["route"] = given.route
        return self.client.add_task(_write(document), secrets.token_hex(16))

    def list_some(self, wanted: Wanted) -> list[Document]:
        asked = {"state": wanted.state, "limit": str(wanted.limit)}
        if wanted.route is not None:
            asked["route"] = wanted.route
        return list(self.client.read_document("/v1/tasks", asked).get("tasks") or ())

    def read(self, task: str) -> Document:
        return self.client.read_document(f"/v1/tasks/{quote(task, safe='')}")

    def cancel(self, task: str) -> Document:
        return self.client.tell_task(task, "cancel", key=secrets.token_hex(16))

    def retry(self, task: str) -> Document:
        return self.client.tell_task(task, "retry", key=secrets.token_hex(16))


def _write(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode()
