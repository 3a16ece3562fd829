"""Changes of the ledger in git: owed once, claimed in order, settled once, on both stores."""

from typing import Any

import pytest
from sqlalchemy import select

from faultbook.base.clock import SECOND
from faultbook.base.errors import ConflictError, InvalidError, NotFoundError
from faultbook.model.ledger_operation import (
    LedgerOperation,
    LedgerOperationState,
    LedgerVerb,
    PushedFinding,
)
from faultbook.operations.ledger import (
    LedgerNotice,
    choose,
    describe_conflict,
    note_head,
    owe,
    postpone,
    prepare_operation,
    read_operation,
    read_queue,
    settle_all_pushed,
    settle_conflict,
    settle_on_branch,
    settle_pushed,
    settle_refused,
)
from faultbook.operations.questions import read_reply_to
from faultbook.store import ledger
from faultbook.store.engine import Store, open_store
from faultbook.store.schema import notices
from faultbook.store.transaction import Transaction
from tests.conftest import FrozenClock

ME, OTHER = "host/1/aa", "host/2/bb"
LESSON = {"what_failed": "Export wrote nothing", "fix": "Wait", "rule": "When X, do Y"}


def owe_lesson(
    store: Store, *, key: str | None = None, channel: str = "C1", thread_ts: str = "1.5"
) -> str:
    new = prepare_operation(
        LedgerVerb.ADD_LESSON,
        LESSON,
        requester_id="UANA",
        requester_name="Ana",
        channel=channel,
        thread_ts=thread_ts,
        key=key,
    )
    return store.write(owe, new)


def claim(
    store: Store, who: str = ME, *, seconds: float = 60, limit: int = 10
) -> list[LedgerOperation]:
    return store.write(ledger.claim, who, store.clock() + round(seconds * SECOND), limit)


def said(store: Store) -> list[tuple[str, dict[str, Any]]]:
    def read(tx: Transaction) -> list[tuple[str, dict[str, Any]]]:
        rows = tx.execute(select(notices).order_by(notices.c.sequence))
        return [(row.kind, row.payload) for row in rows]

    return store.read(read)


def test_the_same_request_is_owed_once(store: Store) -> None:
    first = owe_lesson(store, key="view V1")
    assert owe_lesson(store, key="view V1") == first
    assert owe_lesson(store, key="view V2") != first
    assert store.read(read_queue).waiting == 2


def test_no_secret_is_stored(store: Store) -> None:
    token = "xoxb-" + "1" * 24
    new = prepare_operation(
        LedgerVerb.OPEN_INCIDENT,
        {"title": f"leaked {token}", "related": ["a.py", token], "repeats": 14},
        requester_id="UANA",
        requester_name=f"Ana\n{token}",
    )
    operation_id = store.write(owe, new)
    found = store.read(read_operation, operation_id)
    assert token not in repr(found)
    assert found.payload["repeats"] == 14
    assert "\n" not in found.requester_name


def test_operations_are_claimed_in_order_by_one_at_a_time(store: Store, clock: FrozenClock) -> None:
    ids = [owe_lesson(store) for _ in range(3)]
    assert [operation.id for operation in claim(store, limit=2)] == ids[:2]
    assert claim(store, OTHER) == []  # the third waits for the two before it
    clock.advance(61)
    taken = claim(store, OTHER)
    assert [operation.id for operation in taken] == ids
    assert [operation.attempts for operation in taken] == [2, 2, 1]


def test_an_operation_that_waits_for_its_next_try_is_not_overtaken(
    store: Store, clock: FrozenClock
) -> None:
    owe_lesson(store)
    [first] = claim(store)
    later = clock() + 5 * SECOND
    store.write(postpone, [first], "repo", later, "git doesn't answer")
    owe_lesson(store)
    assert claim(store) == []
    assert store.read(ledger.next_due) == later
    clock.advance(5)
    assert len(claim(store)) == 2


def test_an_operation_that_was_claimed_and_not_tried_counts_no_attempt(store: Store) -> None:
    operation_id = owe_lesson(store)
    claim(store)
    store.write(ledger.unclaim, operation_id)
    assert [operation.attempts for operation in claim(store)] == [1]


def test_the_claims_of_who_is_gone_are_let_go(store: Store) -> None:
    owe_lesson(store)
    claim(store, OTHER)
    assert store.read(ledger.list_claimers) == [OTHER]
    assert store.write(ledger.release, [OTHER]) == 1
    assert len(claim(store)) == 1


def test_two_replicas_never_claim_at_the_same_time(
    store: Store, store_url: str, clock: FrozenClock
) -> None:
    import threading  # noqa: PLC0415 - this test alone races

    for _ in range(20):
        owe_lesson(store)
    second, claimed = open_store(store_url, clock), list[list[LedgerOperation]]()
    barrier = threading.Barrier(2)

    def take(whose: Store, name: str) -> None:
        barrier.wait()
        claimed.append(claim(whose, name, limit=5))

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
    assert sorted(len(some) for some in claimed) == [0, 5]


def test_what_is_pushed_is_said_where_it_was_asked_for_once(store: Store) -> None:
    operation_id = owe_lesson(store)
    [operation] = claim(store)
    result = {"commit": "ab" * 20, "number": 27}
    assert store.write(settle_pushed, operation, result)
    assert not store.write(settle_pushed, operation, result)
    [(kind, payload)] = said(store)
    assert kind == LedgerNotice.SETTLED
    assert payload["operation"] == operation_id
    to = read_reply_to(payload)
    assert (to.channel, to.thread_ts, to.user) == ("C1", "1.5", "UANA")
    found = store.read(read_operation, operation_id)
    assert found.state is LedgerOperationState.PUSHED
    assert found.result == result
    assert store.read(read_queue).waiting == 0


@pytest.mark.parametrize(
    ("channel", "fallback", "expected"),
    [("C1", "C9", ("C1", "1.5")), ("", "C9", ("C9", None)), ("", "", ("UANA", None))],
)
def test_what_has_no_thread_is_said_in_the_ledgers_channel_or_to_the_person(
    store: Store, channel: str, fallback: str, expected: tuple[str, str | None]
) -> None:
    owe_lesson(store, channel=channel)
    [operation] = claim(store)
    store.write(settle_pushed, operation, {}, fallback)
    [(_, payload)] = said(store)
    to = read_reply_to(payload)
    assert (to.channel, to.thread_ts) == expected


def test_what_nobody_asked_for_is_not_announced(store: Store) -> None:
    new = prepare_operation(
        LedgerVerb.NUMBER_NEW_ROWS, {}, requester_id="", requester_name="", key="number abc"
    )
    store.write(owe, new)
    [operation] = claim(store)
    store.write(settle_pushed, operation, {"commit": "ab" * 20}, "C9")
    assert said(store) == []


def test_a_batch_is_settled_with_the_head_that_it_made(store: Store) -> None:
    for _ in range(2):
        owe_lesson(store)
    first, second = claim(store)
    store.write(
        settle_all_pushed,
        [(first, {"number": 4}), (second, {"number": 5})],
        repository="repo",
        was=None,
        commit="cd" * 20,
        highest=5,
    )
    queue = store.read(read_queue)
    assert (queue.waiting, queue.commit, queue.highest_number) == (0, "cd" * 20, 5)


def test_the_trouble_with_the_remote_is_told_and_said_once_an_operation(
    store: Store, clock: FrozenClock
) -> None:
    operation_id = owe_lesson(store)
    for _ in range(3):
        claimed = claim(store)
        store.write(postpone, claimed, "repo", clock() + SECOND, "git doesn't answer")
        clock.advance(2)
    assert [kind for kind, _ in said(store)] == [LedgerNotice.WAITING]
    queue = store.read(read_queue)
    assert (queue.waiting, queue.error) == (1, "git doesn't answer")
    assert queue.waiting_since == store.read(read_operation, operation_id).created_at


def test_a_remote_that_is_back_lets_what_waits_go_at_once(store: Store, clock: FrozenClock) -> None:
    owe_lesson(store)
    store.write(postpone, claim(store), "repo", clock() + 60 * SECOND, "git doesn't answer")
    assert claim(store) == []
    store.write(note_head, "repo", None, "ab" * 20, 3)
    assert store.read(read_queue).error == ""
    assert len(claim(store)) == 1


def test_a_refusal_says_why_and_what_to_do(store: Store) -> None:
    operation_id = owe_lesson(store)
    [operation] = claim(store)
    error = InvalidError("No rule.", code="rule_missing", next_step="Write one.")
    store.write(settle_refused, operation, error)
    found = store.read(read_operation, operation_id)
    assert found.state is LedgerOperationState.REFUSED
    assert (found.error, found.result) == (
        "No rule.",
        {"code": "rule_missing", "next_step": "Write one."},
    )
    assert [kind for kind, _ in said(store)] == [LedgerNotice.REFUSED]


def conflicting(store: Store) -> str:
    new = prepare_operation(
        LedgerVerb.SET_CELL,
        {"number": 14, "column": "rule", "expected": "old", "text": "mine"},
        requester_id="UANA",
        requester_name="Ana",
        channel="C1",
    )
    operation_id = store.write(owe, new)
    [operation] = claim(store)
    store.write(settle_conflict, operation, describe_conflict("theirs", "mine"))
    return operation_id


def test_a_conflict_waits_for_a_choice_and_shows_both_texts(store: Store) -> None:
    operation_id = conflicting(store)
    found = store.read(read_operation, operation_id)
    assert found.state is LedgerOperationState.CONFLICT
    assert (found.result["theirs"], found.result["mine"]) == ("theirs", "mine")
    assert [kind for kind, _ in said(store)] == [LedgerNotice.CONFLICT]
    queue = store.read(read_queue)
    assert (queue.waiting, queue.conflicts) == (0, 1)
    assert claim(store) == []


def test_mine_is_tried_again_over_the_text_that_was_shown(store: Store) -> None:
    operation_id = conflicting(store)
    chosen = store.write(choose, operation_id, "apply_mine", "UBEN", "Ben")
    assert chosen.state is LedgerOperationState.WAITING
    [operation] = claim(store)
    digest = describe_conflict("theirs", "mine")["theirs_sha256"]
    assert operation.payload["expected_sha256"] == digest
    assert operation.payload["text"] == "mine"
    assert operation.attempts == 2  # so that the history is searched for it first


def test_the_second_choice_is_told_who_chose(store: Store) -> None:
    operation_id = conflicting(store)
    dropped = store.write(choose, operation_id, "drop_mine", "UBEN", "Ben")
    assert dropped.state is LedgerOperationState.DROPPED
    with pytest.raises(ConflictError, match="Ben decided this before"):
        store.write(choose, operation_id, "apply_mine", "UCLEO", "Cleo")
    assert store.read(read_queue).conflicts == 0


def test_a_choice_about_nothing_is_refused(store: Store) -> None:
    with pytest.raises(NotFoundError):
        store.write(choose, "nothing", "apply_mine", "UBEN", "Ben")
    operation_id = owe_lesson(store)
    with pytest.raises(ConflictError, match="Nothing is to be decided"):
        store.write(choose, operation_id, "drop_mine", "UBEN", "Ben")


def test_what_was_on_a_branch_is_settled_when_a_person_merged_it(store: Store) -> None:
    operation_id = owe_lesson(store)
    [operation] = claim(store)
    store.write(settle_on_branch, operation, {"branch": "faultbook/27", "number": 27})
    waiting = store.read(ledger.list_in, LedgerOperationState.ON_BRANCH, 10)
    assert [one.id for one in waiting] == [operation_id]
    assert store.write(settle_pushed, waiting[0], waiting[0].result | {"commit": "ab" * 20})
    assert store.read(read_operation, operation_id).state is LedgerOperationState.PUSHED
    assert [kind for kind, _ in said(store)] == [LedgerNotice.SETTLED] * 2


def test_what_a_push_brought_is_said_by_whoever_saw_it_first(store: Store) -> None:
    finding = PushedFinding(
        "lessons/_ledger.md", 7, 3, "rule-missing", "No rule.", "Add it.", "Ben"
    )
    store.write(note_head, "repo", None, "aa" * 20, 3)
    args = ("repo", "aa" * 20, "bb" * 20, 4, [finding] * 7, "C9")
    assert store.write(note_head, *args)
    assert not store.write(note_head, *args)
    [(kind, payload)] = said(store)
    assert kind == LedgerNotice.FINDING
    assert (len(payload["findings"]), payload["more"]) == (5, 2)
    assert payload["findings"][0]["who"] == "Ben"
    assert read_reply_to(payload).channel == "C9"


def test_the_highest_number_only_grows(store: Store) -> None:
    store.write(note_head, "repo", None, "aa" * 20, 30)
    store.write(note_head, "repo", "aa" * 20, "bb" * 20, 28)
    assert store.read(ledger.read_head, "repo") == ("bb" * 20, 30)


def test_a_ledger_that_moved_elsewhere_leaves_no_trouble_behind(store: Store) -> None:
    store.write(note_head, "old", None, "aa" * 20, 30)
    store.write(ledger.note_trouble, "old", "git doesn't answer")
    store.write(ledger.forget_other_heads, "new")
    store.write(note_head, "new", None, "bb" * 20, 3)
    queue = store.read(read_queue)
    assert (queue.error, queue.commit, queue.highest_number) == ("", "bb" * 20, 3)
