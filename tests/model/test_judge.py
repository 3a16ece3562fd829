"""No path leads to `passed` but those of the table; a claim can only worsen."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbook.model.evidence import Artifact, Check
from faultbook.model.judge import BrokenLimit, Claim, Outcome, TestCounts, judge
from faultbook.model.verdict import WORST_FIRST, FailureClass, Reason, Verdict
from tests.builders import REPORT
from tests.truth.table import ROWS, Row

_artifacts = st.builds(
    Artifact,
    name=st.sampled_from(["a", "b", "c"]),
    check=st.sampled_from(Check),
    mismatch=st.sampled_from([Reason.DIGEST_MISMATCH, Reason.SCHEMA_MISMATCH]),
)
_claims = st.builds(
    Claim,
    verdict=st.sampled_from(Verdict),
    reason=st.none() | st.sampled_from(Reason),
    failure_class=st.none() | st.sampled_from(FailureClass),
)
_tests = st.integers(0, 9).flatmap(
    lambda total: st.integers(0, total).flatmap(
        lambda executed: st.builds(
            TestCounts, st.just(total), st.just(executed), st.integers(0, executed)
        )
    )
)
_outcomes = st.builds(
    Outcome,
    exit_code=st.none() | st.integers(0, 255),
    signal=st.none() | st.integers(1, 64),
    started=st.booleans(),
    timed_out=st.booleans(),
    claim=st.none() | _claims,
    promised=st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True).map(tuple),
    artifacts=st.lists(_artifacts, max_size=3, unique_by=lambda each: each.name).map(tuple),
    confirm=st.none() | st.sampled_from(["succeeded", "failed", "timed_out"]),
    tests=st.none() | _tests,
    broken_limits=st.lists(
        st.builds(BrokenLimit, st.just(Reason.LIMIT_EXCEEDED), st.just("over")), max_size=1
    ).map(tuple),
    heartbeat=st.booleans(),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.happened)
def test_each_row_of_the_table_is_judged_as_it_says(row: Row) -> None:
    judgement = judge(dataclasses.replace(row.outcome, heartbeat=row.heartbeat))
    assert (judgement.verdict, judgement.reason, judgement.failure_class) == (
        row.verdict,
        row.reason,
        row.failure_class,
    )


@given(_outcomes)
def test_no_path_leads_to_passed_but_verified_evidence_or_an_accepted_heartbeat(
    outcome: Outcome,
) -> None:
    judgement = judge(outcome)
    if judgement.verdict is not Verdict.PASSED:
        return
    assert outcome.started
    assert not outcome.timed_out
    assert outcome.signal is None
    assert outcome.exit_code in (None, 0)
    assert outcome.claim is None or outcome.claim.verdict is Verdict.PASSED
    assert outcome.confirm in (None, "succeeded")
    assert not outcome.broken_limits
    assert outcome.tests is None or (outcome.tests.executed and not outcome.tests.failed)
    if judgement.reason is Reason.HEARTBEAT_ACCEPTED:
        assert outcome.heartbeat
        assert not outcome.promised
        assert not outcome.artifacts
    else:
        assert outcome.artifacts
        assert all(artifact.check is Check.VERIFIED for artifact in outcome.artifacts)
        assert set(outcome.promised) <= {artifact.name for artifact in outcome.artifacts}


@given(_outcomes, _claims)
def test_a_claim_can_only_worsen_what_was_observed(outcome: Outcome, claim: Claim) -> None:
    if claim.verdict in (Verdict.SKIPPED, Verdict.BLOCKED):
        return  # they say that nothing was to be produced; below, they never reach passed
    silent = judge(dataclasses.replace(outcome, claim=None)).verdict
    claimed = judge(dataclasses.replace(outcome, claim=claim)).verdict
    assert WORST_FIRST.index(claimed) <= WORST_FIRST.index(silent)


@given(_outcomes)
def test_the_worst_finding_decides_and_all_are_kept(outcome: Outcome) -> None:
    judgement = judge(outcome)
    if not judgement.findings:
        assert judgement.verdict is Verdict.PASSED
        return
    ranks = [WORST_FIRST.index(finding.verdict) for finding in judgement.findings]
    assert ranks == sorted(ranks)
    assert judgement.verdict is judgement.findings[0].verdict
    assert judgement.reason is judgement.findings[0].reason


def test_an_exit_code_and_a_missing_file_are_both_told() -> None:
    outcome = Outcome(exit_code=2, promised=("report.pdf",), artifacts=(REPORT,))
    judgement = judge(outcome)
    assert judgement.verdict is Verdict.FAILED
    assert [finding.reason for finding in judgement.findings] == [
        Reason.NONZERO_EXIT,
        Reason.MISSING_ARTIFACT_REF,
    ]
    assert judgement.findings[1].detail == "report.pdf was not written"


def test_failed_tests_are_told_by_name_and_the_rest_by_number() -> None:
    names = tuple(f"test_{n}" for n in range(9))
    judgement = judge(Outcome(tests=TestCounts(20, 18, 9, names), artifacts=(REPORT,)))
    assert judgement.detail == ("9 of 18 failed: test_0, test_1, test_2, test_3, test_4 and 4 more")
