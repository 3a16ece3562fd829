"""Recording runs: start, events, artifacts, close by compare-and-set, and whole runs at once."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from faultbook.base.clock import Instant, seconds
from faultbook.base.errors import ConflictError, NotFoundError
from faultbook.model.evidence import Artifact, weighed
from faultbook.model.judge import BrokenLimit, Outcome, TestCounts, abandoned, judge
from faultbook.model.policy import Policy
from faultbook.model.run import (
    TOOL,
    RunEnd,
    RunEvent,
    RunRecord,
    RunStart,
    RunState,
    Usage,
    WholeRun,
)
from faultbook.model.verdict import Judgement, Reason
from faultbook.store import runs
from faultbook.store.transaction import Transaction


class CloseOutcome(StrEnum):
    """What came of a close."""

    CLOSED = "closed"
    REPEATED = "repeated"
    """The same close was there already; the stored result stands."""
    LATE = "late"
    """The run was closed otherwise before; nothing changed but a `late_close` event."""


@dataclass(frozen=True, slots=True)
class CloseResult:
    """What came of a close, with the run as it is stored now."""

    outcome: CloseOutcome
    run: RunRecord


def start_run(tx: Transaction, start: RunStart, policy: Policy) -> RunRecord:
    """Open a run; it is abandoned when no close arrives by its deadline."""
    run_id = runs.append_open(tx, start, policy.deadline(start))
    return _existing(tx, run_id)


def open_run(tx: Transaction, start: RunStart, policy: Policy, run_id: str) -> None:
    """Open a run by an id that was made for it; as `start_run`, without reading it back."""
    runs.append_open(tx, start, policy.deadline(start), run_id)


def record_event(tx: Transaction, run_id: str, event: RunEvent) -> RunRecord:
    """Add an event to an open run.

    Raises:
        NotFoundError: there is no such run.
        ConflictError: the run is closed.
    """
    run = _open_run(tx, run_id)
    runs.append_event(tx, run.sequence, event)
    return run


def record_artifact(
    tx: Transaction, run_id: str, artifact: Artifact, tests: TestCounts | None = None
) -> RunRecord:
    """Add an artifact to an open run, in place of an earlier one of that name.

    `tests` are those of a test report; a report that was counted is not replaced by another.

    Raises:
        NotFoundError: there is no such run.
        ConflictError: the run is closed, or another report was counted under this name.
    """
    run = _open_run(tx, run_id)
    if tests is not None and run.tests is not None:
        earlier = next((known for known in run.artifacts if known.name == artifact.name), None)
        if earlier is not None and earlier.sha256 == artifact.sha256:
            return run
        if earlier is not None:
            raise ConflictError(
                f"Another report was counted as `{artifact.name[:80]}`.",
                code="report_counted",
                next_step="Give this report a name of its own.",
                where="name",
            )
        tests = run.tests.plus(tests)
    runs.put_artifact(tx, run.sequence, artifact)
    if tests is not None:
        runs.put_tests(tx, run.sequence, tests)
    return run


def close_run(
    tx: Transaction, run_id: str, end: RunEnd, policy: Policy, digest: str
) -> CloseResult:
    """Judge an open run and close it, unless it was closed or abandoned before.

    `digest` identifies the request, so that the same close again is answered with the stored
    result.

    Raises:
        NotFoundError: there is no such run.
    """
    run = _existing(tx, run_id, hold=True)
    if run.state is not RunState.CLOSED and run.deadline_at < tx.now:
        _abandon(tx, run)
        run = _existing(tx, run_id)
    if run.state is RunState.CLOSED:
        return _closed_before(tx, run, digest)
    stored = {artifact.name: artifact for artifact in run.artifacts}
    told = [_weighed(artifact, stored) for artifact in end.outcome.artifacts]
    added = [artifact for artifact in told if artifact != stored.get(artifact.name)]
    outcome = replace(
        end.outcome,
        promised=tuple(dict.fromkeys((*run.start.promised, *end.outcome.promised))),
        artifacts=tuple((stored | {artifact.name: artifact for artifact in added}).values()),
        tests=_added_up(run.tests, end.outcome.tests),
    )
    end = replace(end, outcome=outcome, ended_at=max(end.ended_at, run.start.started_at))
    is_held = run.start.contract.tool_allowlist is not None
    tools = runs.list_tools(tx, run.sequence) if is_held else ()
    whole = prepare_whole(run.start, end, policy, tools=tools)
    for artifact in added:
        runs.put_artifact(tx, run.sequence, artifact)
    if not runs.close(tx, run, whole.end, whole.judgement, digest=digest):
        return _closed_before(tx, _existing(tx, run_id), digest)
    return CloseResult(CloseOutcome.CLOSED, _existing(tx, run_id))


def _weighed(told: Artifact, stored: Mapping[str, Artifact]) -> Artifact:
    """Hold a word about an artifact against the bytes that were brought before, if any were."""
    brought = stored.get(told.name)
    return told if brought is None or not told.is_named_only else weighed(brought, told)


def _added_up(stored: TestCounts | None, told: TestCounts | None) -> TestCounts | None:
    return stored.plus(told) if stored and told else stored or told


def _closed_before(tx: Transaction, run: RunRecord, digest: str) -> CloseResult:
    if runs.find_close_digest(tx, run.sequence) == digest:
        return CloseResult(CloseOutcome.REPEATED, run)
    event = RunEvent("late_close", "", "a close arrived after the run was closed", None, tx.now)
    runs.append_event(tx, run.sequence, event)
    return CloseResult(CloseOutcome.LATE, run)


def record_runs(tx: Transaction, whole: Sequence[WholeRun]) -> list[str]:
    """Store runs that are told in one piece; gives their ids in the same order."""
    return runs.append_closed(tx, whole) if whole else []


def prepare_whole(
    start: RunStart,
    end: RunEnd,
    policy: Policy,
    events: Sequence[RunEvent] = (),
    *,
    tools: Collection[str] = (),
) -> WholeRun:
    """Judge a run by all that is known of it; a pure function.

    Args:
        start: how it began, with its contract.
        end: how it ended.
        policy: what the team's settings say.
        events: told with it; they are recorded with the run.
        tools: used in events that are recorded already.
    """
    outcome = end.outcome
    broken = _broken_limits(start, end, {*tools, *_tools_of(events)})
    heartbeat = start.series.workflow in policy.heartbeat
    promised = outcome.promised
    if promised != start.promised:
        promised = tuple(dict.fromkeys((*start.promised, *promised)))
    if broken or heartbeat != outcome.heartbeat or promised is not outcome.promised:
        outcome = replace(
            outcome,
            heartbeat=heartbeat,
            broken_limits=(*outcome.broken_limits, *broken),
            promised=promised,
        )
        end = replace(end, outcome=outcome)
    return WholeRun(start, end, judge(outcome), tuple(events))


def close_overdue(tx: Transaction) -> int:
    """Close every run whose deadline has passed as abandoned; tells how many there were."""
    closed = 0
    for run_id in runs.list_overdue(tx):
        closed += _abandon(tx, _existing(tx, run_id, hold=True))
    return closed


def call_off(tx: Transaction, run_id: str, judgement: Judgement) -> RunRecord:
    """Close an open run that will not say any more how it ended; gives it as it is stored.

    Raises:
        NotFoundError: there is no such run.
    """
    run = _existing(tx, run_id, hold=True)
    if run.state is RunState.CLOSED:
        return run
    end = RunEnd(ended_at=tx.now, outcome=Outcome(artifacts=run.artifacts, tests=run.tests))
    runs.close(tx, run, end, judgement, digest=None, in_time=False)
    return _existing(tx, run_id)


def read_run(tx: Transaction, run_id: str) -> RunRecord:
    """Read a run by its id, or by the end of it that people read.

    Raises:
        NotFoundError: there is no such run.
        ConflictError: several runs end so.
    """
    run = runs.find_run(tx, run_id)
    if run is None and len(run_id) < len("00000000-0000-0000-0000-000000000000"):
        found = runs.find_runs_by_suffix(tx, run_id, limit=2)
        if len(found) > 1:
            raise ConflictError(
                f"More than one run ends with `{run_id}`.",
                code="ambiguous_run",
                next_step="Give more of the id.",
                where="run",
            )
        run = runs.find_run(tx, found[0]) if found else None
    if run is None:
        raise no_run(run_id)
    return run


def request_digest(body: bytes) -> str:
    """Identify a request by its bytes, to recognise it when it comes again."""
    return hashlib.sha256(body).hexdigest()


def _abandon(tx: Transaction, run: RunRecord) -> bool:
    outcome = Outcome(artifacts=run.artifacts, tests=run.tests)
    end = RunEnd(ended_at=run.deadline_at, outcome=outcome)
    judgement = abandoned("no close by its deadline")
    return runs.close(tx, run, end, judgement, digest=None, in_time=False)


def _tools_of(events: Sequence[RunEvent]) -> set[str]:
    return {event.name for event in events if event.kind == TOOL}


def _broken_limits(start: RunStart, end: RunEnd, tools: Collection[str]) -> list[BrokenLimit]:
    contract, usage = start.contract, end.usage
    broken: list[BrokenLimit] = []
    tokens = (usage.input_tokens or 0) + (usage.output_tokens or 0)
    if contract.token_limit is not None and tokens > contract.token_limit:
        words = f"{tokens} tokens, {contract.token_limit} allowed"
        broken.append(BrokenLimit(Reason.LIMIT_EXCEEDED, words))
    if _over_cost(start, usage):
        words = f"cost {usage.cost}, {contract.cost_limit} allowed"
        broken.append(BrokenLimit(Reason.LIMIT_EXCEEDED, words))
    took: Instant = end.ended_at - start.started_at
    limit = contract.timeout_seconds
    if limit is not None and took > seconds(limit) and not end.outcome.timed_out:
        words = f"took {took / 1_000_000:.1f} s, {limit:g} s allowed"
        broken.append(BrokenLimit(Reason.LIMIT_EXCEEDED, words))
    if contract.tool_allowlist is not None:
        broken += [
            BrokenLimit(Reason.TOOL_NOT_ALLOWED, f"used {tool}, which is not on its list")
            for tool in sorted(set(tools) - set(contract.tool_allowlist))
        ]
    return broken


def _over_cost(start: RunStart, usage: Usage) -> bool:
    limit = start.contract.cost_limit
    return limit is not None and usage.cost is not None and usage.cost > limit


def _existing(tx: Transaction, run_id: str, *, hold: bool = False) -> RunRecord:
    run = runs.find_run(tx, run_id, hold=hold)
    if run is None:
        raise no_run(run_id)
    return run


def _open_run(tx: Transaction, run_id: str) -> RunRecord:
    run = _existing(tx, run_id, hold=True)
    if run.state is RunState.CLOSED or run.deadline_at < tx.now:
        raise ConflictError(
            f"The run {run_id} is closed.",
            code="run_closed",
            next_step="Start a new run; a closed one never changes.",
            where="run_id",
        )
    return run


def no_run(run_id: str) -> NotFoundError:
    """Say that there is no such run."""
    return NotFoundError(
        f"There is no run `{run_id[:80]}`.",
        code="run_not_found",
        next_step="Check the id: it is the whole id, or its last 8 characters.",
        where="run_id",
    )
