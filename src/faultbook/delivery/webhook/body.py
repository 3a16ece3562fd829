"""What a webhook is told of an approval, and the signature that proves who tells it."""

import hashlib
import hmac
import json
from typing import Any

from faultbook.base.clock import SECOND, Instant, iso, iso_or_none
from faultbook.model.approval import Approval, ApprovalState

SIGNATURE = "Faultbook-Signature"
"""`t=<unix seconds>,v1=<hexadecimal HMAC-SHA256 of "t.body">`"""
DELIVERY = "Faultbook-Delivery"
"""The same on each attempt to deliver the same thing."""

_EXECUTED: dict[ApprovalState, bool | None] = {
    ApprovalState.EXECUTED: True,
    ApprovalState.EXECUTION_UNKNOWN: None,
}
_AFTER_APPROVAL = frozenset(
    {
        ApprovalState.EXECUTING,
        ApprovalState.EXECUTED,
        ApprovalState.EXECUTION_FAILED,
        ApprovalState.EXECUTION_UNKNOWN,
    }
)


def outcome_body(asked: Approval) -> bytes:
    """Write what became of an approval; `executed` is null where nobody knows."""
    decision = ApprovalState.APPROVED if asked.state in _AFTER_APPROVAL else asked.state
    document: dict[str, Any] = {
        "type": "approval",
        "id": asked.id,
        "state": asked.state.value,
        "decision": decision.value,
        "executed": _EXECUTED.get(asked.state, False),
        "reason": asked.reason,
        "decided_by": asked.decided_by or None,
        "decided_at": iso_or_none(asked.decided_at),
        "outcome": asked.outcome,
        "executed_at": iso_or_none(asked.executed_at),
        "action": asked.action.as_json(),
        "digest": asked.digest,
        "agent": asked.agent,
        "task": None if asked.task is None else f"T-{asked.task}",
        "run_id": asked.run_id,
        "superseded_by": None if asked.superseded_by is None else f"A-{asked.superseded_by}",
        "is_bypass": asked.is_bypass,
        "expires_at": iso(asked.expires_at),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def sign(body: bytes, secret: str, now: Instant) -> str:
    """Give the signature of a body that is sent now."""
    at = str(now // SECOND)
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
