"""The audit log's entries: each bound to the one before, so that a rewrite is noticed.

`hash = SHA-256(tag ‖ previous ‖ canonical record)`; the tag keeps these hashes apart from any
other, and the canonical form (RFC 8785) keeps fields from running into each other.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from faultbook.base.clock import Instant
from faultbook.base.errors import InvalidError
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


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head that was kept outside the store, where whoever rewrites the store can't reach.

    Attributes:
        source: where, in words: `--head`, a tag's name.
    """

    head: Head
    source: str


def parse_head(text: str) -> Head:
    """Read a head as `faultbook audit head` prints it.

    Raises:
        InvalidError: it is none.
    """
    size, _, digest = text.strip().partition(":")
    hexadecimal = len(digest) == len(GENESIS) and all(c in "0123456789abcdef" for c in digest)
    number = size.isascii() and size.isdigit() and len(size) < len(GENESIS)
    if not (number and hexadecimal) or (int(size) == 0) != (digest == GENESIS):
        raise InvalidError(
            "This is no head of an audit log.",
            code="bad_head",
            next_step="Give it as `faultbook audit head` prints it: SIZE:HASH.",
            where="head",
        )
    return Head(int(size), digest)


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
