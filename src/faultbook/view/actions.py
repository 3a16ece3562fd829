"""The names that buttons, modals and their handlers share."""

import json

from faultbook.base.errors import InvalidError
from faultbook.model.answer import FailingQuery

ASK_FAILING = "ask.failing"
ASK_HELP = "ask.help"
FAILING_DETAILS = "failing.details"
FAILING_BRANCHES = "failing.branches"
FAILING_SHOW_ALL = "failing.show_all"
FAILING_NEXT_PAGE = "failing.next_page"
FAILING_PREVIOUS_PAGE = "failing.previous_page"
"""Within the modal of all series; the value holds the question and the page."""
FAILING_POST_HERE = "failing.post_here"
TIMELINE_OPEN = "timeline.open"
"""The value is the run's id."""
MODAL_SHOWN = "modal.shown"
"""The callback of every modal that only shows something."""
INCIDENT_OPEN = "incident.open"
"""The value names the series, where it is about one."""
INCIDENT_FORM = "incident.form"
"""The callback of the modal that opens an incident."""
INCIDENT_OWNER = "incident.owner"
INCIDENT_SAVE_DRAFT = "incident.save_draft"
INCIDENT_CLOSE = "incident.close"
"""The value is the id of the operation that opened it."""
INCIDENT_CLOSE_FORM = "incident.close_form"
DRAFT_WRITE = "draft.write"
"""The value is the draft's id."""
DRAFT_HAND_OVER = "draft.hand_over"
"""A menu of people, which has no value: the block's id names the draft."""
LEDGER_APPLY = "ledger.apply_mine"
LEDGER_DROP = "ledger.drop_mine"
"""The value of both is the operation's id."""
LESSON_YES = "lesson.yes"
"""With its place after it, since a block's action ids differ; the value is a suggestion's."""
LESSON_NO = "lesson.no"
LESSON_NEW = "lesson.new"
LESSON_EDIT = "lesson.edit"
"""The value is the lesson's number."""
LESSON_EDIT_FORM = "lesson.edit_form"
TASK_CANCEL = "task.cancel"
"""The value of this and of the following is the task's number."""
TASK_DETAILS = "task.details"
TASK_RETRY = "task.retry"
TASK_NOT_A_TASK = "task.not_a_task"
TASK_TAKE = "task.take"
TASK_DONE = "task.done"
TASK_HAND_BACK = "task.hand_back"
TASK_KEEP = "task.keep"
"""The message is gone, and the task shall stay."""
TASK_MAKE = "task.make"
"""An unclear message becomes a task; the value is the message's ts."""
TASK_NEW = "task.new"
TASK_NEW_FORM = "task.new_form"
TASK_DONE_FORM = "task.done_form"
APPROVAL_APPROVE = "approval.approve"
"""The value of this and of `deny` is the approval's number and the digits of its digest."""
APPROVAL_DENY = "approval.deny"
APPROVAL_DETAILS = "approval.details"
"""The value of this and of the following is the approval's number, and of a page the page."""
APPROVAL_OPEN = "approval.open"
"""The details of another approval than the one a message is about."""
APPROVAL_PAGE = "approval.page"
"""With its place after it, as the next and the previous page stand in one row."""
APPROVAL_RECORD = "approval.record"
APPROVAL_REVIEW = "approval.review"
APPROVAL_VOTE_FORM = "approval.vote_form"
APPROVAL_RECORD_FORM = "approval.record_form"
APPROVAL_REVIEW_FORM = "approval.review_form"
LINK = "link"
"""Link buttons click too; they are acknowledged and nothing else."""

_FIELDS = ("environment", "workflow", "branch", "place", "since", "all_branches")


def write_query(query: FailingQuery, page: int = 0) -> str:
    """Put a question into a button's value, so that the button can ask it again."""
    values = {name: getattr(query, name) for name in _FIELDS if getattr(query, name)}
    values |= {"page": page} if page else {}
    # Letters as they are: escaped, long names would not fit the 2000 characters of a value.
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False)


def read_query(value: str) -> tuple[FailingQuery, int]:
    """Take a question and a page number back from a button's value.

    Raises:
        InvalidError: the value is none of ours.
    """
    try:
        values = json.loads(value or "{}")
        page = values.pop("page", 0)
        query = FailingQuery(**values)
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidError("This button is from another version.", code="unknown_button") from error
    if not isinstance(page, int):
        raise InvalidError("This button is from another version.", code="unknown_button")
    return query, page
