"""Home: painted when it is opened, and again after what was decided from it."""

from faultbook.intake.slack.approval_asking import read_home_part
from faultbook.intake.slack.desk import Desk
from faultbook.intake.slack.origins import began_on_home
from faultbook.intake.slack.payloads import Click, Submission
from faultbook.model.answer import FailingQuery
from faultbook.operations.drafts import list_due_from
from faultbook.operations.ledger import read_queue
from faultbook.operations.lessons import newest_lessons
from faultbook.operations.task_people import read_open
from faultbook.view.actions import (
    APPROVAL_APPROVE,
    APPROVAL_RECORD_FORM,
    APPROVAL_REVIEW_FORM,
    APPROVAL_VOTE_FORM,
)
from faultbook.view.slack_home import LEARNED, TASKS, LedgerPart, TasksPart, home_view

_DECIDING = frozenset({APPROVAL_VOTE_FORM, APPROVAL_RECORD_FORM, APPROVAL_REVIEW_FORM})


async def publish_home(desk: Desk, user: str, direct: str = "") -> None:
    """Paint a person's Home from the store; `direct` is their conversation with the bot."""
    answer = await desk.ask(FailingQuery())
    ledger = await desk.store.in_thread(_ledger_part, desk, user)
    tasks = TasksPart(*await desk.store.read_async(read_open, user, TASKS))
    approvals = await read_home_part(desk, user)
    view = home_view(
        answer, connection=desk.connection(), tasks=tasks, ledger=ledger, approvals=approvals
    )
    # What is opened from Home knows by this where the person can be answered.
    await desk.client.views_publish(user_id=user, view=view | {"private_metadata": direct})


def _ledger_part(desk: Desk, user: str) -> LedgerPart | None:
    if desk.ledger is None:
        return None
    store = desk.store
    return LedgerPart(
        due=store.read(list_due_from, user),
        learned=newest_lessons(store, desk.ledger.snapshot(), LEARNED),
        queue=store.read(read_queue),
    )


def repaint_after_click(desk: Desk, click: Click) -> None:
    """Paint Home again for who approved in a window that was opened on it."""
    if click.action_id == APPROVAL_APPROVE and click.view_id and began_on_home(click.metadata):
        _repaint(desk, click.user)


def repaint_after_submission(desk: Desk, submission: Submission) -> None:
    """Paint Home again for who decided, or recorded, in a form that was opened on it."""
    if submission.callback_id in _DECIDING and began_on_home(submission.metadata):
        _repaint(desk, submission.user)


def _repaint(desk: Desk, user: str) -> None:
    desk.tasks.start("home", lambda: publish_home(desk, user))
