"""What the answer may say: the last part of the truth table, on both stores."""

from typing import Any

import pytest
from sqlalchemy import event

from faultbook.base.clock import DAY, HOUR, MINUTE, SECOND
from faultbook.model.answer import FailingAnswer, FailingQuery, Headline
from faultbook.model.judge import Outcome
from faultbook.model.policy import Policy
from faultbook.model.run import Contract, RunStart, Schedule, SeriesKey, WholeRun
from faultbook.model.standing import Standing
from faultbook.model.verdict import Reason, Verdict
from faultbook.operations import recording
from faultbook.operations.failing import ask_failing
from faultbook.store.engine import Store
from faultbook.store.transaction import Transaction
from faultbook.view.failing_lines import footer, headline
from faultbook.view.lines import plain
from tests.builders import OUTCOMES, whole_run
from tests.conftest import START, FrozenClock

P, F, B, D, I, S = (  # noqa: E741 - the truth table's own letters
    Verdict.PASSED,
    Verdict.FAILED,
    Verdict.BLOCKED,
    Verdict.DEGRADED,
    Verdict.INCONCLUSIVE,
    Verdict.SKIPPED,
)
HOURLY = Schedule(3600, 300)


def record(store: Store, *whole: WholeRun) -> None:
    store.write(recording.record_runs, list(whole))


def ask(store: Store, policy: Policy | None = None, **query: Any) -> FailingAnswer:  # noqa: ANN401 - the query's own fields
    return ask_failing(store, FailingQuery(**query), policy or Policy())


@pytest.mark.parametrize("verdict", [F, B, D])
def test_something_bad_on_the_main_branch_is_named(store: Store, verdict: Verdict) -> None:
    record(store, whole_run(at=START - MINUTE, workflow="fine"))
    record(store, whole_run(verdict, at=START - MINUTE, workflow="bad"))
    answer = ask(store)
    assert answer.headline is Headline.FAILING
    assert [series.key.workflow for series in answer.series] == ["bad"]
    assert answer.exit_code == 1


def test_nothing_is_failing_is_said_over_fresh_passing_series_only(store: Store) -> None:
    heartbeat = Policy(heartbeat=frozenset({"beat"}))
    record(store, whole_run(at=START - MINUTE, workflow="proven"))
    beat = whole_run(Outcome(exit_code=0), at=START - MINUTE, workflow="beat", policy=heartbeat)
    record(store, beat)
    answer = ask(store, heartbeat)
    assert answer.headline is Headline.NOTHING_FAILING
    assert (answer.counts.passing, answer.counts.heartbeat) == (2, 1)
    assert answer.exit_code == 0


@pytest.mark.parametrize("verdict", [I, S])
def test_a_series_that_is_not_passing_keeps_the_answer_from_saying_nothing_fails(
    store: Store, verdict: Verdict
) -> None:
    record(store, whole_run(at=START - MINUTE, workflow="fine"))
    record(store, whole_run(verdict, at=START - MINUTE, workflow="other"))
    answer = ask(store)
    assert answer.headline is Headline.NOT_ALL_PASSING
    assert (answer.counts.total, answer.counts.not_passing) == (2, 1)
    assert answer.exit_code == 2


def test_a_newest_record_that_is_too_old_says_that_it_cannot_tell(
    store: Store, clock: FrozenClock
) -> None:
    record(store, whole_run(F, at=START - MINUTE, schedule=Schedule(7 * 86_400, 0)))
    clock.advance(DAY / SECOND - 60)
    assert ask(store).headline is Headline.FAILING
    clock.advance(20)
    answer = ask(store)
    assert answer.headline is Headline.STALE
    assert answer.counts.failing == 1
    assert answer.newest_record_at == START - MINUTE + 10 * SECOND
    assert answer.exit_code == 2


def test_no_run_at_all_says_that_it_cannot_tell(store: Store) -> None:
    answer = ask(store)
    assert answer.headline is Headline.EMPTY
    assert answer.exit_code == 2


def test_runs_on_other_branches_only_say_nothing_of_the_main_branch(store: Store) -> None:
    record(store, whole_run(at=START - MINUTE, branch="feature"))
    answer = ask(store)
    assert answer.headline is Headline.EMPTY
    assert answer.series_elsewhere == 1


def test_a_run_under_way_and_none_closed_says_that_it_cannot_tell(
    store: Store, clock: FrozenClock
) -> None:
    start = RunStart(SeriesKey("new-job", "production", "main"), clock(), clock())
    store.write(recording.start_run, start, Policy())
    answer = ask(store)
    assert answer.headline is Headline.EMPTY
    assert answer.series[0].standing is Standing.UNKNOWN
    assert answer.series[0].running_since == clock()


def test_bad_series_of_other_branches_are_counted_and_do_not_fail_the_answer(
    store: Store,
) -> None:
    record(store, whole_run(at=START - MINUTE))
    record(store, *(whole_run(F, at=START - MINUTE, branch=f"b{n}") for n in range(4)))
    answer = ask(store)
    assert answer.headline is Headline.OTHER_BRANCHES
    assert answer.other_branches == 4
    assert answer.exit_code == 0
    assert ask(store, all_branches=True).headline is Headline.FAILING
    assert ask(store, branch="b2").exit_code == 1


def test_the_main_branch_is_a_setting(store: Store) -> None:
    record(store, whole_run(F, at=START - MINUTE, branch="trunk"))
    assert ask(store, Policy(main_branch="trunk")).exit_code == 1


@pytest.mark.parametrize(
    ("query", "unmatched", "nearest"),
    [
        ({"environment": "stagin"}, "stagin", "staging"),
        ({"workflow": "invoice"}, "invoice", "invoice-sync"),
        ({"branch": "mian"}, "mian", "main"),
        ({"place": "zzz"}, "zzz", None),
    ],
)
def test_a_filter_that_matches_nothing_says_so_with_the_nearest_name(
    store: Store, query: dict[str, str], unmatched: str, nearest: str | None
) -> None:
    record(store, whole_run(at=START - MINUTE, environment="staging"))
    answer = ask(store, None, **query)
    assert answer.headline is Headline.NO_MATCH
    assert (answer.unmatched, answer.nearest) == (unmatched, nearest)
    assert answer.exit_code == 2


@pytest.mark.parametrize(
    "query",
    [
        {"environment": "prod"}, {"place": "Production"}, {"place": "invoice-sync"},
        {"place": "main"}, {"workflow": "INVOICE-SYNC", "environment": "production"},
    ],
)  # fmt: skip
def test_filters_are_found_as_people_say_them(store: Store, query: dict[str, str]) -> None:
    record(store, whole_run(F, at=START - MINUTE))
    record(store, whole_run(F, at=START - MINUTE, workflow="other", environment="staging",
                            branch="side"))  # fmt: skip
    answer = ask(store, None, **query)
    assert [series.key.workflow for series in answer.series] == ["invoice-sync"]


def test_since_tells_what_broke_since_and_counts_what_broke_before(store: Store) -> None:
    record(store, whole_run(F, at=START - 5 * HOUR, workflow="old"))
    record(store, whole_run(at=START - 2 * MINUTE, workflow="fine"))
    answer = ask(store, since=START - HOUR)
    assert answer.headline is Headline.NOTHING_NEW
    assert answer.failing_before == 1
    assert answer.exit_code == 1
    record(store, whole_run(F, at=START - MINUTE, workflow="new"))
    answer = ask(store, since=START - HOUR)
    assert answer.headline is Headline.FAILING
    assert [series.key.workflow for series in answer.series] == ["new"]


def test_a_passing_series_turns_silent_when_its_due_time_and_grace_have_passed(
    store: Store, clock: FrozenClock
) -> None:
    record(store, whole_run(at=START - 10 * SECOND, schedule=HOURLY))
    record(store, whole_run(at=START - 10 * SECOND, workflow="other"))
    clock.advance(3600 + 300 - 10)
    assert ask(store).headline is Headline.NOTHING_FAILING
    clock.advance(1)
    answer = ask(store)
    assert answer.headline is Headline.NOT_ALL_PASSING
    assert answer.counts.silent == 1
    assert answer.series[0].silent_since == START - 10 * SECOND + 3900 * SECOND
    assert answer.counts.passing == 1


def test_a_failing_series_that_goes_silent_is_failing_and_silent_since(
    store: Store, clock: FrozenClock
) -> None:
    record(store, whole_run(F, at=START, received_at=START, took=0, schedule=HOURLY))
    clock.advance(3901)
    answer = ask(store)
    assert answer.headline is Headline.FAILING
    assert answer.series[0].silent_since == START + 3900 * SECOND
    assert (answer.counts.failing, answer.counts.silent) == (1, 0)


def test_a_run_under_way_within_its_deadline_is_running_and_not_silent(
    store: Store, clock: FrozenClock
) -> None:
    record(store, whole_run(at=START, took=0, schedule=HOURLY))
    clock.advance(3600)
    key = SeriesKey("invoice-sync", "production", "main")
    start = RunStart(key, clock(), clock(), contract=Contract(600, 0))
    store.write(recording.start_run, start, Policy())
    clock.advance(301)
    answer = ask(store)
    assert answer.headline is Headline.NOTHING_FAILING
    assert answer.counts.passing == 1
    clock.advance(600)
    assert ask(store).series[0].reason is Reason.RUN_ABANDONED


def test_a_late_record_ends_no_silence_but_a_newer_run_does(
    store: Store, clock: FrozenClock
) -> None:
    record(store, whole_run(at=START, took=0, schedule=HOURLY))
    clock.advance(4000)
    record(store, whole_run(at=START - HOUR, received_at=clock()))
    assert ask(store).counts.silent == 1
    record(store, whole_run(at=clock() - 5 * SECOND, took=1))
    assert ask(store).counts.silent == 0


def test_a_period_of_zero_takes_the_schedule_back(store: Store, clock: FrozenClock) -> None:
    record(store, whole_run(at=START - 20 * SECOND, schedule=HOURLY))
    record(store, whole_run(at=START - 10 * SECOND, schedule=Schedule(0, 0)))
    clock.advance(5000)
    assert ask(store).counts.silent == 0


def test_critical_comes_first_then_the_newest_break_then_the_name(store: Store) -> None:
    for workflow, minutes in (("b", 3), ("a", 3), ("newest", 1), ("vital", 9)):
        record(store, whole_run(F, at=START - minutes * MINUTE, workflow=workflow))
    answer = ask(store, Policy(critical=frozenset({"vital"})))
    assert [series.key.workflow for series in answer.series] == ["vital", "newest", "a", "b"]


def test_a_reason_that_three_share_is_told(store: Store) -> None:
    for number in range(4):
        verdict = F if number else B
        record(store, whole_run(verdict, at=START - MINUTE, workflow=f"w{number}"))
    shared = ask(store).shared_reason
    assert shared is not None
    assert (shared.reason, shared.count) == (Reason.NONZERO_EXIT, 3)


def test_streak_since_first_bad_and_last_good_are_those_of_the_present_stretch(
    store: Store,
) -> None:
    story = [(P, "c0"), (D, "c1"), (F, "c2"), (I, "c3"), (S, "c4"), (F, "c5")]
    for number, (verdict, version) in enumerate(story):
        record(store, whole_run(verdict, at=START - (60 - number) * SECOND, took=0.5,
                                code_version=version))  # fmt: skip
    (series,) = ask(store).series
    assert series.standing is Standing.FAILING
    assert series.since == START - 58 * SECOND
    assert series.streak == 3
    assert series.first_bad is not None
    assert series.first_bad.code_version == "c1"
    assert series.last_good is not None
    assert series.last_good.code_version == "c0"


def test_the_answer_costs_the_same_over_many_runs(sqlite_store: Store) -> None:
    """Counted in steps of SQLite's machine, which no other load on this computer changes."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    def count(connection: Any, *_rest: object) -> None:  # noqa: ANN401 - the driver's own
        connection.set_progress_handler(step, 1)

    def cost() -> int:
        before = steps
        ask(sqlite_store)
        return steps - before

    record(sqlite_store, *(whole_run(F, at=START - n * SECOND) for n in range(1, 100)))
    event.listen(sqlite_store.engine, "checkout", count)
    few = cost()
    record(sqlite_store, *(whole_run(F, at=START - n * SECOND) for n in range(100, 2000)))
    many = cost()
    event.remove(sqlite_store.engine, "checkout", count)
    assert 0 < many <= few * 1.1


def test_verdicts_are_what_the_builders_say() -> None:
    assert set(OUTCOMES) == set(Verdict)


def test_a_combination_that_holds_no_series_is_not_an_empty_ledger(store: Store) -> None:
    record(store, whole_run(at=START - MINUTE, workflow="export", environment="staging"))
    record(store, whole_run(at=START - MINUTE, workflow="mailer"))
    answer = ask(store, workflow="export", environment="production")
    assert answer.headline is Headline.EMPTY
    assert answer.series_elsewhere == 2
    assert ask(store).series_elsewhere == 0


def test_every_overdue_run_is_closed_before_the_answer_however_many_there_are(
    sqlite_store: Store, clock: FrozenClock
) -> None:
    contract = Contract(timeout_seconds=60, grace_seconds=0)
    keys = [SeriesKey(f"w{number}", "production", "main") for number in range(430)]
    record(sqlite_store, *(whole_run(at=START - MINUTE, workflow=key.workflow) for key in keys))

    def start_all(tx: Transaction) -> None:
        for key in keys:
            start = RunStart(key, clock(), clock(), contract=contract)
            recording.start_run(tx, start, Policy())

    sqlite_store.write(start_all)
    clock.advance(61)
    answer = ask(sqlite_store)
    assert (answer.counts.failing, answer.counts.passing) == (430, 0)


def test_a_clock_that_was_set_back_makes_no_old_record_look_fresh(
    store: Store, clock: FrozenClock
) -> None:
    clock.advance(3 * 86_400)
    record(store, whole_run(at=clock(), workflow="other"), whole_run(at=clock(), took=0))
    clock.advance(-3 * 86_400)
    answer = ask(store)
    assert (answer.headline, answer.exit_code) == (Headline.STALE, 2)
    assert plain(headline(answer), answer.as_of).startswith(
        "I can't tell: my newest record is 3 d ahead of my clock."
    )
    record(store, whole_run(F, at=clock() - SECOND, took=0))
    [series] = ask(store, workflow="invoice-sync").series
    assert (series.standing, series.newest_record_at) == (Standing.FAILING, clock() - SECOND)
    assert ask(store, workflow="invoice-sync").headline is Headline.FAILING
    assert ask(store).headline is Headline.STALE  # the other series' age is not known yet
    record(store, whole_run(at=clock(), took=0), whole_run(at=clock(), took=0, workflow="other"))
    assert ask(store).headline is Headline.NOTHING_FAILING
    clock.advance(4 * 86_400)
    record(store, whole_run(F, at=clock(), took=0))
    [series] = ask(store, workflow="invoice-sync").series
    assert (series.standing, series.streak) == (Standing.FAILING, 1)


def test_clocks_of_replicas_may_differ_a_little(store: Store, clock: FrozenClock) -> None:
    record(store, whole_run(at=clock() + MINUTE, took=0))
    answer = ask(store)
    assert answer.headline is Headline.NOTHING_FAILING
    assert plain(footer(answer), answer.as_of).endswith("0 s before. 1 passing.")
