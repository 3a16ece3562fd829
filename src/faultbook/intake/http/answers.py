"""What reports are answered with."""

from typing import Any

from faultbook.base.clock import iso
from faultbook.base.errors import ConflictError
from faultbook.intake.http.door import Answer
from faultbook.intake.http.problems import problem_document
from faultbook.model.evidence import Artifact
from faultbook.model.run import RunRecord
from faultbook.model.verdict import Judgement
from faultbook.operations.recording import CloseOutcome, CloseResult
from faultbook.view.documents import run_document


def started(run: RunRecord) -> Answer:
    """Answer that a run was opened."""
    document = {
        "run_id": run.run_id,
        "state": run.state.value,
        "workflow": run.start.series.workflow,
        "environment": run.start.series.environment,
        "branch": run.start.series.branch,
        "started_at": iso(run.start.started_at),
        "deadline_at": iso(run.deadline_at),
    }
    return Answer(201, document, location=f"/v1/runs/{run.run_id}")


def noted(run: RunRecord) -> Answer:
    """Answer that an event was recorded."""
    return Answer(201, {"run_id": run.run_id, "recorded": True})


def checked(run: RunRecord, artifact: Artifact) -> Answer:
    """Answer what reading an artifact came to."""
    document = {
        "run_id": run.run_id,
        "name": artifact.name,
        "check": artifact.check.value,
        "sha256": artifact.sha256,
        "size": artifact.size,
        "media_type": artifact.media_type,
        "detail": artifact.detail,
    }
    return Answer(200, document)


def closed(result: CloseResult, instance: str) -> Answer:
    """Answer a close: the stored run, or that it was closed otherwise before."""
    run = result.run
    if result.outcome is not CloseOutcome.LATE:
        return Answer(200, {"outcome": result.outcome.value, **run_document(run)})
    verdict = f" as {run.verdict}" if run.verdict else ""
    error = ConflictError(
        f"The run was closed{verdict} before; this close changed nothing.",
        code="late_close",
        next_step="Read the stored result; start a new run for a new attempt.",
    )
    problem = problem_document(error, instance)
    return Answer(409, problem | {"run_id": run.run_id, "run": run_document(run)})


def recorded(run_id: str, judgement: Judgement) -> Answer:
    """Answer that a whole run was recorded, and how it was judged."""
    document = {"run_id": run_id, **verdict_document(judgement)}
    return Answer(201, document, location=f"/v1/runs/{run_id}")


def verdict_document(judgement: Judgement) -> dict[str, Any]:
    """Show how a run was judged."""
    reason, failure_class = judgement.reason, judgement.failure_class
    return {
        "verdict": judgement.verdict.value,
        "reason": reason.value if reason else None,
        "failure_class": failure_class.value if failure_class else None,
        "failure_reason": judgement.detail,
    }
