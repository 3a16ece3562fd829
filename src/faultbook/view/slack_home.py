"""App Home: the dashboard, painted from the store."""

from collections.abc import Sequence
from dataclasses import dataclass

from faultbook.base.clock import Instant
from faultbook.model.answer import FailingAnswer
from faultbook.model.approval_sight import ApprovalSight
from faultbook.model.draft import IncidentDraft
from faultbook.model.ledger_operation import LedgerQueue
from faultbook.model.lesson_found import FoundLesson
from faultbook.model.task import Task
from faultbook.view.actions import (
    ASK_HELP,
    DRAFT_WRITE,
    FAILING_BRANCHES,
    FAILING_DETAILS,
    FAILING_SHOW_ALL,
    INCIDENT_OPEN,
    TASK_NEW,
    write_query,
)
from faultbook.view.approval_lines import listed as approval_line
from faultbook.view.failing_lines import SIGNS, footer, headline, other_branches, shared
from faultbook.view.lines import (
    WORDS_LENGTH,
    Bold,
    Code,
    Line,
    Moment,
    Sign,
    Span,
    name,
    words,
)
from faultbook.view.message import Block
from faultbook.view.slack_approval import ASKED_BY_YOU
from faultbook.view.slack_approval import details_button as approval_details_button
from faultbook.view.slack_blocks import actions, button, context, header, section
from faultbook.view.slack_failing import A_GROUP, late_draft_line, undelivered_line
from faultbook.view.slack_ledger import git_queue_line
from faultbook.view.slack_lesson import rule_line
from faultbook.view.slack_modals import series_section
from faultbook.view.slack_task import details_button
from faultbook.view.task_lines import listed

_SHOWN = 10
_RULES_DUE = 5
LEARNED = 3
TASKS = 5
APPROVALS = 5
_RULE = 250


@dataclass(frozen=True, slots=True)
class LedgerPart:
    """What Home shows of the ledger.

    Attributes:
        due: the drafts whose rule this person owes, the soonest due first.
        learned: the newest lessons.
        queue: what waits for git.
    """

    due: Sequence[IncidentDraft]
    learned: Sequence[FoundLesson]
    queue: LedgerQueue


@dataclass(frozen=True, slots=True)
class TasksPart:
    """What Home shows of tasks.

    Attributes:
        mine: open ones of this person, as many as are shown.
        of_mine, of_all: how many are open, theirs and everyone's.
    """

    mine: Sequence[Task] = ()
    of_mine: int = 0
    of_all: int = 0


@dataclass(frozen=True, slots=True)
class ApprovalsPart:
    """What Home shows of approvals.

    Attributes:
        for_me: what waits for this person's decision.
        by_me: what waits that this person, or their task, asked for.
        is_known: Slack said what this person may decide.
    """

    for_me: Sequence[ApprovalSight]
    by_me: Sequence[ApprovalSight]
    is_known: bool = True


_NO_TASKS = TasksPart()


def home_view(
    answer: FailingAnswer,
    *,
    connection: str | None = None,
    tasks: TasksPart = _NO_TASKS,
    ledger: LedgerPart | None = None,
    approvals: ApprovalsPart | None = None,
) -> Block:
    """Paint App Home; `connection` says in words how the bot is connected.

    Each part of the dashboard is a header and its sections, put together here; without a ledger,
    or policies, their parts are left out.
    """
    top = [button("Open incident", INCIDENT_OPEN)] if ledger is not None else []
    top = [*top, button("New task", TASK_NEW), button("Help", ASK_HELP)]
    waiting = _waiting(approvals) if approvals is not None else []
    blocks = [*actions(top), *_whats_failing(answer), *waiting, *_my_tasks(tasks)]
    closing: list[Line] = [footer(answer)]
    if ledger is not None:
        blocks += [*_rules_due(ledger.due, answer.as_of), *_learned(ledger.learned)]
        git = git_queue_line(ledger.queue)
        closing += [git] if git else []
    if connection:
        closing.append([words(connection)])
    return {"type": "home", "blocks": [*blocks, context(closing)]}


def _waiting(part: ApprovalsPart) -> list[Block]:
    blocks = [header("Waiting for me")]
    if not part.is_known:
        blocks.append(context([["Slack didn't say what you may decide; this waits in all."]]))
    if not part.for_me:
        blocks.append(section([["Nothing waits for you."]]))
    blocks += [
        section([approval_line(one)], approval_details_button(one.approval))
        for one in part.for_me[:APPROVALS]
    ]
    if part.by_me:
        blocks.append(section([ASKED_BY_YOU]))
    blocks += [
        section([approval_line(one)], approval_details_button(one.approval))
        for one in part.by_me[:APPROVALS]
    ]
    left = max(0, len(part.for_me) - APPROVALS) + max(0, len(part.by_me) - APPROVALS)
    more: Line = [f"and {left} more: ", Code("/faultbook approvals")]
    return [*blocks, context([more])] if left else blocks


def _my_tasks(tasks: TasksPart) -> list[Block]:
    blocks = [header("My tasks")]
    blocks += [
        section([listed(task, WORDS_LENGTH)], details_button(task)) for task in tasks.mine[:TASKS]
    ]
    if not tasks.mine:
        blocks.append(section([["You have no open task."]]))
    more: list[Span] = (
        [f"and {tasks.of_mine - TASKS} more of yours"] if tasks.of_mine > TASKS else []
    )
    others = tasks.of_all - tasks.of_mine
    more += [f"{others} open from others: ", Code("/faultbook tasks")] if others else []
    if others and tasks.of_mine > TASKS:
        more.insert(1, ", ")
    return [*blocks, context([more])] if more else blocks


def _rules_due(due: Sequence[IncidentDraft], now: Instant) -> list[Block]:
    blocks = [header("Rules due")]
    if not due:
        return [*blocks, section([["No rule is due from you."]])]
    for draft in due[:_RULES_DUE]:
        title = draft.form.title or draft.form.what_failed
        late: Line = [Sign(SIGNS["late"]), Bold("Late"), " "] if draft.due_at <= now else []
        line: Line = [*late, Bold(name(title, WORDS_LENGTH)), ": rule due ", Moment(draft.due_at)]
        blocks.append(section([line], button("Write rule", DRAFT_WRITE, draft.id, about=title)))
    if len(due) > _RULES_DUE:
        blocks.append(context([[f"and {len(due) - _RULES_DUE} more"]]))
    return blocks


def _learned(learned: Sequence[FoundLesson]) -> list[Block]:
    told = [rule_line(one, _RULE) for one in learned[:LEARNED]]
    return [header("Learned"), section(told or [["No lesson is in the ledger yet."]])]


def _whats_failing(answer: FailingAnswer) -> list[Block]:
    opening = [line for line in (headline(answer), shared(answer)) if line]
    blocks = [header("What's failing"), section(opening)]
    blocks += [series_section(series, answer) for series in answer.series[:_SHOWN]]
    blocks += [
        section([late_draft_line(draft, WORDS_LENGTH)]) for draft in answer.late_drafts[:A_GROUP]
    ]
    lost = undelivered_line(answer)
    blocks += [section([lost])] if lost else []
    left = len(answer.series) - _SHOWN
    more: Line = [f"and {left} more"] if left > 0 else []
    small = [line for line in (more, other_branches(answer)) if line]
    if small:
        blocks.append(context(small))
    value = write_query(answer.query)
    offered = (
        (bool(answer.series), "Details", FAILING_DETAILS),
        (bool(answer.other_branches), "Show branches", FAILING_BRANCHES),
        (left > 0, "Show all", FAILING_SHOW_ALL),
    )
    buttons = [button(label, action, value) for holds, label, action in offered if holds]
    return [*blocks, *actions(buttons)]
