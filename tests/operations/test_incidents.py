"""Incidents from chat: owed once, from one draft, closed by what verifies, on both stores."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from faultbook.base.clock import HOUR, MINUTE
from faultbook.base.errors import ConflictError, FaultbookError, InvalidError, NotFoundError
from faultbook.ledger.snapshot import LedgerSnapshot
from faultbook.model.answer import FailingQuery, Headline
from faultbook.model.draft import (
    IncidentFacts,
    IncidentForm,
    NewDraft,
)
from faultbook.model.known_failure import KnownBy
from faultbook.model.ledger_operation import LedgerVerb
from faultbook.model.person import Person
from faultbook.model.policy import Policy
from faultbook.model.run import SeriesKey
from faultbook.model.verdict import Verdict
from faultbook.operations.drafts import read_draft, save_draft
from faultbook.operations.failing import ask_failing
from faultbook.operations.incidents import (
    Opening,
    open_incident,
    owe_once,
    read_closing,
    read_facts,
    read_facts_of_text,
    verification_by_run,
)
from faultbook.operations.known_failures import link, read_failure, read_repeats
from faultbook.operations.ledger import (
    prepare_operation,
    read_operation,
    read_queue,
    settle_pushed,
)
from faultbook.operations.lessons import (
    announce_repeats,
    answer_no,
    answer_yes,
    review_area,
    search_lessons,
    suggest_lessons,
    words_of_thread,
)
from faultbook.operations.questions import ReplyTo
from faultbook.operations.recording import record_runs
from faultbook.store.engine import Store
from tests.builders import whole_run
from tests.conftest import START, FrozenClock

KEY = SeriesKey("invoice-sync", "production", "main")
POLICY = Policy()
TO = ReplyTo("C1", "UANA", "1795000000.000100", "1795000000.000100")
LEDGER = (
    "| # | What failed | Fix | One-rule lesson | Area |\n|---|---|---|---|---|\n"
    "| 14 | The invoice sync ended with an exit code | Wait | The sync is held to its report"
    " (tests/test_invoice.py) | billing |\n"
    "| 15 | Old | Fix | Retired: see 14. Was: Look twice | billing |\n"
)
SNAPSHOT = LedgerSnapshot("c" * 40, {"lessons/_ledger.md": LEDGER.encode()})


def fail(store: Store, at: int = START - HOUR) -> str:
    [run_id] = store.write(record_runs, [whole_run(Verdict.FAILED, at=at)])
    return run_id


def opening(**changes: Any) -> Opening:  # noqa: ANN401 - its own fields
    payload: dict[str, Any] = {"title": "No PDF", "fingerprint": "f1-ab", "run_id": "run-1"}
    payload |= {"series": [KEY.workflow, KEY.environment, KEY.branch]}
    operation = prepare_operation(
        LedgerVerb.OPEN_INCIDENT,
        payload,
        requester_id="UANA",
        requester_name="Ana",
        key=changes.pop("key", "view-1"),
    )
    return replace(Opening(operation, ["submission", "view"]), **changes)


def test_a_submission_that_comes_twice_or_at_once_is_owed_once(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        owed = list(pool.map(lambda _: store.write(open_incident, opening()), range(8)))
    assert sum(owed) == 1
    assert store.read(read_queue).waiting == 1


def test_a_draft_becomes_one_incident_or_none(store: Store) -> None:
    new = NewDraft(IncidentForm(title="No PDF"), IncidentFacts(), Person("UANA", "Ana"))
    notice = store.write(save_draft, ["k"], new)
    assert notice is not None
    draft_id = str(notice.payload["draft"])
    first = opening(draft_id=draft_id)
    assert store.write(open_incident, first)
    second = opening(draft_id=draft_id, key="view-2", keys=["another", "window"])
    with pytest.raises(ConflictError, match="opened as an incident meanwhile"):
        store.write(open_incident, second)
    assert store.read(read_queue).waiting == 1
    assert store.read(read_draft, draft_id).operation_id == first.operation.id


def test_an_incident_that_repeats_a_lesson_counts_and_is_not_announced_as_well(
    store: Store,
) -> None:
    store.write(open_incident, opening(repeats=14))
    assert store.read(read_repeats)[14].count == 1
    assert store.write(announce_repeats, "C1") == 0


def test_other_changes_are_owed_once_too(store: Store) -> None:
    change = prepare_operation(
        LedgerVerb.SET_CELL, {"number": 14}, requester_id="U", requester_name="Ana"
    )
    assert store.write(owe_once, ["k"], change)
    assert not store.write(owe_once, ["k"], change)


def test_what_is_known_of_a_series_is_read(store: Store) -> None:
    run_id = fail(store)
    facts = read_facts(store, POLICY, KEY)
    assert (facts.series, facts.streak, facts.run_id) == (KEY, 1, run_id)
    assert facts.reason == "nonzero_exit"
    assert facts.fingerprint.startswith("f1-")
    passing = SeriesKey("price-feed", "production", "main")
    store.write(record_runs, [whole_run(at=START - MINUTE, workflow="price-feed")])
    assert read_facts(store, POLICY, passing) == IncidentFacts("price-feed", "production", "main")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("1 failing on main. invoice-sync, production: 6 runs", "invoice-sync"),
        ("Is INVOICE-SYNC broken again?", "invoice-sync"),
        ("release-job fails on its branch", "release-job"),
        ("the door is open", ""),
    ],
)
def test_a_text_is_read_for_the_series_it_names(sqlite_store: Store, text: str, named: str) -> None:
    fail(sqlite_store)
    other = whole_run(Verdict.FAILED, at=START - HOUR, workflow="release-job", branch="release/2")
    sqlite_store.write(record_runs, [other])
    assert read_facts_of_text(sqlite_store, POLICY, text).workflow == named


def opened(store: Store) -> str:
    """Let an incident be in git; gives its operation."""
    ready = opening()
    store.write(open_incident, ready)
    operation = store.read(read_operation, ready.operation.id)
    result = {"commit": "c" * 40, "number": 27, "path": "lessons/incidents/x.md"}
    store.write(settle_pushed, operation, result)
    return ready.operation.id


def test_a_run_that_passed_since_is_offered_and_verifies(store: Store, clock: FrozenClock) -> None:
    fail(store)
    operation_id = opened(store)
    assert read_closing(store, operation_id).passed == ()
    clock.advance(3600)
    [run_id] = store.write(record_runs, [whole_run(at=clock.instant - MINUTE)])
    closing = read_closing(store, operation_id)
    assert [mark.run_id for mark in closing.passed] == [run_id]
    for name in (run_id, run_id[-8:]):
        told = store.read(verification_by_run, name, closing.operation)
        assert told.startswith(f"Run {run_id} of invoice-sync passed, 2026-11-18T")


def test_what_does_not_verify_is_refused_by_its_reason(store: Store, clock: FrozenClock) -> None:
    [early] = store.write(record_runs, [whole_run(at=START - HOUR)])
    operation_id = opened(store)
    clock.advance(3600)
    later = clock.instant - MINUTE
    [failed] = store.write(record_runs, [whole_run(Verdict.FAILED, at=later)])
    [other] = store.write(record_runs, [whole_run(at=later, workflow="price-feed")])
    incident = read_closing(store, operation_id).operation
    for run_id, code in (
        (early, "run_too_old"),
        (failed, "run_not_passed"),
        (other, "run_of_another_series"),
    ):
        with pytest.raises(InvalidError) as refused:
            store.read(verification_by_run, run_id, incident)
        assert refused.value.code == code
    with pytest.raises(NotFoundError):
        store.read(verification_by_run, "00000000", incident)


def test_what_is_not_in_the_ledger_yet_can_not_be_closed(sqlite_store: Store) -> None:
    ready = opening()
    sqlite_store.write(open_incident, ready)
    with pytest.raises(NotFoundError, match="not in the ledger yet"):
        read_closing(sqlite_store, ready.operation.id)


def test_a_late_draft_keeps_the_answer_from_saying_that_nothing_is_failing(
    store: Store, clock: FrozenClock
) -> None:
    new = NewDraft(IncidentForm(title="No PDF"), IncidentFacts(), Person("UANA", "Ana"))
    store.write(save_draft, ["k"], new)
    clock.advance(24 * 3600)
    store.write(record_runs, [whole_run(at=clock.instant - MINUTE)])
    answer = ask_failing(store, FailingQuery(), POLICY)
    assert (answer.headline, answer.exit_code) == (Headline.DRAFT_LATE, 2)
    assert [late.title for late in answer.late_drafts] == ["No PDF"]
    fail(store, clock.instant - MINUTE // 2)
    answer = ask_failing(store, FailingQuery(), POLICY)
    assert (answer.headline, answer.exit_code, len(answer.late_drafts)) == (Headline.FAILING, 1, 1)


def test_a_new_failure_is_suggested_to_one_question_only(store: Store) -> None:
    fail(store)
    answer = ask_failing(store, FailingQuery(), POLICY)
    assert suggest_lessons(store, SNAPSHOT, answer, TO) == "C1"
    assert suggest_lessons(store, SNAPSHOT, answer, TO) is None


def test_the_first_answer_to_a_suggestion_counts(store: Store) -> None:
    run_id = fail(store)
    answer = ask_failing(store, FailingQuery(), POLICY)
    suggest_lessons(store, SNAPSHOT, answer, TO)
    mark = answer.series[0].fingerprint
    given = (mark, 14, run_id, KEY, "Ben", TO)
    assert store.write(answer_yes, ["c1"], *given)
    assert not store.write(answer_yes, ["c1"], *given)
    with pytest.raises(ConflictError, match="Ben answered this before"):
        store.write(answer_no, ["c2"], mark, KnownBy.NO, "Ana")
    failure = store.read(read_failure, mark)
    assert failure is not None
    assert failure.lesson == 14
    assert store.read(read_repeats)[14].count == 1
    assert store.write(announce_repeats, "C1") == 0  # the thread was told


def test_a_repeat_that_nobody_asked_about_is_announced_once(
    store: Store, clock: FrozenClock
) -> None:
    fail(store)
    answer = ask_failing(store, FailingQuery(), POLICY)
    store.write(link, answer.series[0].fingerprint, 14)
    clock.advance(600)
    again = [whole_run(at=clock.instant - 2 * MINUTE)]
    again.append(whole_run(Verdict.FAILED, at=clock.instant - MINUTE))
    store.write(record_runs, again)
    ask_failing(store, FailingQuery(), POLICY)
    assert [store.write(announce_repeats, "C1") for _ in range(2)] == [1, 0]


def test_searches_and_reviews_tell_records_and_leave_the_retired_out_of_reviews(
    sqlite_store: Store,
) -> None:
    found = search_lessons(sqlite_store, SNAPSHOT, "invoice report")
    assert [one.lesson.number for one in found.lessons] == [14]
    assert search_lessons(sqlite_store, SNAPSHOT, " ").asked == ""
    reviewed = review_area(sqlite_store, SNAPSHOT, "Billing")
    assert [one.lesson.number for one in reviewed.lessons] == [14]
    assert review_area(sqlite_store, SNAPSHOT, "crm").areas == ("billing",)


@pytest.mark.parametrize(
    ("parent", "said", "words"),
    [
        ("invoice-sync is down again", "", "invoice sync"),
        ("what's failing?", "1 failing on main. invoice-sync, production", "invoice sync"),
        ("the door is open", "", "the door is open"),
    ],
)
def test_a_thread_is_about_the_series_that_it_names(
    sqlite_store: Store, parent: str, said: str, words: str
) -> None:
    fail(sqlite_store)
    assert words_of_thread(sqlite_store, POLICY, parent, said).startswith(words)


@pytest.mark.parametrize("call", [read_closing])
def test_an_unknown_incident_is_named(
    sqlite_store: Store, call: Callable[[Store, str], object]
) -> None:
    with pytest.raises(FaultbookError) as refused:
        call(sqlite_store, "none")
    assert refused.value.next_step
