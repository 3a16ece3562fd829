"""Workers and reporters of the real server, on real sockets."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faultbook.client import Client
from faultbook.model.approval_policy import ExecutorPlan
from faultbook.model.route import RetryPolicy, Route, Routes
from faultbook.model.token import Scope
from tests.approving import policies, policy
from tests.client.proxies import DeafProxy
from tests.conftest import FrozenClock
from tests.intake.wrapper.servers import Server

ROUTES = Routes((Route("jobs", "nightly-job", agent="cron", retry=RetryPolicy(attempts=2)),))
SCOPES = (
    Scope.RUNS_WRITE,
    Scope.TASKS_WORK,
    Scope.TASKS_WRITE,
    Scope.TASKS_READ,
    Scope.APPROVALS_REQUEST,
)
POLICIES = policies(policy(), policy("publish", ExecutorPlan(("true",))))


@pytest.fixture
def server(tmp_path: Path, clock: FrozenClock) -> Iterator[Server]:
    """Start a server whose clock moves only when the test says so."""
    started = Server(tmp_path / "server", routes=ROUTES, clock=clock, policies=POLICIES)
    yield started
    started.stop()


@pytest.fixture
def clients(server: Server) -> Iterator[Callable[..., Client]]:
    """Make clients, of the server or of what stands at another address."""
    made: list[Client] = []

    def make(url: str = "", *scopes: Scope) -> Client:
        made.append(Client(url or server.url, server.token(*(scopes or SCOPES)), seconds=5))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(clients: Callable[..., Client]) -> Client:
    """Make a client that may do all."""
    return clients()


@pytest.fixture
def proxy(server: Server) -> Iterator[DeafProxy]:
    """Stand between client and server."""
    between = DeafProxy(server.port)
    yield between
    between.close()
