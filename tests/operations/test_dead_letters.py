"""Dead letters: listed, owed again or dropped, and counted where a person asks what is failing."""

import pytest

from faultbook.base.clock import MINUTE
from faultbook.base.errors import ConflictError, InvalidError, NotFoundError
from faultbook.model.answer import FailingQuery, Headline
from faultbook.model.notice import NewNotice, Priority
from faultbook.model.policy import Policy
from faultbook.operations.dead_letters import (
    count_dead_letters,
    drop_all,
    drop_dead_letter,
    list_dead_letters,
    retry_all,
    retry_dead_letter,
)
from faultbook.operations.failing import ask_failing
from faultbook.operations.recording import record_runs
from faultbook.store import notices, standings
from faultbook.store.engine import Store
from tests.builders import whole_run
from tests.conftest import FrozenClock

POLICY = Policy()


def owe(store: Store, channel: str = "C1") -> str:
    return store.write(notices.append, NewNotice("help", channel, {"to": {}}))


def owe_card(store: Store, subject: str = "T-1") -> str | None:
    card = NewNotice("task.card", "C1", {"to": {}}, Priority.RECEIPT)
    store.write(notices.append_once, card, subject)
    claimed = store.write(notices.claim, "me", store.clock() + MINUTE, 9)
    return next((one.id for one in claimed if one.kind == "task.card"), None)


def kill(store: Store, notice_id: str, why: str = "is_archived") -> str:
    store.write(notices.claim, "me", store.clock() + MINUTE, 9)
    store.write(notices.give_up, notice_id, why)
    return notice_id


def test_what_was_given_up_is_listed_with_its_reason(store: Store, clock: FrozenClock) -> None:
    owed_at = clock.instant
    first = owe(store)
    clock.advance(5)
    kill(store, first)
    second = kill(store, owe(store, "C2"), "fatal_error")
    found = store.read(list_dead_letters)
    assert [(one.id, one.target, one.error) for one in found] == [
        (first, "C1", "is_archived"),
        (second, "C2", "fatal_error"),
    ]
    assert (found[0].owed_at, found[0].given_up_at, found[0].attempts) == (owed_at, clock(), 1)
    assert store.read(count_dead_letters) == 2


def test_a_retried_one_is_owed_again_and_looked_for_before_it_is_sent(store: Store) -> None:
    dead = kill(store, owe(store))
    assert store.write(retry_dead_letter, dead[-8:]) == dead
    assert store.read(count_dead_letters) == 0
    [claimed] = store.write(notices.claim, "me", store.clock() + MINUTE, 9)
    assert (claimed.id, claimed.attempts) == (dead, 2)  # above one: it may have been sent


def test_a_dropped_one_is_never_sent_and_counted_no_more(store: Store) -> None:
    dead = kill(store, owe(store))
    assert store.write(drop_dead_letter, dead) == dead
    assert store.read(list_dead_letters) == []
    assert store.read(notices.count_owed) == 0


def test_all_are_retried_or_dropped_at_once(store: Store) -> None:
    dead = [kill(store, owe(store, f"C{n}")) for n in range(3)]
    assert store.write(retry_all) == dead
    assert store.read(notices.count_owed) == 3
    for one in dead:
        kill(store, one)
    assert store.write(drop_all) == dead
    assert (store.read(notices.count_owed), store.read(count_dead_letters)) == (0, 0)


def test_one_that_is_not_dead_stays_as_it_is(store: Store) -> None:
    owed = owe(store)
    for change in (retry_dead_letter, drop_dead_letter):
        with pytest.raises(ConflictError, match="is owed, not dead"):
            store.write(change, owed)
    kill(store, owed)
    store.write(drop_dead_letter, owed)
    with pytest.raises(ConflictError, match="is settled, not dead"):
        store.write(retry_dead_letter, owed)
    with pytest.raises(NotFoundError, match="No notice `7c1e90ab`"):
        store.write(drop_dead_letter, "7c1e90ab")
    with pytest.raises(NotFoundError):
        store.write(drop_dead_letter, "ab")  # too short to mean one


def test_an_end_that_names_several_changes_none(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = iter(["019a0000-0000-7000-8000-0000aa123456", "019a0000-0000-7000-8000-0000bb123456"])
    monkeypatch.setattr("faultbook.store.notices.new_id", lambda: next(ids))
    dead = [kill(store, owe(store, channel)) for channel in ("C1", "C2")]
    with pytest.raises(InvalidError, match="2 notices end in `123456`"):
        store.write(drop_dead_letter, "123456")
    assert store.write(drop_dead_letter, "aa123456") == dead[0]


def test_a_dead_card_is_not_owed_twice(store: Store) -> None:
    dead = owe_card(store)
    assert dead is not None
    store.write(notices.give_up, dead, "fatal_error")
    assert owe_card(store) is not None  # the task moved on, and owes its card again
    store.write(retry_dead_letter, dead)
    assert store.read(count_dead_letters) == 0
    assert store.read(notices.count_owed) == 1


def test_a_dead_card_is_forgotten_once_the_card_is_right(store: Store) -> None:
    dead, other = owe_card(store), owe_card(store, "T-2")
    assert dead is not None
    assert other is None  # one a channel at a time
    store.write(notices.give_up, dead, "fatal_error")
    other = owe_card(store, "T-2")
    assert other is not None
    store.write(notices.give_up, other, "fatal_error")
    store.write(notices.forget_dead, "task.card", "T-1")
    assert [one.subject for one in store.read(list_dead_letters)] == ["T-2"]


def test_it_keeps_the_answer_from_saying_that_nothing_is_failing(
    store: Store, clock: FrozenClock
) -> None:
    store.write(record_runs, [whole_run(at=clock.instant - MINUTE)])
    assert ask_failing(store, FailingQuery(), POLICY).headline is Headline.NOTHING_FAILING
    dead = kill(store, owe(store))
    answer = ask_failing(store, FailingQuery(), POLICY)
    assert (answer.headline, answer.exit_code, answer.undelivered) == (Headline.UNDELIVERED, 2, 1)
    limited = ask_failing(store, FailingQuery(workflow=answer_workflow(store)), POLICY)
    assert (limited.headline, limited.undelivered) == (Headline.NOTHING_FAILING, 0)
    store.write(drop_dead_letter, dead)
    assert ask_failing(store, FailingQuery(), POLICY).headline is Headline.NOTHING_FAILING


def answer_workflow(store: Store) -> str:
    """Name the one workflow that is there."""
    [workflow] = store.read(standings.list_names)["workflow"]
    return workflow
