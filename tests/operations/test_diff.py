"""What changed between two commits or two moments, on both stores."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from faultbook.base.clock import DAY, HOUR, MINUTE, SECOND, Instant
from faultbook.base.errors import ConflictError, InvalidError, NotFoundError
from faultbook.model.diff import Change, Commit, Moment, Point, VerdictDiff, parse_point
from faultbook.model.judge import Claim, Outcome
from faultbook.model.policy import Policy
from faultbook.model.run import RunStart, RunType, Schedule, SeriesKey, WholeRun
from faultbook.model.verdict import FailureClass, Reason, Verdict
from faultbook.operations import recording
from faultbook.operations.diff import ask_diff
from faultbook.store import history, past
from faultbook.store.engine import Store
from faultbook.store.schema import series
from faultbook.store.transaction import Transaction
from tests.builders import whole_run
from tests.conftest import START, FrozenClock

P, F, B, D, I, S = (  # noqa: E741 - the truth table's own letters
    Verdict.PASSED,
    Verdict.FAILED,
    Verdict.BLOCKED,
    Verdict.DEGRADED,
    Verdict.INCONCLUSIVE,
    Verdict.SKIPPED,
)
OLD, NEW = "a" * 40, "b" * 40
BEFORE, AFTER = START - 3 * HOUR, START - HOUR
OUT_OF_TIME = Outcome(timed_out=True)


def record(store: Store, *whole: WholeRun) -> None:
    store.write(recording.record_runs, list(whole))


def ask(store: Store, before: Point, after: Point | None = None) -> VerdictDiff:
    return ask_diff(store, before, after, Policy())


def names(changes: Sequence[Change]) -> list[str]:
    return [change.place.workflow for change in changes]


def record_both_sides(store: Store) -> None:
    """Every way in which a workflow can stand on two sides, each carrying its commit."""
    sides: dict[str, tuple[Verdict | Outcome | None, Verdict | Outcome | None]] = {
        "broke": (P, F),
        "got-stuck": (P, B),
        "mended": (F, P),
        "proven": (I, P),
        "same": (F, F),
        "otherwise": (F, OUT_OF_TIME),
        "worse": (D, F),
        "unproven-now": (P, I),
        "unproven-still": (I, I),
        "fine": (P, P),
        "new-and-bad": (None, F),
        "new-and-fine": (None, P),
        "gone": (P, None),
        "idle": (P, S),
    }
    for workflow, (before, after) in sides.items():
        if before is not None:
            record(store, whole_run(before, at=BEFORE, workflow=workflow, code_version=OLD))
        if after is not None:
            record(store, whole_run(after, at=AFTER, workflow=workflow, code_version=NEW))


def test_two_moments_are_compared_by_their_standings(store: Store) -> None:
    record_both_sides(store)
    diff = ask(store, Moment(START - 2 * HOUR))
    assert names(diff.newly_failing) == ["broke", "got-stuck", "new-and-bad"]
    assert names(diff.reason_changed) == ["otherwise", "worse"]
    assert names(diff.still_failing) == ["same"]
    assert names(diff.newly_passing) == ["mended", "proven"]
    assert names(diff.no_longer_passing) == ["unproven-now"]
    # What did not run again since stands as it stood.
    assert (diff.still_passing, diff.still_unproven) == (3, 1)
    assert (diff.compared, diff.missing_before, diff.missing_after) == (12, 2, 0)
    assert diff.after == Moment(START)
    assert diff.exit_code == 1


def test_two_commits_are_compared_by_the_runs_that_carry_them(store: Store) -> None:
    record_both_sides(store)
    diff = ask(store, Commit("aaaaaaa"), Commit("bbbbbbb"))
    assert (diff.before, diff.after) == (Commit(OLD), Commit(NEW))
    assert names(diff.newly_failing) == ["broke", "got-stuck", "new-and-bad"]
    assert names(diff.newly_passing) == ["mended", "proven"]
    assert diff.still_passing == 1
    # A skipped run says nothing of a commit.
    assert (diff.compared, diff.missing_before, diff.missing_after) == (10, 2, 2)


def test_a_commit_on_a_branch_is_held_against_the_main_branch(store: Store) -> None:
    record(store, whole_run(P, at=BEFORE))
    record(store, whole_run(F, at=AFTER, branch="fix", code_version=NEW))
    diff = ask(store, Moment(START - 2 * HOUR), Commit("bbbbbbb"))
    assert names(diff.newly_failing) == ["invoice-sync"]
    assert diff.newly_failing[0].after.branch == "fix"


def test_an_unproven_run_of_a_commit_does_not_end_its_failure(store: Store) -> None:
    record(store, whole_run(P, at=BEFORE, code_version=OLD))
    record(store, whole_run(F, at=AFTER, code_version=NEW))
    record(store, whole_run(I, at=AFTER + MINUTE, code_version=NEW))
    assert names(ask(store, Commit("aaaaaaa"), Commit("bbbbbbb")).newly_failing) == ["invoice-sync"]


def test_replays_are_no_part_of_a_comparison(store: Store) -> None:
    record(store, whole_run(P, at=BEFORE, code_version=OLD))
    record(store, whole_run(P, at=AFTER, code_version=NEW))
    record(store, whole_run(F, at=AFTER + 1, code_version=NEW, run_type=RunType.REPLAY))
    for diff in (ask(store, Commit(OLD), Commit(NEW)), ask(store, Moment(START - 2 * HOUR))):
        assert (diff.bad, diff.still_passing) == (0, 1)
        assert diff.exit_code == 0


def test_what_went_silent_no_longer_passes(store: Store) -> None:
    record(store, whole_run(P, at=START - 90 * MINUTE, schedule=Schedule(3600, 60)))
    record(store, whole_run(P, at=START - MINUTE, workflow="fresh"))
    diff = ask(store, Moment(START - HOUR))
    assert names(diff.no_longer_passing) == ["invoice-sync"]
    assert diff.no_longer_passing[0].after.word == "silent"
    assert diff.exit_code == 2
    # Seen from later, it was silent on both sides.
    later = ask(store, Moment(START - 10 * MINUTE))
    assert (len(later.no_longer_passing), later.still_unproven) == (0, 1)


def test_a_run_under_way_is_no_silence(store: Store, clock: FrozenClock) -> None:
    record(store, whole_run(P, at=START - 90 * MINUTE, schedule=Schedule(3600, 60)))
    start = RunStart(SeriesKey("invoice-sync", "production", "main"), clock(), clock())
    store.write(recording.start_run, start, Policy())
    assert ask(store, Moment(START - HOUR)).exit_code == 0


def test_a_run_past_its_deadline_is_closed_before_the_comparison(
    store: Store, clock: FrozenClock
) -> None:
    record(store, whole_run(P, at=START - HOUR))
    key = SeriesKey("invoice-sync", "production", "main")
    store.write(recording.start_run, RunStart(key, clock(), clock()), Policy(timeout_seconds=60))
    clock.advance(600)
    diff = ask(store, Moment(START - 30 * MINUTE))
    assert diff.newly_failing[0].after.reason is Reason.RUN_ABANDONED


def test_old_records_cannot_tell_what_changed(store: Store, clock: FrozenClock) -> None:
    record(store, whole_run(P, at=START - HOUR), whole_run(F, at=START - MINUTE))
    clock.advance(DAY / SECOND)
    diff = ask(store, Moment(START - 30 * MINUTE))
    assert diff.stale
    assert names(diff.newly_failing) == ["invoice-sync"]
    assert diff.exit_code == 2
    # Between two past moments, nothing has to be fresh.
    assert ask(store, Moment(START - 30 * MINUTE), Moment(START)).exit_code == 1


def test_nothing_to_compare_is_no_good_news(store: Store) -> None:
    assert ask(store, Moment(START - DAY)).exit_code == 2
    record(store, whole_run(P, at=START - MINUTE))
    diff = ask(store, Moment(START - DAY))
    assert (diff.compared, diff.missing_before) == (0, 1)
    assert diff.exit_code == 2


def test_a_changed_class_of_words_only_is_the_same_reason(store: Store) -> None:
    def log_in(detail: str) -> Outcome:
        return Outcome(claim=Claim(B, Reason.SESSION_EXPIRED, FailureClass.AUTH, detail))

    record(store, whole_run(log_in("Log in to CRM"), at=BEFORE))
    record(store, whole_run(log_in("Log in again"), at=AFTER))
    diff = ask(store, Moment(START - 2 * HOUR))
    assert names(diff.still_failing) == ["invoice-sync"]
    assert diff.still_failing[0].after.detail == "Log in again"


def test_a_commit_that_never_ran_is_named(store: Store) -> None:
    with pytest.raises(NotFoundError, match="ccccccc"):
        ask(store, Commit("ccccccc"))


def test_digits_that_several_commits_begin_with_are_refused(store: Store) -> None:
    shared = "abcdef0"
    for number, tail in enumerate(("1", "2", "f")):
        record(store, whole_run(P, at=AFTER + number, code_version=shared + tail))
    with pytest.raises(ConflictError, match="abcdef01"):
        ask(store, Commit(shared))
    assert ask(store, Commit(shared + "f")).before == Commit(shared + "f")


@pytest.mark.parametrize("digits", ["fffffff", "abcdeff", "0000009"])
def test_a_commit_is_found_at_the_edges_of_the_digits(store: Store, digits: str) -> None:
    whole = [digits + "0", digits + "f" * 33, f"{digits}-dirty"]
    near = ["abcdefe0", "abcdf000", "0000008f", "000000a0"]
    for number, version in enumerate((*whole, *near)):
        record(store, whole_run(P, at=AFTER + number, code_version=version))
    assert sorted(store.read(past.list_code_versions, digits, 10)) == sorted(whole)


def test_moments_in_the_wrong_order_are_refused(store: Store) -> None:
    with pytest.raises(InvalidError, match="later"):
        ask(store, Moment(START - HOUR), Moment(START - 2 * HOUR))


def test_what_can_be_compared_is_read_as_people_write_it() -> None:
    assert parse_point("ABCDEF1", START) == Commit("abcdef1")
    assert parse_point(" yesterday ", START) == Moment(START - START % DAY - DAY)
    for words in ("abc", "g" * 7, "HEAD"):
        with pytest.raises(InvalidError, match="no commit and no moment"):
            parse_point(words, START)
    with pytest.raises(InvalidError, match="still to come"):
        parse_point("2099-01-01", START)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history_of=st.lists(st.sampled_from([P, F, B, D, I, S]), min_size=1, max_size=8))
def test_a_past_standing_is_the_one_that_the_history_gives(
    sqlite_store: Store, history_of: list[Verdict]
) -> None:
    _agree_at_each_moment(sqlite_store, history_of)


@pytest.mark.parametrize("history_of", [[P, F, I, D, I, S, F], [I, S, B, P]])
def test_a_past_standing_is_that_of_the_history_on_both_stores(
    store: Store, history_of: list[Verdict]
) -> None:
    _agree_at_each_moment(store, history_of)


def _agree_at_each_moment(store: Store, verdicts: list[Verdict]) -> None:
    workflow = "w" + "".join(verdict.value[0] for verdict in verdicts)
    runs = [
        whole_run(verdict, at=START - HOUR + number * MINUTE, workflow=workflow)
        for number, verdict in enumerate(verdicts)
    ]
    record(store, *runs)

    def compare_bases(tx: Transaction, moment: Instant) -> None:
        found = {one.key.workflow: one.basis for one in past.list_standings_at(tx, "main", moment)}
        row = tx.execute(select(series.c.id).where(series.c.workflow == workflow)).first()
        assert row is not None
        derived = history.derive_standing(tx, row.id, until=moment)
        assert found.get(workflow) == derived.basis

    for number in range(len(verdicts)):
        store.read(compare_bases, START - HOUR + number * MINUTE)
