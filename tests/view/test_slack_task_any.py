"""Any task at all, whatever came from outside, is shown within Slack's limits and is inert."""

from hypothesis import given
from hypothesis import strategies as st

from faultbook.model.person import Person
from faultbook.model.task import Task, TaskEvent, TaskLink, TaskOrigin, TaskSource, TaskState
from faultbook.model.task_sight import TaskSight
from faultbook.model.verdict import Reason, Verdict
from faultbook.view.slack_task import (
    card_message,
    deleted_reply,
    status_message,
    tasks_message,
    waits_reply,
)
from faultbook.view.slack_task_details import task_details_modal
from tests.view.answers import QUICK, outside_text, urls
from tests.view.runs import timelines
from tests.view.slack_rules import assert_message, assert_view
from tests.view.tasks import GIVEN, NOW, TASK

_people = st.builds(Person, outside_text, outside_text)
_instants = st.integers(GIVEN, NOW)
TASKS = st.builds(
    Task,
    number=st.integers(1, 10**9),
    text=outside_text.map(lambda text: text * 30),
    requester=_people,
    source=st.sampled_from(TaskSource),
    origin=st.sampled_from([TaskOrigin(), TASK.origin]),
    links=st.lists(st.builds(TaskLink, outside_text, urls), max_size=3).map(tuple),
    state=st.sampled_from(TaskState),
    route=st.none() | outside_text,
    priority=st.integers(-9, 9),
    received_at=_instants,
    not_before=_instants,
    attempts=st.integers(0, 9),
    lapses=st.integers(0, 9),
    verdict=st.none() | st.sampled_from(Verdict),
    reason=st.just("") | st.sampled_from([reason.value for reason in Reason]),
    detail=outside_text,
    taken_by=st.none() | _people,
    worker=outside_text,
    started_at=st.none() | _instants,
    ended_at=st.none() | _instants,
    heard_at=st.none() | _instants,
    progress=outside_text,
    progress_at=st.none() | _instants,
    cancelled_by=outside_text,
)
SIGHTS = st.builds(
    TaskSight,
    task=TASKS,
    before=st.none() | st.integers(0, 99),
    run=st.none() | timelines.map(lambda timeline: timeline.run),
    queue=outside_text,
    attempts=st.integers(0, 9),
)


@QUICK
@given(SIGHTS)
def test_any_task_at_all_is_shown_within_the_limits_and_inert(seen: TaskSight) -> None:
    for make in (card_message, status_message, waits_reply, deleted_reply):
        assert_message(make(seen, NOW), budget=3000)


@QUICK
@given(st.lists(TASKS, max_size=30), st.integers(0, 500))
def test_any_list_of_tasks_is_shown_within_the_limits_and_inert(
    tasks: list[Task], count: int
) -> None:
    assert_message(tasks_message(tasks, NOW, count=len(tasks) + count))


@QUICK
@given(
    SIGHTS,
    st.lists(st.builds(TaskEvent, outside_text, outside_text, outside_text, _instants), max_size=9),
)
def test_any_details_at_all_are_a_valid_view(seen: TaskSight, events: list[TaskEvent]) -> None:
    assert_view(task_details_modal(seen, events * 10))
