"""Which task a request belongs to, named or not: who gave that does not decide."""

import pytest

from faultbook.base.errors import InvalidError, NotFoundError
from faultbook.model.approval import Approval
from faultbook.model.policy import Policy
from faultbook.model.route import COMMAND_AGENT, Route, Routes
from faultbook.model.run import RunStart, SeriesKey
from faultbook.model.task import TaskState
from faultbook.model.token import COMMAND_LINE
from faultbook.operations.recording import open_run
from faultbook.operations.tasks import cancel_task, take_in_hand
from faultbook.store.engine import Store
from tests.approval_desk import CARA, ApprovalDesk
from tests.conftest import FrozenClock
from tests.task_desk import AGENT, ANA, BEN, ROUTES, TaskDesk

_COMMANDS = Routes((*ROUTES.all, Route("stock", "stock", match=("count*",), agent=COMMAND_AGENT)))


@pytest.fixture
def tasks(store: Store) -> TaskDesk:
    return TaskDesk(store, _COMMANDS)


@pytest.fixture
def desk(store: Store) -> ApprovalDesk:
    return ApprovalDesk(store)


def _run(tasks: TaskDesk, agent: str | None, task_id: str | None = None) -> str:
    """Have a run reported as an agent does; it writes in its task's place what it likes."""
    run_id, now = f"run-of-{agent}-{task_id}", tasks.store.clock()
    start = RunStart(SeriesKey("w", "prod", "main"), now, now, agent_name=agent, task_id=task_id)
    tasks.store.write(open_run, start, Policy(), run_id)
    return run_id


def _belongs(tasks: TaskDesk, desk: ApprovalDesk, asked: Approval, number: int) -> None:
    """Hold that a request is a task's of Ana's: it waits, and she does not decide."""
    assert (asked.task, asked.triggered_by) == (number, ANA)
    assert tasks.find(number).state is TaskState.WAITING
    desk.refused(desk.vote(asked, ANA), "vote.refused", "self_review")
    desk.counted(asked, CARA)
    assert tasks.find(number).state is TaskState.RUNNING


def _foreign(desk: ApprovalDesk, where: str = "task", agent: str = AGENT, **about: object) -> str:
    """Hold that a request is refused as one about another's; gives the words."""
    answer = desk.try_ask(agent=agent, **about)
    error = desk.refused(answer, "approval.refused", "agent_mismatch")
    assert error.where == where
    return error.message


def test_a_request_that_names_a_run_belongs_to_the_task_which_that_is_an_attempt_of(
    tasks: TaskDesk, desk: ApprovalDesk
) -> None:
    tasks.give()
    tasks.give(requester=BEN)
    held, _ = tasks.claimed(), tasks.claimed()
    asked = desk.ask(run_id=held.run_id)
    assert asked.run_id == held.run_id
    _belongs(tasks, desk, asked, held.number)


def test_a_run_of_somebody_elses_is_refused_as_a_task_of_theirs_is(
    tasks: TaskDesk, desk: ApprovalDesk
) -> None:
    tasks.give("check it")
    theirs = tasks.claimed(agent="checker")
    assert _foreign(desk, "run_id", run_id=theirs.run_id) == f"{theirs.id} is not one of {AGENT}."
    run = _run(tasks, "checker")
    assert _foreign(desk, "run_id", run_id=run) == f"Run {run} is not one of {AGENT}."
    tasks.give()
    own = tasks.claimed().number
    assert _foreign(desk, "run_id", task=own, run_id=run) == f"Run {run} is not one of {AGENT}."
    assert desk.kinds() == ["approval.refused"] * 3


def test_a_run_that_ended_with_its_task_is_named_no_more(
    tasks: TaskDesk, desk: ApprovalDesk
) -> None:
    tasks.give()
    held = tasks.claimed()
    tasks.close(held)
    _foreign(desk, "run_id", run_id=held.run_id)


def test_a_run_that_is_of_no_task_and_one_that_nobody_knows_are_labels(
    tasks: TaskDesk, desk: ApprovalDesk
) -> None:
    labels = ["nightly", _run(tasks, AGENT), _run(tasks, None)]
    labels += [_run(tasks, AGENT, named) for named in ("T-99", "JIRA-7", "T-1 and more")]
    for target, run_id in enumerate(labels):
        asked = desk.ask(f"c_{target}", run_id=run_id)
        assert (asked.run_id, asked.task, asked.triggered_by) == (run_id, None, None)


def test_a_run_that_was_told_to_be_of_a_task_of_anothers_is_refused(
    tasks: TaskDesk, desk: ApprovalDesk
) -> None:
    tasks.give("check it")
    theirs = tasks.claimed(agent="checker")
    _foreign(desk, "run_id", run_id=_run(tasks, AGENT, theirs.id))


@pytest.mark.parametrize("run_id", [None, "nightly"])
def test_a_request_that_names_no_task_belongs_to_the_only_one_that_its_agent_holds(
    tasks: TaskDesk, desk: ApprovalDesk, run_id: str | None
) -> None:
    tasks.give()
    tasks.give("check it", requester=BEN)
    tasks.give(requester=BEN)
    held, _ = tasks.claimed(), tasks.claimed(agent="checker")
    asked = desk.ask(run_id=run_id)
    assert desk.ask(run_id=run_id, task=held.number).number == asked.number
    _belongs(tasks, desk, asked, held.number)
    again = desk.ask("c_2", run_id=run_id)
    assert tasks.find(held.number).state is TaskState.WAITING
    assert desk.ask("c_2", run_id=run_id).number == again.number  # it waits, and is held still
    tasks.close(held)
    assert desk.ask("c_3", run_id=run_id).task is None


def test_an_agent_that_holds_several_tasks_says_which_one_it_asks_for(
    tasks: TaskDesk, desk: ApprovalDesk
) -> None:
    for requester in (ANA, BEN, ANA):
        tasks.give(requester=requester)
    first, second, third = tasks.claimed("w1"), tasks.claimed("w2"), tasks.claimed("w3")
    for label in (None, "nightly"):
        answer = desk.try_ask(run_id=label)
        error = desk.refused(answer, "approval.refused", "task_required")
        assert isinstance(error, InvalidError)
        assert error.where == "task"
        assert error.message.startswith(f"{AGENT} holds several tasks")
        assert error.next_step == f'Name the task it belongs to: {{"task": "{first.id}"}}.'
    assert desk.ask("c_1", task=second.number).triggered_by == BEN
    assert desk.ask("c_2", run_id=third.run_id).triggered_by == ANA
    assert desk.ask("c_3", agent="other-bot").task is None


@pytest.mark.parametrize("end", ["queued", "lapsed", "done", "cancelled", "in hand"])
def test_a_task_is_named_only_while_its_agent_holds_it(
    tasks: TaskDesk, desk: ApprovalDesk, clock: FrozenClock, end: str
) -> None:
    task = tasks.give("nothing takes this" if end == "in hand" else "export November")
    if end in {"lapsed", "done"}:
        held = tasks.claimed()
        desk.counted(desk.ask(task=task.number), CARA)
        if end == "done":
            tasks.close(held)
        else:
            clock.advance(31)
            assert tasks.sweep() == 1
    if end == "cancelled":
        tasks.store.write(cancel_task, task.number, ANA)
    if end == "in hand":
        tasks.store.write(take_in_hand, task.number, BEN, tasks.policy, tasks.routes)
    before = tasks.find(task.number)
    assert _foreign(desk, task=task.number) == f"{task.id} is not one of {AGENT}."
    assert tasks.find(task.number) == before


def test_a_command_that_faultbook_runs_asks_for_its_task_by_a_token_of_its_own(
    tasks: TaskDesk, desk: ApprovalDesk
) -> None:
    tasks.give("count the stock")
    held = tasks.claimed(agent=COMMAND_AGENT)
    asked = desk.ask(task=held.number)
    assert desk.ask("c_2", run_id=held.run_id).task == held.number
    assert asked.triggered_by == ANA
    tasks.close(held)
    _foreign(desk, task=held.number)
    _foreign(desk, "run_id", run_id=held.run_id)


def test_a_person_at_the_command_line_names_any_open_task_that_no_agent_holds(
    tasks: TaskDesk, desk: ApprovalDesk
) -> None:
    queued = tasks.give()
    assert desk.ask("c_1", agent=COMMAND_LINE, task=queued.number).triggered_by == ANA
    assert desk.ask("c_2", agent=COMMAND_LINE, run_id=_run(tasks, "checker")).task is None
    held = tasks.claimed()
    _foreign(desk, agent=COMMAND_LINE, task=held.number)
    tasks.close(held)
    _foreign(desk, agent=COMMAND_LINE, task=held.number)
    with pytest.raises(NotFoundError):
        desk.try_ask(agent=COMMAND_LINE, task=99)
