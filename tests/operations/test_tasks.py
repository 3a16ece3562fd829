"""Tasks, the people's side: taken once, routed, looked at, edited."""

from collections.abc import Callable

import pytest

from faultbook.base.errors import FaultbookError, InvalidError
from faultbook.model.route import Route, Routes
from faultbook.model.task import LONGEST_TEXT, NewTask, Task, TaskLink, TaskOrigin, TaskState
from faultbook.operations.task_notices import TaskNotice
from faultbook.operations.tasks import (
    cancel_task,
    edit_task,
    find_by_message,
    find_task,
    hand_back,
    list_tasks,
    not_a_task,
    offer_cancel,
    parse_task_id,
    queue_place,
    retry_task,
    take_in_hand,
    take_task,
)
from faultbook.store.engine import Store
from faultbook.store.tasks import TaskFilter
from tests.conftest import START
from tests.task_desk import AGENT, ANA, BEN, ROUTES, TaskDesk


@pytest.fixture
def desk(store: Store) -> TaskDesk:
    return TaskDesk(store)


def place_of(task: Task) -> tuple[str, str, str]:
    return task.origin.team, task.origin.channel, task.origin.ts


# Taking


def test_a_task_is_taken_with_all_that_was_said(desk: TaskDesk) -> None:
    link = TaskLink("list.csv", "https://files.example/list.csv")
    task = desk.give("export November", links=(link,), priority=3)
    assert desk.find(task.number) == task
    assert (task.id, task.state) == ("T-1", TaskState.QUEUED)
    assert (task.text, task.requester, task.links) == ("export November", ANA, (link,))
    assert (task.route, task.priority, task.received_at) == ("invoices", 3, START)
    assert desk.kinds(task.number) == ["received"]


def test_a_delivery_that_comes_twice_makes_one_task(desk: TaskDesk) -> None:
    new = desk.new()
    keys = ["event:Ev1", f"message:{new.origin.key}"]
    assert desk.store.write(take_task, keys, new, ROUTES) is not None
    assert desk.store.write(take_task, keys, new, ROUTES) is None
    assert len(desk.store.read(list_tasks)) == 1


def test_a_message_that_is_told_by_another_delivery_makes_one_task(desk: TaskDesk) -> None:
    new = desk.new()
    assert desk.store.write(take_task, ["event:Ev1"], new, ROUTES) is not None
    assert desk.store.write(take_task, ["shortcut:S1"], new, ROUTES) is None
    [task] = desk.store.read(list_tasks)
    assert desk.store.read(find_by_message, *place_of(task)) == task
    assert desk.kinds(task.number) == ["received"]
    assert len(desk.owed(TaskNotice.CARD)) == 1


def test_tasks_of_no_message_are_each_their_own(desk: TaskDesk) -> None:
    for key in ("k1", "k2"):
        new = desk.new(origin=TaskOrigin())
        assert desk.store.write(take_task, [key], new, ROUTES) is not None
    assert len(desk.store.read(list_tasks)) == 2
    assert desk.owed() == []  # nowhere to show them


def test_a_refused_task_takes_no_delivery(desk: TaskDesk) -> None:
    new = desk.new("export it", route="invoice")
    with pytest.raises(InvalidError):
        desk.store.write(take_task, ["k"], new, ROUTES)
    fixed = NewTask(new.text, new.requester, new.source, new.origin)
    assert desk.store.write(take_task, ["k"], fixed, ROUTES) is not None


@pytest.mark.parametrize(
    ("text", "route", "code", "next_step"),
    [
        ("export it", "invoces", "unknown_route", "Nearest: `invoices`."),
        (" \n\t", None, "task_empty", "Say what is to be done."),
        ("x" * (LONGEST_TEXT + 1), None, "task_too_long", "Put the rest into a file"),
        ("x" * 40_000, None, "task_too_long", "Put the rest into a file"),
    ],
)
def test_what_can_not_be_taken_is_said_with_what_to_do(
    desk: TaskDesk, text: str, route: str | None, code: str, next_step: str
) -> None:
    with pytest.raises(InvalidError) as refused:
        desk.give(text, route=route)
    assert refused.value.code == code
    assert refused.value.next_step.startswith(next_step)
    assert desk.store.read(list_tasks) == []


def test_a_text_of_the_greatest_length_is_taken_whole(desk: TaskDesk) -> None:
    assert len(desk.give("x" * LONGEST_TEXT).text) == LONGEST_TEXT


def test_secrets_are_taken_out_before_a_task_is_kept(desk: TaskDesk) -> None:
    secret = "xoxb-" + "1234567890-abcdef"
    link = TaskLink("key", "https://user:hunter2hunter2@files.example/")
    task = desk.give(f"export with {secret}", links=(link,))
    assert "xoxb-" not in task.text
    assert "hunter2" not in task.links[0].url


# Routes


CHOICES = Routes(
    (
        Route("here", "w", match=("Export*",), channels=frozenset({"C2"}), agent=AGENT),
        Route("first", "w", match=("export*",), agent=AGENT),
        Route("second", "w", match=("*november", "deploy ?"), agent=AGENT),
        Route("night", "w", channels=frozenset({"C9"}), agent=AGENT),
    )
)


@pytest.mark.parametrize(
    ("text", "channel", "route"),
    [
        ("export November", "C1", "first"),
        ("export November", "C2", "here"),
        ("EXPORT   the\nlist", "C1", "first"),
        ("send November", "C1", "second"),
        ("Deploy B", "C1", "second"),
        ("deploy to b", "C1", None),
        ("please export", "C1", None),
        ("anything at all", "C9", "night"),
    ],
)
def test_the_first_route_that_takes_a_text_gets_it(
    sqlite_store: Store, text: str, channel: str, route: str | None
) -> None:
    assert TaskDesk(sqlite_store, CHOICES).give(text, channel=channel).route == route


def test_a_route_that_is_named_is_taken_whatever_the_text(desk: TaskDesk) -> None:
    assert desk.give("export November", route="checks").route == "checks"


def test_a_route_gives_its_tasks_their_priority_unless_one_was_named(sqlite_store: Store) -> None:
    urgent = Routes((Route("urgent", "w", agent=AGENT, priority=5),))
    desk = TaskDesk(sqlite_store, urgent)
    assert desk.give().priority == 5
    assert desk.give(priority=9).priority == 9


# Looking


@pytest.mark.parametrize(("text", "number"), [("T-41", 41), ("t-7", 7), (" 12 ", 12)])
def test_a_tasks_id_is_read_as_people_write_it(text: str, number: int) -> None:
    assert parse_task_id(text) == number


@pytest.mark.parametrize("text", ["", "T-", "A-4", "T-4x", "-4", "٤", "9" * 13])
def test_what_is_no_tasks_id_is_said_to_be_none(text: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_task_id(text)
    assert refused.value.code == "bad_task_id"


def test_a_task_that_is_not_there_is_named(desk: TaskDesk) -> None:
    calls: list[Callable[[], object]] = [
        lambda: desk.store.read(find_task, 99),
        lambda: desk.store.write(cancel_task, 99, ANA),
        lambda: desk.store.write(not_a_task, 99, ANA),
        lambda: desk.store.write(retry_task, 99, ANA),
        lambda: desk.store.write(hand_back, 99, ANA),
        lambda: desk.store.write(take_in_hand, 99, ANA, desk.policy, desk.routes),
    ]
    for call in calls:
        with pytest.raises(FaultbookError, match="There is no task T-99") as refused:
            call()
        assert refused.value.code == "task_not_found"


def test_open_tasks_are_listed_in_the_queues_order_and_ended_ones_the_newest_first(
    desk: TaskDesk,
) -> None:
    first, urgent, other = desk.give(), desk.give(priority=2), desk.give(requester=BEN)
    assert [task.number for task in desk.store.read(list_tasks)] == [
        urgent.number,
        first.number,
        other.number,
    ]
    assert desk.store.read(list_tasks, TaskFilter(requester_id="UBEN")) == [other]
    desk.store.write(cancel_task, first.number, ANA)
    desk.store.write(cancel_task, other.number, ANA)
    ended = TaskFilter(states=frozenset({TaskState.CANCELLED}))
    found = [task.number for task in desk.store.read(list_tasks, ended)]
    assert found == [other.number, first.number]
    assert len(desk.store.read(list_tasks, TaskFilter(states=None))) == 3
    assert len(desk.store.read(list_tasks, TaskFilter(states=None, limit=2))) == 2
    assert desk.store.read(list_tasks, TaskFilter(route="checks")) == []


def test_a_queued_task_is_told_how_many_are_before_it(desk: TaskDesk) -> None:
    desk.give()
    last, other = desk.give(), desk.give("report it")
    desk.give(priority=1)
    place = desk.store.read(queue_place, last)
    assert (place.before, place.running) == (2, 0)
    assert desk.store.read(queue_place, other).before == 0
    desk.claimed(routes=frozenset({"invoices"}))
    place = desk.store.read(queue_place, last)
    assert (place.before, place.running) == (1, 1)


# Editing and deleting


def test_an_edit_of_a_queued_task_gives_it_the_newer_text_once(desk: TaskDesk) -> None:
    given = desk.give()
    edit = ("edit:1", place_of(given), "export December", "1795000009.000100")
    edited = desk.store.write(edit_task, *edit)
    assert edited is not None
    assert (edited.text, edited.revision) == ("export December", given.revision + 1)
    assert desk.store.write(edit_task, *edit) is None
    assert [event.text for event in desk.events(given.number)] == ["", "was: export November"]


def test_an_older_edit_that_comes_late_changes_nothing(desk: TaskDesk) -> None:
    given = desk.give()
    for key, text, ts in (("e2", "export B", "1795000009.2"), ("e1", "export A", "1795000009.1")):
        desk.store.write(edit_task, key, place_of(given), text, ts)
    assert desk.find(given.number).text == "export B"
    assert desk.kinds(given.number) == ["received", "edited"]


@pytest.mark.parametrize("text", ["", "  ", "x" * (LONGEST_TEXT + 1)])
def test_an_edit_to_what_is_no_task_changes_nothing(desk: TaskDesk, text: str) -> None:
    given = desk.give()
    assert desk.store.write(edit_task, "e", place_of(given), text, "1795000009.1") is None
    assert desk.find(given.number) == given


def test_an_edit_of_a_running_task_changes_nothing_but_is_noted(desk: TaskDesk) -> None:
    given = desk.give()
    running = desk.claimed()
    assert desk.store.write(edit_task, "e", place_of(given), "export X", "1795000009.1") is None
    assert desk.find(given.number) == running
    assert desk.kinds(given.number) == ["received", "claimed", "edited_too_late"]


def test_a_message_that_became_no_task_is_edited_without_effect(desk: TaskDesk) -> None:
    assert desk.store.write(edit_task, "e", ("T1", "C1", "1.1"), "export", "1.2") is None
    assert desk.store.write(offer_cancel, ("T1", "C1", "1.1")) is None


def test_a_deleted_message_is_offered_for_cancelling_once(desk: TaskDesk) -> None:
    given = desk.give()
    assert desk.store.write(offer_cancel, place_of(given)) is not None
    assert desk.store.write(offer_cancel, place_of(given)) is None
    assert len(desk.owed(TaskNotice.DELETED)) == 1
    assert desk.find(given.number).state is TaskState.QUEUED
    assert desk.kinds(given.number) == ["received", "message_deleted"]


def test_a_deleted_message_of_an_ended_task_offers_nothing(desk: TaskDesk) -> None:
    given = desk.give()
    desk.store.write(cancel_task, given.number, ANA)
    assert desk.store.write(offer_cancel, place_of(given)) is None
    assert desk.owed(TaskNotice.DELETED) == []
