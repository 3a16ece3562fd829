"""The audit log's entries: each bound to the one before, so that a rewrite is noticed.

`hash = SHA-256(tag ‖ previous ‖ canonical record)`; the tag keeps these hashes apart from any
other, and the canonical form (RFC 8785) keeps fields from running into each other.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from faultbook.base.clock import Instant
from faultbook.model.canonical import canonical

_TAG = b"faultbook-audit-1\x00"
GENESIS = "0" * 64
"""What the first entry is bound to."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something to record: a decision, a refusal, a bypass, a change of tokens or policies.

    Attributes:
        kind: `approval.requested`, `vote.refused`, `token.created`, …
        subject: what it is about: `A-7`, a token's id.
        actor: who did it; a person's or an agent's name with its id.
        facts: JSON without fractions; secrets are taken out before.
    """

    kind: str
    subject: str
    actor: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """An entry in its place in the chain.

    Attributes:
        sequence: from 1, without gaps.
        record: the canonical JSON that is hashed, as text.
    """

    sequence: int
    at: Instant
    kind: str
    subject: str
    actor: str
    record: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Head:
    """How long the chain is and what it ends with; kept elsewhere, it shows a truncation."""

    size: int
    hash: str

    def __str__(self) -> str:
        return f"{self.size}:{self.hash}"


def chained(entry: AuditEntry, sequence: int, at: Instant, previous: str) -> AuditRecord:
    """Bind an entry to the one before it."""
    record = canonical(
        {
            "sequence": sequence,
            "at": str(at),
            "kind": entry.kind,
            "subject": entry.subject,
            "actor": entry.actor,
            "facts": entry.facts,
        }
    )
    return AuditRecord(
        sequence,
        at,
        entry.kind,
        entry.subject,
        entry.actor,
        record.decode(),
        previous,
        link_hash(previous, record),
    )


def link_hash(previous: str, record: bytes) -> str:
    """Give the hash that binds a record to its predecessor."""
    return hashlib.sha256(_TAG + bytes.fromhex(previous) + record).hexdigest()
