"""Tasks by agents with tokens: held to the token's workflows, and to what a close must say."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from faultbook.base.errors import ForbiddenError, InvalidError
from faultbook.base.ids import new_id
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line
from faultbook.model.document_runs import check_outcome_said
from faultbook.model.person import Person
from faultbook.model.policy import Policy
from faultbook.model.route import Route, Routes
from faultbook.model.run import RunEnd, RunRecord, RunState
from faultbook.model.task import NewTask, QueuePlace, Task, TaskEvent, TaskState
from faultbook.model.token import Token
from faultbook.operations import tasks, work
from faultbook.operations.recording import read_run
from faultbook.operations.reporting import check_workflow
from faultbook.operations.work import ClosedAttempt
from faultbook.store import runs
from faultbook.store.tasks import TaskFilter
from faultbook.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class TaskReport:
    """A task with all that is told of it.

    Attributes:
        run: of its latest attempt.
        place: while it is queued.
    """

    task: Task
    events: Sequence[TaskEvent] = ()
    run: RunRecord | None = None
    place: QueuePlace | None = None


def add_task(tx: Transaction, token: Token, new: NewTask, routes: Routes) -> TaskReport:
    """Take a task from the API.

    Raises:
        InvalidError: it is empty or too long, or names a route that is not there.
        ForbiddenError: its route is of a workflow the token is not bound to.
    """
    task = tasks.take_task(tx, [f"api:{new_id()}"], new, routes)
    assert task is not None  # noqa: S101 - its key is new, and it comes from no message
    _check_task(token, task, routes)
    return _placed(tx, task)


def list_tasks(
    tx: Transaction, token: Token, wanted: TaskFilter, routes: Routes
) -> list[TaskReport]:
    """List the tasks that a token may see.

    Raises:
        InvalidError: the route is none, and no task is of it.
        ForbiddenError: the route is of a workflow the token is not bound to.
    """
    if wanted.route is not None and routes.named(wanted.route) is not None:
        check_workflow(token, routes.of(wanted.route).workflow)
    if token.workflows:
        visible = [*routes, routes.open_queue]
        names = frozenset(each.name for each in visible if token.allows_workflow(each.workflow))
        wanted = replace(wanted, routes=names)
    found = tasks.list_tasks(tx, wanted)
    if not found and wanted.route is not None:
        named(routes, wanted.route)
    return [_placed(tx, task) for task in found]


def read_task(tx: Transaction, token: Token, number: int, routes: Routes) -> TaskReport:
    """Read a task with its timeline and its latest run.

    Raises:
        NotFoundError: there is none of that number.
        ForbiddenError: its route is of a workflow the token is not bound to.
    """
    task = tasks.find_task(tx, number)
    _check_task(token, task, routes)
    run = read_run(tx, task.run_id) if task.run_id else None
    return replace(_placed(tx, task), events=tasks.read_events(tx, number), run=run)


def cancel_task(tx: Transaction, token: Token, number: int, routes: Routes) -> TaskReport:
    """Cancel an open task, as `tasks.cancel_task` does.

    Raises:
        NotFoundError: there is none of that number.
        ForbiddenError: its route is of a workflow the token is not bound to.
        ConflictError: it has ended.
    """
    _check_task(token, tasks.find_task(tx, number), routes)
    return _placed(tx, tasks.cancel_task(tx, number, Person("", token.agent)))


def retry_task(tx: Transaction, token: Token, number: int, routes: Routes) -> TaskReport:
    """Queue an ended task again, as `tasks.retry_task` does.

    Raises:
        NotFoundError: there is none of that number.
        ForbiddenError: its route is of a workflow the token is not bound to.
        ConflictError: it is done, or has not ended.
    """
    _check_task(token, tasks.find_task(tx, number), routes)
    return _placed(tx, tasks.retry_task(tx, number, Person("", token.agent)))


def close_attempt(
    tx: Transaction,
    token: Token,
    number: int,
    lease_id: str,
    end: RunEnd,
    policy: Policy,
    routes: Routes,
    digest: str,
) -> ClosedAttempt:
    """Close the attempt of the token's agent, as `work.close_attempt` does.

    Raises:
        NotFoundError: there is no such task.
        ForbiddenError: it is another agent's, or its run of a workflow the token is not bound to.
        ConflictError: the lease is no longer held; the result is not used.
        InvalidError: neither this nor an earlier report says how the attempt ended.
    """
    task = tasks.find_task(tx, number)
    held = task.lease is not None and (task.lease.id, task.lease.agent) == (lease_id, token.agent)
    run = runs.find_run(tx, task.run_id) if held and task.run_id else None
    if run is not None:
        check_workflow(token, run.start.series.workflow)
    if run is not None and run.state is not RunState.CLOSED:
        told = (*run.artifacts, *end.outcome.artifacts)
        tests = end.outcome.tests or run.tests
        check_outcome_said(replace(end.outcome, tests=tests, artifacts=told))
    return work.close_attempt(tx, number, lease_id, token.agent, end, policy, routes, digest)


def claimable_routes(token: Token, wanted: Sequence[str] | None, routes: Routes) -> frozenset[str]:
    """Name the routes whose tasks a token may claim: its agent's, of workflows it is bound to.

    Raises:
        InvalidError: a route is not there, or the agent has none.
        ForbiddenError: a route is another agent's, or of a workflow the token is not bound to.
    """
    if wanted is not None:
        return frozenset(_claimable(token, named(routes, name)).name for name in wanted)
    own = [route for route in routes if route.agent == token.agent]
    if not own:
        raise InvalidError(
            f"No route gives tasks to the agent {token.agent}.",
            code="no_route",
            next_step=f'Add one to faultbook.toml: [[routes]] with agent = "{token.agent}".',
            where="agent",
        )
    allowed = [route.name for route in own if token.allows_workflow(route.workflow)]
    if not allowed:
        check_workflow(token, own[0].workflow)
    return frozenset(allowed)


def named(routes: Routes, name: str) -> Route:
    """Give a route by its name.

    Raises:
        InvalidError: there is none; names the nearest.
    """
    found = routes.named(name)
    if found is not None:
        return found
    near = difflib.get_close_matches(name, [route.name for route in routes], n=1, cutoff=0)
    raise InvalidError(
        f"There is no route `{cut(one_line(redact(name)), 60)}`.",
        code="unknown_route",
        next_step=f"Nearest: `{near[0]}`." if near else "Add it under [[routes]].",
        where="route",
    )


def _claimable(token: Token, route: Route) -> Route:
    if route.agent != token.agent:
        raise ForbiddenError(
            f"The route `{route.name}` is not one of {token.agent}.",
            code="agent_mismatch",
            next_step="Use the token of the agent that the route names.",
            where="routes",
        )
    check_workflow(token, route.workflow)
    return route


def _check_task(token: Token, task: Task, routes: Routes) -> None:
    check_workflow(token, routes.of(task.route).workflow)


def _placed(tx: Transaction, task: Task) -> TaskReport:
    queued = task.state is TaskState.QUEUED
    return TaskReport(task, place=tasks.queue_place(tx, task) if queued else None)
