"""How runs, artifacts and events lie in their rows."""

from typing import Any

from faultbook.base.clock import Instant
from faultbook.model.evidence import Artifact, Check
from faultbook.model.judge import TestCounts
from faultbook.model.run import (
    Contract,
    RunEnd,
    RunEvent,
    RunRecord,
    RunStart,
    RunState,
    RunType,
    Schedule,
    SeriesKey,
    Usage,
)
from faultbook.model.verdict import FailureClass, Finding, Judgement, Reason, Verdict


def start_values(start: RunStart) -> dict[str, Any]:
    """Give the columns of a run as it begins."""
    contract, schedule = start.contract, start.schedule
    return {
        "run_type": start.run_type.value,
        "started_at": start.started_at,
        "occurred_at": start.occurred_at,
        "received_at": start.received_at,
        "agent_name": start.agent_name,
        "task_id": start.task_id,
        "attempt": start.attempt,
        "code_version": start.code_version,
        "model": start.model,
        "prompt_version": start.prompt_version,
        "input_sha256": start.input_sha256,
        "state_refs": list(start.state_refs),
        "promised": list(start.promised),
        "url": start.url,
        "tool_allowlist": None
        if contract.tool_allowlist is None
        else list(contract.tool_allowlist),
        "timeout_seconds": contract.timeout_seconds,
        "grace_seconds": contract.grace_seconds,
        "token_limit": contract.token_limit,
        "cost_limit": contract.cost_limit,
        "every_seconds": schedule.every_seconds if schedule else None,
        "due_grace_seconds": schedule.grace_seconds if schedule else None,
    }


def end_values(end: RunEnd, judgement: Judgement, closed_at: Instant) -> dict[str, Any]:
    """Give the columns of a run as it ends."""
    tests = end.outcome.tests
    return {
        "state": RunState.CLOSED.value,
        "verdict": judgement.verdict.value,
        "reason": judgement.reason.value if judgement.reason else None,
        "failure_class": judgement.failure_class.value if judgement.failure_class else None,
        "failure_reason": judgement.detail,
        "findings": [_finding_values(finding) for finding in judgement.findings],
        "ended_at": end.ended_at,
        "closed_at": closed_at,
        "exit_code": end.outcome.exit_code,
        "signal": end.outcome.signal,
        "tests": None if tests is None else tests_values(tests),
        "input_tokens": end.usage.input_tokens,
        "output_tokens": end.usage.output_tokens,
        "cost": end.usage.cost,
        "cpu_seconds": end.usage.cpu_seconds,
        "peak_memory_bytes": end.usage.peak_memory_bytes,
        "stdout_tail": end.stdout_tail,
        "stderr_tail": end.stderr_tail,
    }


def tests_values(tests: TestCounts) -> dict[str, Any]:
    """Give the JSON of counted tests."""
    return {
        "total": tests.total,
        "executed": tests.executed,
        "failed": tests.failed,
        "failed_names": list(tests.failed_names),
    }


def _finding_values(finding: Finding) -> dict[str, str | None]:
    return {
        "verdict": finding.verdict.value,
        "reason": finding.reason.value,
        "failure_class": finding.failure_class.value if finding.failure_class else None,
        "detail": finding.detail,
    }


def artifact_values(sequence: int, artifact: Artifact) -> dict[str, Any]:
    """Give the columns of an artifact."""
    return {
        "run_sequence": sequence,
        "name": artifact.name,
        "check": artifact.check.value,
        "uri": artifact.uri,
        "sha256": artifact.sha256,
        "size": artifact.size,
        "media_type": artifact.media_type,
        "mismatch": artifact.mismatch.value if artifact.mismatch else None,
        "excerpt": artifact.excerpt,
        "detail": artifact.detail,
    }


def event_values(sequence: int, event: RunEvent) -> dict[str, Any]:
    """Give the columns of an event."""
    return {
        "run_sequence": sequence,
        "kind": event.kind,
        "name": event.name,
        "text": event.text,
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
        "client_seq": event.client_seq,
        "duration_ms": event.duration_ms,
    }


def read_artifact(row: Any) -> Artifact:  # noqa: ANN401 - a row of the artifacts table
    """Take an artifact's row as a value."""
    return Artifact(
        row.name,
        Check(row.check),
        row.uri,
        row.sha256,
        row.size,
        row.media_type,
        Reason(row.mismatch) if row.mismatch else None,
        row.excerpt,
        row.detail,
    )


def _read_finding(values: dict[str, Any]) -> Finding:
    failure_class = values["failure_class"]
    return Finding(
        Verdict(values["verdict"]),
        Reason(values["reason"]),
        FailureClass(failure_class) if failure_class else None,
        values["detail"],
    )


def read_run(row: Any, found: tuple[Artifact, ...]) -> RunRecord:  # noqa: ANN401 - a joined row
    """Take a run's row, joined with its series, as a value."""
    schedule = None
    if row.every_seconds is not None:
        schedule = Schedule(row.every_seconds, row.due_grace_seconds or 0.0)
    tests = row.tests
    return RunRecord(
        run_id=row.run_id,
        sequence=row.sequence,
        start=RunStart(
            series=SeriesKey(row.workflow, row.environment, row.branch),
            started_at=row.started_at,
            received_at=row.received_at,
            occurred_at=row.occurred_at,
            run_type=RunType(row.run_type),
            agent_name=row.agent_name,
            task_id=row.task_id,
            attempt=row.attempt,
            code_version=row.code_version,
            model=row.model,
            prompt_version=row.prompt_version,
            input_sha256=row.input_sha256,
            state_refs=tuple(row.state_refs),
            url=row.url,
            promised=tuple(row.promised),
            contract=Contract(
                row.timeout_seconds,
                row.grace_seconds,
                None if row.tool_allowlist is None else tuple(row.tool_allowlist),
                row.token_limit,
                row.cost_limit,
            ),
            schedule=schedule,
        ),
        state=RunState(row.state),
        deadline_at=row.deadline_at,
        closed_at=row.closed_at,
        ended_at=row.ended_at,
        verdict=Verdict(row.verdict) if row.verdict else None,
        findings=tuple(_read_finding(finding) for finding in row.findings),
        usage=Usage(
            row.input_tokens, row.output_tokens, row.cost, row.cpu_seconds, row.peak_memory_bytes
        ),
        exit_code=row.exit_code,
        signal=row.signal,
        tests=TestCounts(
            tests["total"], tests["executed"], tests["failed"], tuple(tests["failed_names"])
        )
        if tests
        else None,
        stdout_tail=row.stdout_tail,
        stderr_tail=row.stderr_tail,
        artifacts=found,
    )
