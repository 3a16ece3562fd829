"""Reports by agents with tokens: held to the token's workflows and to the agent's own runs."""

from dataclasses import replace

from faultbook.base.errors import ForbiddenError
from faultbook.base.text import cut
from faultbook.model.document_runs import check_outcome_said
from faultbook.model.evidence import Artifact
from faultbook.model.judge import TestCounts
from faultbook.model.policy import Policy
from faultbook.model.run import RunEnd, RunEvent, RunRecord, RunState
from faultbook.model.timeline import Timeline
from faultbook.model.token import Scope, Token
from faultbook.operations import recording
from faultbook.operations.recording import CloseResult
from faultbook.operations.timeline import read_timeline
from faultbook.store import runs
from faultbook.store.transaction import Transaction


def check_scope(token: Token, scope: Scope) -> None:
    """Hold a token to its scopes.

    Raises:
        ForbiddenError: this scope is none of them.
    """
    if scope.value not in token.scopes:
        raise ForbiddenError(
            f"The token {token.id} lacks the scope {scope.value}.",
            code="missing_scope",
            next_step=f"Make one with: faultbook token create --scope {scope.value}.",
            where="Authorization",
        )


def check_workflow(token: Token, workflow: str) -> None:
    """Hold a token to the workflows it is bound to.

    Raises:
        ForbiddenError: this workflow is none of them.
    """
    if token.allows_workflow(workflow):
        return
    bound = ", ".join(sorted(token.workflows))
    raise ForbiddenError(
        f"The token {token.id} may not touch the workflow `{cut(workflow, 80)}`.",
        code="workflow_not_allowed",
        next_step=f"It is bound to {cut(bound, 200)}.",
        where="workflow",
    )


def report_event(tx: Transaction, token: Token, run_id: str, event: RunEvent) -> RunRecord:
    """Add an event to an open run of the token's agent.

    Raises:
        NotFoundError: there is no such run.
        ForbiddenError: it is another agent's, or of a workflow the token is not bound to.
        ConflictError: the run is closed.
    """
    _check_run(tx, token, run_id)
    return recording.record_event(tx, run_id, event)


def report_artifact(
    tx: Transaction, token: Token, run_id: str, artifact: Artifact, tests: TestCounts | None
) -> RunRecord:
    """Add an artifact to an open run of the token's agent.

    Who works on tasks may do so for the attempts at them.

    Raises:
        NotFoundError: there is no such run.
        ForbiddenError: it is another agent's, or of a workflow the token is not bound to.
        ConflictError: the run is closed, or another report was counted under this name.
    """
    run = _check_run(tx, token, run_id)
    if run.start.task_id is None or Scope.TASKS_WORK not in token.scopes:
        check_scope(token, Scope.RUNS_WRITE)
    return recording.record_artifact(tx, run_id, artifact, tests)


def report_close(
    tx: Transaction, token: Token, run_id: str, end: RunEnd, policy: Policy, digest: str
) -> CloseResult:
    """Close a run of the token's agent, as `recording.close_run` does.

    Raises:
        NotFoundError: there is no such run.
        ForbiddenError: it is another agent's, or of a workflow the token is not bound to.
        InvalidError: neither this nor an earlier report says how the run ended.
    """
    run = _check_run(tx, token, run_id)
    if run.state is not RunState.CLOSED:
        check_outcome_said(
            replace(
                end.outcome,
                tests=end.outcome.tests or run.tests,
                artifacts=(*run.artifacts, *end.outcome.artifacts),
            )
        )
    return recording.close_run(tx, run_id, end, policy, digest)


def read_reported(tx: Transaction, token: Token, run_id: str) -> Timeline:
    """Read a run with its events, if the token may see its workflow.

    Raises:
        NotFoundError: there is no such run.
        ConflictError: several runs end so.
        ForbiddenError: it is of a workflow that the token is not bound to.
    """
    timeline = read_timeline(tx, run_id)
    check_workflow(token, timeline.run.start.series.workflow)
    return timeline


def _check_run(tx: Transaction, token: Token, run_id: str) -> RunRecord:
    run = runs.find_run(tx, run_id)
    if run is None:
        raise recording.no_run(run_id)
    check_workflow(token, run.start.series.workflow)
    if run.start.agent_name != token.agent:  # without one it was begun on the server's own host
        raise ForbiddenError(
            f"The run {run_id} is not one of {token.agent}.",
            code="agent_mismatch",
            next_step="Use the token of the agent that started it.",
            where="run_id",
        )
    return run
