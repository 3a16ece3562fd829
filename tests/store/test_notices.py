"""The queue of owed side effects, on both stores."""

import threading

import pytest

from faultbook.base.clock import SECOND
from faultbook.model.notice import NewNotice, Notice, Priority
from faultbook.store import notices
from faultbook.store.engine import Store, open_store
from tests.conftest import FrozenClock

ME, OTHER = "host/1/aa", "host/2/bb"


def owe(
    store: Store, target: str, *, kind: str = "answer", priority: Priority = Priority.ANSWER
) -> str:
    return store.write(notices.append, NewNotice(kind, target, {"n": 1}, priority))


def claim(
    store: Store,
    who: str = ME,
    *,
    seconds: float = 20,
    limit: int = 10,
    resting: tuple[str, ...] = (),
) -> list[Notice]:
    until = store.clock() + round(seconds * SECOND)
    return store.write(notices.claim, who, until, limit, resting)


def test_one_notice_a_target_is_claimed_the_oldest_first(store: Store) -> None:
    first, _, other = owe(store, "C1"), owe(store, "C1"), owe(store, "C2")
    assert [notice.id for notice in claim(store)] == [first, other]
    assert claim(store, OTHER) == []  # both channels are busy


def test_receipts_go_before_answers_and_answers_before_repaints(store: Store) -> None:
    repaint = owe(store, "C1", priority=Priority.REPAINT)
    answer = owe(store, "C2")
    receipt = owe(store, "C3", priority=Priority.RECEIPT)
    assert [notice.id for notice in claim(store)] == [receipt, answer, repaint]


def test_a_later_receipt_overtakes_in_its_channel(store: Store) -> None:
    owe(store, "C1", priority=Priority.REPAINT)
    receipt = owe(store, "C1", priority=Priority.RECEIPT)
    assert [notice.id for notice in claim(store)] == [receipt]


def test_the_limit_and_resting_targets_are_kept(store: Store) -> None:
    for target in ("C1", "C2", "C3"):
        owe(store, target)
    assert [notice.target for notice in claim(store, limit=2, resting=("C1",))] == ["C2", "C3"]
    assert [notice.target for notice in claim(store)] == ["C1"]


def test_what_is_settled_is_gone_and_frees_its_channel(store: Store) -> None:
    first, second = owe(store, "C1"), owe(store, "C1")
    claim(store)
    store.write(notices.settle, first, {"ts": "1.2"})
    assert [notice.id for notice in claim(store)] == [second]
    assert store.read(notices.count_owed) == 1


def test_a_claim_that_ran_out_is_taken_over_and_counted(store: Store, clock: FrozenClock) -> None:
    owed = owe(store, "C1")
    assert [notice.attempts for notice in claim(store, seconds=20)] == [1]
    clock.advance(19)
    assert claim(store, OTHER) == []
    clock.advance(2)
    taken = claim(store, OTHER)
    assert [(notice.id, notice.attempts) for notice in taken] == [(owed, 2)]


def test_a_postponed_notice_waits_and_a_refused_attempt_is_not_counted(
    store: Store, clock: FrozenClock
) -> None:
    owed = owe(store, "C1")
    claim(store)
    later = clock() + 5 * SECOND
    store.write(notices.postpone, owed, later, "ratelimited", refused=True)
    assert claim(store) == []
    assert store.read(notices.next_due) == later
    clock.advance(5)
    assert [notice.attempts for notice in claim(store)] == [1]
    store.write(notices.postpone, owed, clock(), "TimeoutError")
    assert [notice.attempts for notice in claim(store)] == [2]


def test_what_is_given_up_is_not_tried_again(store: Store) -> None:
    owed = owe(store, "C1")
    claim(store)
    store.write(notices.give_up, owed, "is_archived")
    assert claim(store) == []
    assert store.read(notices.count_owed) == 0
    assert store.read(notices.was_owed, "answer", "C1")
    assert not store.read(notices.was_owed, "arrival", "C1")


def test_the_claims_of_who_is_gone_are_let_go(store: Store) -> None:
    owe(store, "C1")
    owe(store, "C2")
    claim(store, OTHER, limit=1)
    claim(store, ME, limit=1)
    assert sorted(store.read(notices.list_claimers)) == [ME, OTHER]
    assert store.write(notices.release, [OTHER]) == 1
    assert [notice.target for notice in claim(store)] == ["C1"]


def test_a_full_channel_starves_no_other(store: Store) -> None:
    for _ in range(200):
        owe(store, "C1")
    owe(store, "C2")
    assert [notice.target for notice in claim(store, limit=8)] == ["C1", "C2"]


@pytest.mark.parametrize("round_", range(3))
def test_two_instances_never_claim_the_same(
    store: Store, store_url: str, clock: FrozenClock, round_: int
) -> None:
    del round_
    for number in range(30):
        owe(store, f"C{number}")
    second = open_store(store_url, clock)
    claimed: list[str] = []

    def take(whose: Store, name: str) -> None:
        while found := claim(whose, name, limit=3):
            claimed.extend(notice.id for notice in found)

    try:
        threads = [
            threading.Thread(target=take, args=pair) for pair in ((store, ME), (second, OTHER))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        second.close()
    claimed += [notice.id for notice in claim(store)]
    assert len(claimed) == len(set(claimed)) == 30


def test_what_was_settled_long_ago_is_forgotten_but_for_what_is_asked_about(
    store: Store, clock: FrozenClock
) -> None:
    old, arrival = owe(store, "C1"), owe(store, "C2", kind="arrival")
    dead, owed = owe(store, "C3"), owe(store, "C4")
    for settled in (old, arrival):
        store.write(notices.settle, settled, {"ts": "1.2"})
    store.write(notices.give_up, dead, "channel_not_found")
    clock.advance(60)
    young = owe(store, "C5")
    store.write(notices.settle, young, {"ts": "1.3"})
    assert store.write(notices.forget_settled, clock() - 30 * SECOND, {"arrival"}) == 1
    assert store.read(notices.was_owed, "arrival", "C2")
    assert not store.read(notices.was_owed, "answer", "C1")
    assert store.read(notices.was_owed, "answer", "C3")
    assert store.read(notices.was_owed, "answer", "C5")
    assert [notice.id for notice in claim(store)] == [owed]
