"""Routes: who does which task, and how often it is tried."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from faultbook.base.clock import Instant, seconds
from faultbook.model.verdict import FailureClass

COMMAND_AGENT = "faultbook"
"""Who claims the tasks of command routes: the bot's own workers."""

_NEVER_RETRIED = frozenset({FailureClass.AUTH, FailureClass.MISCONFIG})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often an attempt that did not pass is followed by another.

    Attributes:
        attempts: how many at most, the first included.
        backoff_seconds: before the second; doubled before each further one.
        classes: the failure classes that are tried again; auth and misconfig never are.
        lapses: after how many quiet workers the task is lost.
    """

    attempts: int = 1
    backoff_seconds: float = 5.0
    classes: frozenset[FailureClass] = frozenset({FailureClass.TRANSIENT})
    lapses: int = 3

    def allows(self, failure: FailureClass | None, attempts: int) -> bool:
        """Tell whether another attempt follows so many."""
        retried = failure in self.classes and failure not in _NEVER_RETRIED
        return retried and attempts < self.attempts

    def wait(self, attempts: int) -> Instant:
        """Tell how long to wait after so many attempts."""
        return seconds(min(self.backoff_seconds * 2 ** max(attempts - 1, 0), 3600.0))


@dataclass(frozen=True, slots=True)
class Route:
    """Where tasks go that fit its conditions.

    Attributes:
        match: patterns of which the text has to fit one, `*` and `?` as in a shell, whatever the
            case; none means any text.
        channels: ids of the channels it holds in; none means everywhere.
        command: the program with its arguments; `{text}`, `{task}`, `{requester}` are filled in.
        agent: the agent whose workers claim its tasks.
        workflow: what its attempts are runs of.
        artifacts: files that a command's successful attempt writes anew; `{task}` is filled in.
        limit: how many of its tasks may run at once; None for any number.
        unclaimed_seconds: after how long an unclaimed task says that it still waits.
    """

    name: str
    workflow: str
    match: tuple[str, ...] = ()
    channels: frozenset[str] = frozenset()
    command: tuple[str, ...] = ()
    agent: str | None = None
    environment: str | None = None
    artifacts: tuple[str, ...] = ()
    timeout_seconds: float = 3600.0
    limit: int | None = None
    unclaimed_seconds: float = 300.0
    priority: int = 0
    retry: RetryPolicy = RetryPolicy()

    def promised(self, task: str) -> tuple[str, ...]:
        """Name the artifacts of one task, by its id."""
        return tuple(artifact.replace("{task}", task) for artifact in self.artifacts)

    def takes(self, text: str, channel: str) -> bool:
        """Tell whether a task of this text, given in this channel, goes here."""
        if self.channels and channel not in self.channels:
            return False
        folded = " ".join(text.casefold().split())
        return not self.match or any(fnmatchcase(folded, one.casefold()) for one in self.match)


@dataclass(frozen=True, slots=True)
class Routes:
    """All routes of a team, in their order.

    Attributes:
        open_queue: what holds for tasks that no route takes; people take those in hand.
    """

    all: tuple[Route, ...] = ()
    open_queue: Route = Route("", "task", timeout_seconds=30 * 86_400)

    def __iter__(self) -> Iterator[Route]:
        return iter(self.all)

    def choose(self, text: str, channel: str) -> Route | None:
        """Give the first route that takes a task."""
        return next((route for route in self.all if route.takes(text, channel)), None)

    def named(self, name: str | None) -> Route | None:
        """Give a route by its name."""
        return next((route for route in self.all if route.name == name), None)

    def of(self, name: str | None) -> Route:
        """Give the route of a task, or what holds for those without one."""
        return self.named(name) or self.open_queue
