"""A task as the tests of faces show it: the example of the wording, in the states it comes to."""

from dataclasses import replace

from faultbook.base.clock import MINUTE, SECOND
from faultbook.model.evidence import Artifact, Check
from faultbook.model.person import Person
from faultbook.model.run import RunRecord
from faultbook.model.task import Task, TaskOrigin, TaskSource, TaskState
from faultbook.model.task_sight import TaskSight
from faultbook.model.verdict import Reason, Verdict
from tests.view.answers import november
from tests.view.runs import EXAMPLE

GIVEN = november(18, 9, 14)
NOW = GIVEN + 6 * MINUTE
TASK = Task(
    number=41,
    text="export November",
    requester=Person("UANA", "Ana"),
    source=TaskSource.MENTION,
    origin=TaskOrigin("T1", "C1", "1795000000.000100", "1795000000.000100"),
    links=(),
    state=TaskState.QUEUED,
    route="invoices",
    priority=0,
    received_at=GIVEN,
    not_before=GIVEN,
)
RUN: RunRecord = replace(
    EXAMPLE.run, artifacts=(Artifact("report.pdf", Check.VERIFIED, size=9, sha256="ab" * 32),)
)
TRIED = replace(
    TASK,
    attempts=1,
    worker="invoice-bot-2",
    started_at=GIVEN,
    heard_at=GIVEN + 5 * MINUTE,
    run_id=RUN.run_id,
)


def sight(task: Task, before: int = 0, run: RunRecord | None = RUN) -> TaskSight:
    place = before if task.state is TaskState.QUEUED else None
    return TaskSight(
        task, place, run if task.attempts else None, "invoice-bot" if task.route else "", 2
    )


def ended(state: TaskState, **facts: object) -> Task:
    done: Task = replace(TRIED, state=state, ended_at=GIVEN + 130 * SECOND, **facts)  # type: ignore[arg-type]  # each test names a task's own fields
    return done


IN_HAND = replace(
    TRIED, state=TaskState.RUNNING, route=None, taken_by=Person("UBEN", "Ben"), worker="Ben"
)
UNPROVEN = ended(
    TaskState.FAILED, verdict=Verdict.INCONCLUSIVE, reason=Reason.MISSING_ARTIFACT_REF.value
)
FAILED = ended(
    TaskState.FAILED,
    verdict=Verdict.FAILED,
    reason="schema_mismatch",
    detail="total is missing",
    attempts=2,
)
LOST = ended(TaskState.LOST, lapses=3, verdict=Verdict.INCONCLUSIVE, reason="run_abandoned")
