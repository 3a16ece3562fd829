"""What rows of approvals and of their votes say."""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row

from faultbook.model.approval import (
    Action,
    Approval,
    ApprovalState,
    Decision,
    EvidenceLink,
    Vote,
)
from faultbook.model.person import Person


def read_votes(rows: Iterable[Row[Any]]) -> tuple[Vote, ...]:
    """Read the votes of one approval, in the order they were cast."""
    return tuple(
        Vote(
            Person(row.voter_id, row.voter_name),
            Decision(row.decision),
            row.reason,
            tuple(row.thresholds),
            row.at,
            bool(row.bypass),
        )
        for row in rows
    )


def read_approval(row: Row[Any], cast: tuple[Vote, ...]) -> Approval:
    """Read an approval with its votes."""
    told = json.loads(row.action)
    trigger = row.triggered_by_id or row.triggered_by_name
    return Approval(
        number=row.number,
        action=Action(told["kind"], told["target"], told["environment"], told["parameters"]),
        digest=row.digest,
        nonce=row.nonce,
        why=row.why,
        effect=row.effect,
        evidence=tuple(EvidenceLink(link["name"], link["url"]) for link in row.evidence),
        agent=row.agent,
        owner=row.owner,
        policy=row.policy,
        policy_version=row.policy_version,
        state=ApprovalState(row.state),
        created_at=row.created_at,
        expires_at=row.expires_at,
        task=row.task,
        run_id=row.run_id,
        triggered_by=Person(row.triggered_by_id, row.triggered_by_name) if trigger else None,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        reason=row.reason,
        superseded_by=row.superseded_by,
        grant_until=row.grant_until,
        executed_at=row.executed_at,
        outcome=row.outcome,
        is_bypass=bool(row.is_bypass),
        review_due_at=row.review_due_at,
        votes=cast,
        revision=row.revision,
    )
