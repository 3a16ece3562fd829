"""Reading the audit log: verified from its first entry to its head."""

import hmac
import json
from dataclasses import dataclass

from faultbook.base.clock import Instant
from faultbook.base.errors import InvalidError
from faultbook.model.audit import GENESIS, AuditRecord, Head, link_hash
from faultbook.store import audit
from faultbook.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of verifying the log.

    Attributes:
        head: what the chain ends with, as far as it is intact.
        broken_at: the first bad entry's sequence; None while all are intact.
        why: what is wrong with it.
        is_anchored: a head from elsewhere was found in the chain, so that nothing was cut off.
    """

    head: Head
    broken_at: int | None = None
    why: str = ""
    is_anchored: bool = False


def verify_audit(tx: Transaction, anchor: Head | None = None) -> Verification:
    """Follow the chain from its first entry; the first bad one is named.

    `anchor` is a head that was noted elsewhere: the chain has to reach and to hold it.
    """
    known = Head(0, GENESIS)
    anchored = anchor is not None and anchor.size == 0
    for record in audit.read_all(tx):
        why = _flaw(record, known)
        if why:
            return Verification(known, known.size + 1, why, anchored)
        known = Head(record.sequence, record.hash)
        if anchor is not None and anchor.size == known.size:
            if not hmac.compare_digest(anchor.hash, known.hash):
                return Verification(known, known.size, "it is not what the head says")
            anchored = True
    if anchor is not None and not anchored:
        why = f"the log ends with {known.size}; the head says {anchor.size}"
        return Verification(known, known.size + 1, why)
    return Verification(known, is_anchored=anchored)


def read_head(tx: Transaction) -> Head:
    """Tell how long the log is, and what it ends with."""
    return audit.head(tx)


def list_newest(tx: Transaction, limit: int, subject: str | None = None) -> list[AuditRecord]:
    """Read the newest records, the oldest of them first."""
    return audit.list_newest(tx, limit, subject)


def parse_head(text: str) -> Head:
    """Read a head as `faultbook audit head` prints it.

    Raises:
        InvalidError: it is none.
    """
    size, _, digest = text.strip().partition(":")
    hexadecimal = len(digest) == len(GENESIS) and all(c in "0123456789abcdef" for c in digest)
    if not (size.isascii() and size.isdigit() and len(size) < len(GENESIS) and hexadecimal):
        raise InvalidError(
            "This is no head of an audit log.",
            code="bad_head",
            next_step="Give it as `faultbook audit head` prints it: SIZE:HASH.",
            where="head",
        )
    return Head(int(size), digest)


def _flaw(record: AuditRecord, known: Head) -> str:
    if record.sequence != known.size + 1:
        return f"entry {known.size + 1} is missing"
    if record.previous != known.hash:
        return "it does not follow the one before it"
    if link_hash(record.previous, record.record.encode()) != record.hash:
        return "its record was changed"
    return "" if _columns_agree(record) else "its columns say something else than its record"


def _columns_agree(record: AuditRecord) -> bool:
    """Tell whether what is searched by is what was hashed."""
    said = _said(record.record)
    at: Instant = record.at
    return said == (record.sequence, str(at), record.kind, record.subject, record.actor)


def _said(text: str) -> tuple[object, ...]:

    try:
        told = json.loads(text)
        return tuple(told[name] for name in ("sequence", "at", "kind", "subject", "actor"))
    except (ValueError, KeyError, TypeError):
        return ()
