"""The public JSON documents: what `--json`, `GET /v1/failing` and `GET /v1/runs/{id}` show.

Times are RFC 3339 in UTC, amounts of money are decimal strings, everything that was not said is
null. Each document holds the whole of what it shows, so that it can be read back.
"""

from dataclasses import asdict
from typing import Any, TypeAlias

from faultbook.base.clock import iso, iso_or_none
from faultbook.model.answer import Counts, EvidenceRef, FailingAnswer, FailingQuery, SeriesAnswer
from faultbook.model.draft import LateDraft
from faultbook.model.evidence import Artifact
from faultbook.model.run import RunEvent, RunRecord
from faultbook.model.standing import RunMark
from faultbook.model.timeline import Timeline
from faultbook.model.verdict import Finding

Document: TypeAlias = dict[str, Any]
"""A JSON object."""


def failing_document(answer: FailingAnswer) -> Document:
    """Show the answer to "what's failing?" as JSON."""
    shared = answer.shared_reason
    return {
        "headline": answer.headline.value,
        "exit_code": answer.exit_code,
        "as_of": iso(answer.as_of),
        "newest_record_at": iso_or_none(answer.newest_record_at),
        "branch": answer.branch,
        "query": _query(answer.query),
        "counts": _counts(answer.counts),
        "series": [_series(series) for series in answer.series],
        "other_branches": answer.other_branches,
        "failing_before": answer.failing_before,
        "shared_reason": {"reason": shared.reason.value, "count": shared.count} if shared else None,
        "unmatched": answer.unmatched,
        "nearest": answer.nearest,
        "due_every_seconds": answer.due_every_seconds,
        "series_elsewhere": answer.series_elsewhere,
        "late_drafts": [_late_draft(draft) for draft in answer.late_drafts],
        "undelivered": answer.undelivered,
    }


def _late_draft(draft: LateDraft) -> Document:
    return asdict(draft) | {"due_at": iso(draft.due_at)}


def _query(query: FailingQuery) -> Document:
    return asdict(query) | {"since": iso_or_none(query.since)}


def _counts(counts: Counts) -> Document:
    return asdict(counts) | {"not_passing": counts.not_passing}


def _series(series: SeriesAnswer) -> Document:
    return {
        "workflow": series.key.workflow,
        "environment": series.key.environment,
        "branch": series.key.branch,
        "standing": series.standing.value,
        "silent_since": iso_or_none(series.silent_since),
        "verdict": _value(series.verdict),
        "failure_class": _value(series.failure_class),
        "reason": _value(series.reason),
        "since": iso_or_none(series.since),
        "streak": series.streak,
        "first_bad_run": run_mark_document(series.first_bad),
        "last_good_run": run_mark_document(series.last_good),
        "evidence": [_evidence(ref) for ref in series.evidence],
        "newest_record_at": iso_or_none(series.newest_record_at),
        "detail": series.detail,
        "basis_run": run_mark_document(series.basis_run),
        "newest_run": run_mark_document(series.newest_run),
        "newest_verdict": _value(series.newest_verdict),
        "newest_reason": _value(series.newest_reason),
        "newest_unproven": series.newest_unproven,
        "running_since": iso_or_none(series.running_since),
        "every_seconds": series.every_seconds,
        "url": series.url,
        "critical": series.critical,
        "fingerprint": series.fingerprint if series.is_failure else None,
        "known_lesson": series.known_lesson,
        "known_incident": series.known_incident,
        "happened_again": series.happened_again,
        "repeats": series.repeats,
    }


def _evidence(ref: EvidenceRef) -> Document:
    return {"name": ref.name, "check": ref.check, "uri": ref.uri}


def run_mark_document(mark: RunMark | None) -> Document | None:
    """Show a run as answers name it."""
    if mark is None:
        return None
    return {
        "run_id": mark.run_id,
        "code_version": mark.code_version,
        "started_at": iso(mark.started_at),
    }


def run_document(record: RunRecord) -> Document:
    """Show a run as JSON."""
    return {**_identity(record), **_course(record), **_contract(record), **_outcome(record)}


def timeline_document(timeline: Timeline) -> Document:
    """Show a run as JSON with its events; says so where there are more than it holds."""
    events = [_event(event) for event in timeline.events]
    return run_document(timeline.run) | {"events": events, "more_events": timeline.more}


def _identity(record: RunRecord) -> Document:
    start = record.start
    return {
        "run_id": record.run_id,
        "workflow": start.series.workflow,
        "environment": start.series.environment,
        "branch": start.series.branch,
        "run_type": start.run_type.value,
        "task_id": start.task_id,
        "attempt": start.attempt,
        "agent_name": start.agent_name,
        "code_version": start.code_version,
        "model": start.model,
        "prompt_version": start.prompt_version,
        "input_sha256": start.input_sha256,
        "state_refs": list(start.state_refs),
        "url": start.url,
    }


def _course(record: RunRecord) -> Document:
    start = record.start
    return {
        "state": record.state.value,
        "started_at": iso(start.started_at),
        "occurred_at": iso_or_none(start.occurred_at),
        "received_at": iso(start.received_at),
        "deadline_at": iso(record.deadline_at),
        "ended_at": iso_or_none(record.ended_at),
        "closed_at": iso_or_none(record.closed_at),
    }


def _contract(record: RunRecord) -> Document:
    contract, schedule = record.start.contract, record.start.schedule
    return {
        "promised": list(record.start.promised),
        "timeout_seconds": contract.timeout_seconds,
        "grace_seconds": contract.grace_seconds,
        "tool_allowlist": None
        if contract.tool_allowlist is None
        else list(contract.tool_allowlist),
        "token_limit": contract.token_limit,
        "cost_limit": None if contract.cost_limit is None else str(contract.cost_limit),
        "every_seconds": schedule.every_seconds if schedule else None,
        "due_grace_seconds": schedule.grace_seconds if schedule else None,
    }


def _outcome(record: RunRecord) -> Document:
    deciding = record.findings[0] if record.findings else None  # the worst comes first
    usage = record.usage
    return {
        "verdict": _value(record.verdict),
        "reason": _value(deciding.reason) if deciding else None,
        "failure_class": _value(deciding.failure_class) if deciding else None,
        "failure_reason": deciding.detail if deciding else "",
        "findings": [_finding(finding) for finding in record.findings],
        "exit_code": record.exit_code,
        "signal": record.signal,
        "tests": asdict(record.tests) if record.tests else None,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost": None if usage.cost is None else str(usage.cost),
        "cpu_seconds": usage.cpu_seconds,
        "peak_memory_bytes": usage.peak_memory_bytes,
        "stdout_tail": record.stdout_tail,
        "stderr_tail": record.stderr_tail,
        "artifacts": [_artifact(artifact) for artifact in record.artifacts],
    }


def _finding(finding: Finding) -> Document:
    return {
        "verdict": finding.verdict.value,
        "reason": finding.reason.value,
        "failure_class": _value(finding.failure_class),
        "detail": finding.detail,
    }


def _artifact(artifact: Artifact) -> Document:
    document = asdict(artifact) | {
        "check": artifact.check.value,
        "mismatch": _value(artifact.mismatch),
    }
    del document["announced"]  # it went into the check
    return document


def _event(event: RunEvent) -> Document:
    return asdict(event) | {
        "occurred_at": iso_or_none(event.occurred_at),
        "received_at": iso(event.received_at),
    }


def _value(word: Any) -> str | None:  # noqa: ANN401 - any of the closed vocabularies
    return None if word is None else str(word.value)
