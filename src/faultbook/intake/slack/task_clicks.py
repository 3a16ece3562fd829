"""Buttons of cards and of what is said about tasks; whoever is in the channel may use them.

Who did it stands on the card. What can't be done is told to whoever pressed.
"""

from collections.abc import Awaitable, Callable

from faultbook.intake.slack.desk import Desk
from faultbook.intake.slack.origins import carrying
from faultbook.intake.slack.payloads import Click
from faultbook.intake.slack.task_giving import make_task, open_new_task
from faultbook.model.person import Person
from faultbook.model.task import Task
from faultbook.operations.task_people import find_in_hand, keep_task, once
from faultbook.operations.task_sight import read_sight
from faultbook.operations.tasks import (
    cancel_task,
    hand_back,
    not_a_task,
    parse_task_id,
    read_events,
    retry_task,
    take_in_hand,
)
from faultbook.store.transaction import Transaction
from faultbook.view.actions import (
    TASK_CANCEL,
    TASK_DETAILS,
    TASK_DONE,
    TASK_HAND_BACK,
    TASK_KEEP,
    TASK_MAKE,
    TASK_NEW,
    TASK_NOT_A_TASK,
    TASK_RETRY,
    TASK_TAKE,
)
from faultbook.view.slack_task_details import task_details_modal
from faultbook.view.slack_task_form import stays_message, task_done_form

Step = Callable[[Transaction, int, Person], Task]
"""One change of a task by a person."""


def _stepping(step: Step) -> Callable[[Desk, Click], Awaitable[None]]:
    """Make a handler of a step; its card shows what came of it."""

    async def handle(desk: Desk, click: Click) -> None:
        await _do(desk, click, step)

    return handle


async def _do(desk: Desk, click: Click, step: Step) -> Task | None:
    number = parse_task_id(click.value)
    by = await desk.people.person(click.user, click.user_name)
    return await desk.store.write_async(once, [click.key], step, number, by)


async def _take(desk: Desk, click: Click) -> None:
    policy, routes = desk.policy, desk.routes
    await _do(desk, click, lambda tx, number, by: take_in_hand(tx, number, by, policy, routes))


async def _keep(desk: Desk, click: Click) -> None:
    task = await _do(desk, click, keep_task)
    if task is not None:
        desk.whisper(click.response_url, stays_message(task), click.thread_ts)


async def _details(desk: Desk, click: Click) -> None:
    number = parse_task_id(click.value)
    sight = await desk.store.read_async(read_sight, number, desk.routes)
    events = await desk.store.read_async(read_events, number)
    view = carrying(task_details_modal(sight, events), click)
    if await desk.accept([click.key], None):
        desk.tasks.start("details", lambda: desk.show(click, view))


async def _done(desk: Desk, click: Click) -> None:
    number = parse_task_id(click.value)
    by = desk.people.known(click.user, click.user_name)
    task = await desk.store.read_async(find_in_hand, number, by)
    if await desk.accept([click.key], None):
        desk.tasks.start("done", lambda: desk.show(click, task_done_form(task)))


TASK_HANDLERS: dict[str, Callable[[Desk, Click], Awaitable[None]]] = {
    TASK_CANCEL: _stepping(cancel_task),
    TASK_DETAILS: _details,
    TASK_DONE: _done,
    TASK_HAND_BACK: _stepping(hand_back),
    TASK_KEEP: _keep,
    TASK_MAKE: make_task,
    TASK_NEW: open_new_task,
    TASK_NOT_A_TASK: _stepping(not_a_task),
    TASK_RETRY: _stepping(retry_task),
    TASK_TAKE: _take,
}
