"""What `/openapi.json` says of approvals."""

from typing import Any

from faultbook.intake.http.openapi_parts import (
    KEY,
    OBJECTS,
    SCHEMAS,
    TEXT,
    TEXT_OR_NULL,
    TIME,
    an_object,
    gives,
    path_part,
    query,
    takes,
)
from faultbook.intake.http.problems import PROBLEM
from faultbook.model.approval import ApprovalState

_ID = path_part("approval_id", "The approval's id, `A-7` or 7.")
_ONE = "/v1/approvals/{approval_id}"
_REFUSED = {
    **gives("403", "Problem", "Who asks may not do this; the audit log has it.", PROBLEM),
    **gives("409", "Problem", "It was decided, or ended, before; nothing changed.", PROBLEM),
}


def _changes(schema: str, words: str, answer: str = "Approval") -> dict[str, Any]:
    return {
        **takes(schema),
        "parameters": [_ID, KEY],
        "responses": {**gives("200", answer, words), **_REFUSED},
    }


APPROVAL_BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/v1/approvals"): {
        **takes("NewApprovalDocument"),
        "parameters": [KEY],
        "responses": {
            **gives("201", "Approval", "It is asked for; or was denied a moment ago, and is again"),
            **gives("200", "Approval", "The same waits already, or is approved and has not run."),
            **gives(
                "403",
                "Problem",
                "`no_policy`: nobody was set to decide this; `owner_unknown`.",
                PROBLEM,
            ),
            **gives("413", "Problem", "The action is over its limit.", PROBLEM),
            **gives("429", "Problem", "The agent has asked too often within the hour.", PROBLEM),
        },
    },
    ("GET", "/v1/approvals"): {
        "parameters": [
            query("state", "`pending` where left out; a state, or `all`."),
            query("agent", "Only what this agent asked for."),
            query("limit", "How many at most: 1 to 500, 50 where left out."),
        ],
        "responses": gives(
            "200", "Approvals", "Pending ones by their end, others the newest first."
        ),
    },
    ("GET", _ONE): {
        "parameters": [
            _ID,
            query("wait", "Seconds, 0 to 30: answer once it is decided, or after so long."),
        ],
        "responses": gives("200", "Approval", "The approval as it stands."),
    },
    ("POST", f"{_ONE}/execute"): _changes(
        "ExecuteDocument", "The leave to run it once; run the action of this answer.", "Grant"
    ),
    ("POST", f"{_ONE}/executed"): _changes("ReportDocument", "It is recorded as done."),
    ("POST", f"{_ONE}/failed"): _changes("ReportDocument", "It is recorded as tried and failed."),
    ("POST", f"{_ONE}/cancel"): _changes("NothingDocument", "It is taken back."),
    ("POST", f"{_ONE}/approve"): _changes("DecisionDocument", "The vote counts."),
    ("POST", f"{_ONE}/deny"): _changes("DecisionDocument", "The vote counts."),
    ("POST", f"{_ONE}/break-glass"): _changes("DecisionDocument", "It is approved, loudly."),
    ("POST", f"{_ONE}/review"): _changes("ReviewDocument", "The bypass is reviewed."),
    ("POST", f"{_ONE}/outcome"): _changes("OutcomeDocument", "The outcome is recorded."),
}

_TIME_OR_NULL = {"type": ["string", "null"], "format": "date-time"}
_COUNT_OR_NULL = {"type": ["integer", "null"]}
_ACTION = an_object(
    ("kind", "target", "environment", "parameters"),
    kind=TEXT,
    target=TEXT,
    environment=TEXT,
    parameters={"type": "object"},
)

APPROVAL_ANSWERS: dict[str, dict[str, Any]] = {
    "Approval": an_object(
        ("id", "state", "decision", "executed", "action", "digest", "policy", "expires_at"),
        id=TEXT,
        state={"type": "string", "enum": [state.value for state in ApprovalState]},
        decision={
            "type": ["string", "null"],
            "enum": ["approved", "denied", "cancelled", "superseded", None],
        },
        executed={"type": ["boolean", "null"]},
        action=_ACTION,
        digest=TEXT,
        agent=TEXT,
        owner=TEXT,
        why=TEXT,
        effect=TEXT,
        evidence=OBJECTS,
        task=TEXT_OR_NULL,
        run_id=TEXT_OR_NULL,
        triggered_by=TEXT_OR_NULL,
        policy=TEXT,
        created_at=TIME,
        expires_at=TIME,
        votes=OBJECTS,
        counted=_COUNT_OR_NULL,
        needed=_COUNT_OR_NULL,
        decided_by=TEXT_OR_NULL,
        decided_at=_TIME_OR_NULL,
        reason=TEXT,
        superseded_by=TEXT_OR_NULL,
        executed_by={"type": ["string", "null"], "enum": ["agent", "faultbook", None]},
        outcome=TEXT,
        executed_at=_TIME_OR_NULL,
        is_bypass={"type": "boolean"},
        review_due_at=_TIME_OR_NULL,
    ),
    "Approvals": an_object(
        ("approvals",),
        approvals={"type": "array", "items": {"$ref": SCHEMAS + "Approval"}},
    ),
    "Grant": an_object(
        ("id", "grant", "until", "seconds", "digest", "action"),
        id=TEXT,
        grant=TEXT,
        until=TIME,
        seconds={"type": "number"},
        digest=TEXT,
        action=_ACTION,
    ),
}
