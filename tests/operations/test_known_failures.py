"""Failures that come again: recognised, counted once, asked about once; on both stores."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event

from faultbook.base.clock import HOUR, MINUTE, SECOND, Instant
from faultbook.base.errors import ConflictError, InvalidError, NotFoundError
from faultbook.model.answer import FailingQuery, SeriesAnswer
from faultbook.model.judge import Claim, Outcome
from faultbook.model.known_failure import KnownBy
from faultbook.model.policy import Policy
from faultbook.model.verdict import FailureClass, Reason, Verdict
from faultbook.operations import known_failures, recording
from faultbook.operations.failing import ask_failing
from faultbook.store.engine import Store
from tests.builders import REPORT, whole_run
from tests.conftest import START, FrozenClock


def failed(detail: str = "no PDF was written") -> Outcome:
    claim = Claim(Verdict.FAILED, Reason.PRECONDITION_NOT_MET, FailureClass.PERSISTENT, detail)
    return Outcome(claim=claim)


def breaks(
    store: Store, at: Instant, outcome: Outcome | None = None, environment: str = "production"
) -> str:
    run = whole_run(outcome or failed(), at=at, environment=environment)
    return store.write(recording.record_runs, [run])[0]


def passes(store: Store, at: Instant, workflow: str = "invoice-sync") -> None:
    run = whole_run(Outcome(exit_code=0, artifacts=(REPORT,)), at=at, workflow=workflow)
    store.write(recording.record_runs, [run])


def ask(store: Store) -> SeriesAnswer:
    return ask_failing(store, FailingQuery(), Policy()).series[0]


def statements_of(store: Store, question: Callable[[], object]) -> list[str]:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: Any) -> None:  # noqa: ANN401 - SQLAlchemy's own signature
        asked.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    question()
    event.remove(store.engine, "before_cursor_execute", note)
    return [statement for statement in asked if statement != "BEGIN"]


def counted(store: Store, lesson: int = 14) -> int:
    found = store.read(known_failures.read_repeats, [lesson]).get(lesson)
    return found.count if found else 0


def test_a_failure_nobody_knows_is_noted_and_says_nothing(store: Store) -> None:
    breaks(store, START - MINUTE)
    series = ask(store)
    assert (series.known_lesson, series.happened_again, series.repeats) == (None, False, 0)
    noted = store.read(known_failures.read_failure, series.fingerprint)
    assert noted is not None
    assert (noted.first_seen_at, noted.lesson, noted.answer) == (START, None, None)
    assert store.read(known_failures.list_unasked, [series.fingerprint]) == [series.fingerprint]


def test_the_failure_an_incident_was_opened_from_is_no_repeat_of_itself(
    store: Store, clock: FrozenClock
) -> None:
    breaks(store, START - MINUTE)
    fingerprint = ask(store).fingerprint
    path = "lessons/incidents/2026-11-18-no-pdf.md"
    store.write(known_failures.link, fingerprint, 14, path, "Ana")
    clock.advance(600)
    breaks(store, clock() - SECOND)
    series = ask(store)
    assert (series.known_lesson, series.known_incident) == (14, path)
    assert (series.happened_again, series.repeats) == (False, 0)


def test_a_break_after_the_rule_happened_again_and_counts_once(
    store: Store, clock: FrozenClock
) -> None:
    breaks(store, START - MINUTE)
    store.write(known_failures.link, ask(store).fingerprint, 14, "i.md", "Ana")
    for time in (1, 2):
        clock.advance(3600)
        passes(store, clock() - 2 * MINUTE)
        for second in range(3):  # the same break goes on
            breaks(store, clock() - MINUTE + second * SECOND)
            again = ask(store)
        assert again.streak == 3
        assert (again.known_lesson, again.happened_again, again.repeats) == (14, True, time)
        assert counted(store) == time


def test_other_words_are_another_failure(store: Store, clock: FrozenClock) -> None:
    breaks(store, START - MINUTE)
    store.write(known_failures.link, ask(store).fingerprint, 14)
    clock.advance(3600)
    breaks(store, clock() - SECOND, failed("the vendor's JSON lacks a total"))
    assert ask(store).known_lesson is None
    assert counted(store) == 0


def test_the_same_failure_elsewhere_is_recognised_and_one_repeat(
    store: Store, clock: FrozenClock
) -> None:
    breaks(store, START - MINUTE)
    store.write(known_failures.link, ask(store).fingerprint, 14)
    passes(store, START - SECOND)
    clock.advance(60)
    for environment in ("production", "staging"):
        breaks(store, clock() - SECOND, environment=environment)
    found = ask_failing(store, FailingQuery(), Policy()).series
    assert [series.happened_again for series in found] == [True, True]
    assert counted(store) == 1


def test_a_failure_is_suggested_for_once_however_many_ask(store: Store) -> None:
    breaks(store, START - MINUTE)
    fingerprint = ask(store).fingerprint
    with ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(store.write, known_failures.suggest, fingerprint, [14, 3, 22, 7])
            for _ in range(8)
        ]
        assert sum(each.result() for each in asked) == 1
    failure = store.read(known_failures.read_failure, fingerprint)
    assert failure is not None
    assert failure.candidates == (14, 3, 22)
    assert store.read(known_failures.list_unasked, [fingerprint]) == []


def test_a_yes_counts_as_a_repeat_and_makes_it_known(store: Store, clock: FrozenClock) -> None:
    run = breaks(store, START - MINUTE)
    fingerprint = ask(store).fingerprint
    store.write(known_failures.suggest, fingerprint, [14, 3])
    answered = store.write(
        known_failures.answer_suggestion,
        fingerprint,
        KnownBy.YES,
        by="Ana",
        lesson=14,
        run_id=run,
    )
    assert (answered.lesson, answered.answered_by) == (14, "Ana")
    series = ask(store)
    assert (series.known_lesson, series.happened_again, series.repeats) == (14, True, 1)
    clock.advance(60)
    passes(store, clock() - 2 * SECOND)
    breaks(store, clock() - SECOND)
    assert ask(store).repeats == 2


@pytest.mark.parametrize("answer", [KnownBy.NO, KnownBy.NEW])
def test_no_and_new_count_nothing_and_are_not_asked_again(store: Store, answer: KnownBy) -> None:
    breaks(store, START - MINUTE)
    fingerprint = ask(store).fingerprint
    store.write(known_failures.suggest, fingerprint, [14])
    store.write(known_failures.answer_suggestion, fingerprint, answer, by="Ana")
    assert ask(store).known_lesson is None
    assert counted(store) == 0
    assert store.read(known_failures.list_unasked, [fingerprint]) == []
    assert store.write(known_failures.suggest, fingerprint, [3]) is False


def test_the_second_answer_is_told_who_was_first(store: Store) -> None:
    breaks(store, START - MINUTE)
    fingerprint = ask(store).fingerprint
    store.write(known_failures.suggest, fingerprint, [14])
    answer = known_failures.answer_suggestion
    store.write(answer, fingerprint, KnownBy.YES, by="Ana", lesson=14, run_id="r")
    with pytest.raises(ConflictError, match="Ana answered this before: yes, lesson 14") as caught:
        store.write(answer, fingerprint, KnownBy.NO, by="Ben")
    assert caught.value.code == "answered_before"
    assert counted(store) == 1


def test_answers_that_do_not_fit_change_nothing(store: Store) -> None:
    answer = known_failures.answer_suggestion
    for bad, lesson in ((KnownBy.YES, None), (KnownBy.NO, 14), (KnownBy.INCIDENT, 14)):
        with pytest.raises(InvalidError):
            store.write(answer, "f1-0", bad, by="Ana", lesson=lesson)
    with pytest.raises(NotFoundError):
        store.write(answer, "f1-0", KnownBy.NEW, by="Ana")
    assert store.read(known_failures.read_failure, "f1-0") is None


def test_a_break_by_a_clock_that_is_ahead_is_noted_once(store: Store) -> None:
    breaks(store, START + HOUR)
    fingerprint = ask(store).fingerprint
    failure = store.read(known_failures.read_failure, fingerprint)
    assert failure is not None
    assert failure.last_seen_at == START + HOUR
    asked = statements_of(store, lambda: ask(store))
    assert asked
    assert all(statement.startswith("SELECT") for statement in asked)


def test_a_repeat_of_a_run_is_counted_once(store: Store) -> None:
    assert store.write(known_failures.count_repeat, 14, "run-1", by="Ana")
    assert not store.write(known_failures.count_repeat, 14, "run-1", by="Ben")
    assert store.write(known_failures.count_repeat, 3, "run-1")
    repeats = store.read(known_failures.read_repeats)
    assert {lesson: found.count for lesson, found in repeats.items()} == {14: 1, 3: 1}
    assert repeats[14].last_at == START


def test_the_answer_asks_one_question_more_however_many_fail(store: Store) -> None:
    def cost() -> list[str]:
        ask_failing(store, FailingQuery(), Policy())  # what is new is noted here
        return statements_of(store, lambda: ask_failing(store, FailingQuery(), Policy()))

    passes(store, START - HOUR, workflow="fine")
    none = cost()
    for many in (2, 300):
        at = START - MINUTE
        some = [whole_run(failed(), at=at, workflow=f"w{number}") for number in range(many)]
        store.write(recording.record_runs, some)
        asked = cost()
        assert len(asked) == len(none) + 1
        assert all(statement.startswith("SELECT") for statement in asked)
