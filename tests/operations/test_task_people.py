"""Small steps of people, on both stores: clicks count once, names come later, tasks stay."""

import pytest

from faultbook.base.errors import ConflictError, ForbiddenError, NotFoundError
from faultbook.model.person import Person
from faultbook.model.task import TaskOrigin, TaskState
from faultbook.operations.task_people import (
    find_in_hand,
    keep_task,
    list_to_reread,
    name_requester,
    once,
    read_open,
)
from faultbook.operations.tasks import cancel_task, take_in_hand
from faultbook.store.engine import Store
from tests.conftest import FrozenClock
from tests.task_desk import ANA, BEN, TaskDesk

UNKNOWN = Person("U9", "U9")


@pytest.fixture
def desk(store: Store) -> TaskDesk:
    return TaskDesk(store)


def test_a_click_that_comes_again_changes_nothing_and_is_no_refusal(desk: TaskDesk) -> None:
    task = desk.give()
    first = desk.store.write(once, ["click:1"], cancel_task, task.number, BEN)
    assert first is not None
    assert first.state is TaskState.CANCELLED
    assert desk.store.write(once, ["click:1"], cancel_task, task.number, BEN) is None
    assert desk.kinds(task.number) == ["received", "cancelled"]


def test_a_click_that_is_refused_is_refused_again(desk: TaskDesk) -> None:
    task = desk.give()
    desk.store.write(cancel_task, task.number, ANA)
    for _ in range(2):
        with pytest.raises(ConflictError, match="cancelled by Ana Ruiz already"):
            desk.store.write(once, ["click:1"], cancel_task, task.number, BEN)


def test_a_name_that_is_learned_later_is_put_to_open_tasks(desk: TaskDesk) -> None:
    first = desk.give(requester=UNKNOWN)
    desk.paint(first.number)
    other = desk.give()
    ended = desk.give(requester=UNKNOWN)
    desk.store.write(cancel_task, ended.number, ANA)
    assert desk.store.write(name_requester, Person("U9", "Nina password=hunter2")) == 1
    named = desk.find(first.number)
    assert named.requester.name == "Nina password=[REDACTED:named-secret]"
    assert named.revision > named.painted
    assert desk.find(other.number).requester == ANA
    assert desk.store.write(name_requester, Person("U9", "Nina")) == 0


def test_a_task_stays_by_a_persons_word_until_it_has_ended(desk: TaskDesk) -> None:
    task = desk.give()
    assert desk.store.write(keep_task, task.number, BEN).id == task.id
    assert desk.kinds(task.number) == ["received", "kept"]
    desk.store.write(cancel_task, task.number, ANA)
    with pytest.raises(ConflictError, match="cancelled already"):
        desk.store.write(keep_task, task.number, BEN)


def test_only_who_has_a_task_in_hand_may_say_that_it_is_done(desk: TaskDesk) -> None:
    task = desk.give("tidy the drawer")
    with pytest.raises(ConflictError, match="nobody's hands"):
        desk.store.read(find_in_hand, task.number, BEN)
    desk.store.write(take_in_hand, task.number, BEN, desk.policy, desk.routes)
    assert desk.store.read(find_in_hand, task.number, BEN).id == task.id
    with pytest.raises(ForbiddenError, match="in Ben Okafor's hands"):
        desk.store.read(find_in_hand, task.number, ANA)
    with pytest.raises(NotFoundError):
        desk.store.read(find_in_hand, 404, ANA)


def test_home_is_told_of_mine_and_counts_all(desk: TaskDesk) -> None:
    mine = [desk.give().number for _ in range(3)]
    desk.give(requester=BEN)
    ended = desk.give()
    desk.store.write(cancel_task, ended.number, ANA)
    shown, of_mine, of_all = desk.store.read(read_open, ANA.id, 2)
    assert ([task.number for task in shown], of_mine, of_all) == (mine[:2], 3, 4)


def test_messages_of_channels_are_read_again_while_their_tasks_are_queued(
    desk: TaskDesk, clock: FrozenClock
) -> None:
    low = desk.give("report on invoices")
    high = desk.give(priority=5)
    desk.give(origin=TaskOrigin("T1", "D1", "1.5"))  # Slack tells of edits there
    desk.give(origin=TaskOrigin("T1", "C1"))  # no message
    ended = desk.give()
    desk.store.write(cancel_task, ended.number, ANA)
    assert desk.store.read(list_to_reread, 10) == []
    clock.advance(3)
    found = [task.number for task in desk.store.read(list_to_reread, 10)]
    assert found == [high.number, low.number]
    clock.advance(86_400)
    assert desk.store.read(list_to_reread, 10) == []
