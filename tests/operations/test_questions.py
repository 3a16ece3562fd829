"""Questions are taken once, with what they owe, on both stores."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from faultbook.model.answer import FailingQuery
from faultbook.model.diff import Commit, Moment
from faultbook.model.notice import NewNotice
from faultbook.operations.questions import (
    Owed,
    ReplyTo,
    accept,
    accept_arrival,
    give_up_post,
    owed_answer,
    owed_diff,
    read_failing_query,
    read_points,
    read_reply_to,
)
from faultbook.store import notices
from faultbook.store.engine import Store
from tests.conftest import FrozenClock

THREAD = ReplyTo(channel="C1", user="U1", after="1.1", thread_ts="1.1")


def question() -> NewNotice:
    return owed_answer(THREAD, FailingQuery(place="prod"))


def test_a_delivery_counts_once_and_owes_once(store: Store) -> None:
    assert store.write(accept, ["event:1", "message:1"], question())
    assert not store.write(accept, ["event:1", "message:1"], question())
    assert store.read(notices.count_owed) == 1


def test_two_events_of_one_message_owe_one_answer(store: Store) -> None:
    assert store.write(accept, ["event:1", "message:1"], question())
    assert not store.write(accept, ["event:2", "message:1"], question())
    assert not store.write(accept, ["event:2", "message:1"], question())
    assert store.read(notices.count_owed) == 1


def test_the_same_delivery_sixteen_times_at_once_owes_one_answer(store: Store) -> None:
    def take(number: int) -> bool:
        return store.write(accept, [f"event:{number % 4}", "message:1"], question())

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(take, range(16))) == 1
    assert store.read(notices.count_owed) == 1


def test_a_channel_is_greeted_once_even_after_its_keys_are_forgotten(
    store: Store, clock: FrozenClock
) -> None:
    greeting = ReplyTo("C1", "U1", "1.1").notice(Owed.ARRIVAL)
    assert store.write(accept_arrival, "event:1", greeting)
    assert not store.write(accept_arrival, "event:1", greeting)
    clock.advance(10 * 86_400)
    assert not store.write(accept_arrival, "event:2", greeting)
    elsewhere = ReplyTo("C2", "U1", "1.1").notice(Owed.ARRIVAL)
    assert store.write(accept_arrival, "event:3", elsewhere)


def test_what_was_asked_comes_back_as_it_was(store: Store, clock: FrozenClock) -> None:
    query = FailingQuery(place="prod \u00e9\u2603", since=clock(), all_branches=True)
    store.write(accept, ["event:1"], owed_answer(THREAD, query))
    claimed = store.write(notices.claim, "me", clock() + 1, 1)[0]
    assert read_failing_query(claimed.payload) == query
    assert read_reply_to(claimed.payload) == THREAD
    assert claimed.kind == Owed.FAILING


@pytest.mark.parametrize("after", [None, Commit("def5678"), Moment(7)])
def test_what_is_compared_comes_back_as_it_was(after: Commit | Moment | None) -> None:
    assert read_points(owed_diff(THREAD, Moment(5), after).payload) == (Moment(5), after)


def test_giving_up_can_owe_a_word_of_it(store: Store, clock: FrozenClock) -> None:
    store.write(accept, ["event:1"], question())
    claimed = store.write(notices.claim, "me", clock() + 1, 1)[0]
    word = ReplyTo("U1", "U1", "1.1").notice(Owed.NOT_POSTED, place="C1", why="is_archived")
    store.write(give_up_post, claimed.id, "is_archived", word)
    assert [one.kind for one in store.write(notices.claim, "me", clock() + 1, 9)] == ["not_posted"]
