"""The HTTP door: agents report runs, work on tasks, ask for approvals and for what is failing."""

from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute

from faultbook.base.errors import UnavailableError
from faultbook.base.settings import Settings
from faultbook.intake.http.approvals import ApprovalDoor, ApprovalEndpoints
from faultbook.intake.http.artifacts import ArtifactEndpoints
from faultbook.intake.http.batch import BatchEndpoint
from faultbook.intake.http.callers import Callers
from faultbook.intake.http.claims import ClaimEndpoint
from faultbook.intake.http.deciding import DecidingEndpoints
from faultbook.intake.http.door import Door
from faultbook.intake.http.failing import FailingEndpoint
from faultbook.intake.http.health import Health
from faultbook.intake.http.openapi import BODIES, describe
from faultbook.intake.http.problems import install_problems
from faultbook.intake.http.recorder import Recorder
from faultbook.intake.http.runs import RunEndpoints
from faultbook.intake.http.tasks import TaskEndpoints
from faultbook.intake.http.waiting import Bell, Bells
from faultbook.model.approval_policy import (
    ApprovalPolicies,
    ApprovalPolicy,
    Membership,
    Memberships,
)
from faultbook.model.person import Person
from faultbook.model.policy import Policy
from faultbook.model.route import Routes
from faultbook.store import approvals, tasks
from faultbook.store.engine import Store

_NO_ROUTES, _NO_POLICIES = Routes(), ApprovalPolicies()

_Table = tuple[tuple[str, str, Callable[..., Any], type[APIRoute]], ...]


async def _no_slack(
    people: Collection[Person], policies: Collection[ApprovalPolicy]
) -> Mapping[str, Membership]:
    del people, policies
    raise UnavailableError(
        "Slack is not connected here, so nobody knows who may decide.",
        code="memberships_unavailable",
        next_step="Start `faultbook up` with Slack.",
    )


def build_app(
    store: Store,
    policy: Policy,
    settings: Settings,
    routes: Routes = _NO_ROUTES,
    policies: ApprovalPolicies = _NO_POLICIES,
    memberships: Memberships = _no_slack,
    *,
    has_slack: bool = False,
) -> FastAPI:
    """Build the app over an open store; whoever opened the store closes it.

    Whoever serves it calls `app.state.stop_waiting()` before it ends the server, so that nobody who
    waits for a task or a decision holds it up.

    Args:
        store: where runs are written.
        policy: what verdicts and answers depend on.
        settings: its `limits` bound what is accepted.
        routes: who does which task.
        policies: who decides about what.
        memberships: what Slack says of those who decide.
        has_slack: it is connected, so that people are told apart by their member ids.
    """
    app = FastAPI(
        title="Faultbook",
        summary="Record runs with their evidence; ask what is failing.",
        version="1",
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    door = Door(store, policy, settings.limits, Callers(store), routes)
    bells = Bells(Bell(store, tasks.TOPIC), Bell(store, approvals.TOPIC))
    app.state.stop_waiting = bells.close
    _add_routes(app, _routes(door, Health(store, policy), bells.queue))
    asking = ApprovalDoor(door, policies, memberships, bells.approvals, has_slack)
    _add_routes(app, _approval_routes(asking))
    install_problems(app)
    describe(app)
    return app


class _BareRoute(APIRoute):
    """A route whose endpoint takes the request as it is and answers whole.

    It has nothing to inject or to serialise, and the framework's part of that costs more than
    reading the request does.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give the endpoint itself."""
        endpoint: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return endpoint


def _routes(door: Door, health: Health, queue: Bell) -> _Table:
    runs, tasks = RunEndpoints(door, Recorder(door.store)), TaskEndpoints(door)
    # The literal addresses come first: `{run_id}` would take them.
    return (
        ("POST", "/v1/runs:record", runs.record, _BareRoute),
        ("POST", "/v1/runs:batch", BatchEndpoint(door).batch, _BareRoute),
        ("POST", "/v1/runs", runs.start, _BareRoute),
        ("POST", "/v1/runs/{run_id}/events", runs.event, _BareRoute),
        ("PUT", "/v1/runs/{run_id}/artifacts/{name:path}", ArtifactEndpoints(door).put, _BareRoute),
        ("POST", "/v1/runs/{run_id}/close", runs.close, _BareRoute),
        ("GET", "/v1/runs/{run_id}", runs.read, _BareRoute),
        ("POST", "/v1/tasks", tasks.add, _BareRoute),
        ("GET", "/v1/tasks", tasks.list_some, _BareRoute),
        ("POST", "/v1/tasks:claim", ClaimEndpoint(door, queue).claim, _BareRoute),
        ("GET", "/v1/tasks/{task_id}", tasks.read, _BareRoute),
        ("POST", "/v1/tasks/{task_id}/cancel", tasks.cancel, _BareRoute),
        ("POST", "/v1/tasks/{task_id}/retry", tasks.retry, _BareRoute),
        ("POST", "/v1/tasks/{task_id}/heartbeat", tasks.heartbeat, _BareRoute),
        ("POST", "/v1/tasks/{task_id}/progress", tasks.progress, _BareRoute),
        ("POST", "/v1/tasks/{task_id}/release", tasks.release, _BareRoute),
        ("POST", "/v1/tasks/{task_id}/close", tasks.close, _BareRoute),
        ("GET", "/v1/failing", FailingEndpoint(door).ask, APIRoute),
        ("GET", "/healthz", health.answer, _BareRoute),
    )


def _approval_routes(door: ApprovalDoor) -> _Table:
    agents, people = ApprovalEndpoints(door), DecidingEndpoints(door)
    one = "/v1/approvals/{approval_id}"
    return (
        ("POST", "/v1/approvals", agents.ask, _BareRoute),
        ("GET", "/v1/approvals", agents.list_some, _BareRoute),
        ("GET", one, agents.read, _BareRoute),
        ("POST", f"{one}/execute", agents.execute, _BareRoute),
        ("POST", f"{one}/executed", agents.executed, _BareRoute),
        ("POST", f"{one}/failed", agents.failed, _BareRoute),
        ("POST", f"{one}/cancel", agents.cancel, _BareRoute),
        ("POST", f"{one}/approve", people.approve, _BareRoute),
        ("POST", f"{one}/deny", people.deny, _BareRoute),
        ("POST", f"{one}/break-glass", people.break_glass, _BareRoute),
        ("POST", f"{one}/review", people.review, _BareRoute),
        ("POST", f"{one}/outcome", people.outcome, _BareRoute),
    )


def _add_routes(app: FastAPI, table: _Table) -> None:
    for method, path, endpoint, route in table:
        app.router.add_api_route(
            path,
            endpoint,
            methods=[method],
            response_model=None,
            openapi_extra=BODIES[method, path.replace(":path}", "}")],
            route_class_override=route,
        )
