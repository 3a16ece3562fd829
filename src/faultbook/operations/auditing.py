"""Reading the audit log: verified from its first entry to its head; the head told elsewhere."""

import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from faultbook.base.clock import MINUTE, SECOND, iso
from faultbook.model.audit import GENESIS, Anchor, AuditRecord, Head, link_hash
from faultbook.operations.questions import ReplyTo
from faultbook.store import audit, notices, seen
from faultbook.store.transaction import Transaction

_STEP = 1000
"""Entries between two words of progress."""


class AuditNotice(StrEnum):
    """The kinds of notices that the audit log owes."""

    HEAD = "audit.head"
    """`size` and `hash`, as they were when it was owed."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of verifying the log.

    Attributes:
        head: what the chain ends with, as far as it is intact.
        broken_at: the first bad entry's sequence; None while all are intact.
        why: what is wrong with it.
        anchors: the heads from elsewhere that were found in the chain; up to the last of them
            nothing was cut off.
    """

    head: Head
    broken_at: int | None = None
    why: str = ""
    anchors: tuple[Anchor, ...] = ()

    @property
    def is_anchored(self) -> bool:
        """Tell whether a head from elsewhere says that the chain reaches that far."""
        return bool(self.anchors)

    @property
    def reach(self) -> int:
        """Give the last entry up to which nothing can have been cut off unseen."""
        return max((anchor.head.size for anchor in self.anchors), default=0)


def verify_audit(
    tx: Transaction,
    anchors: Sequence[Anchor] = (),
    progress: Callable[[int], None] | None = None,
) -> Verification:
    """Follow the chain from its first entry; the first bad one is named.

    Args:
        tx: the transaction.
        anchors: heads that were noted elsewhere: the chain has to reach and to hold each.
        progress: told how many entries were read since it was told last.
    """
    known = Head(0, GENESIS)
    found: list[Anchor] = [anchor for anchor in anchors if anchor.head == known]
    for record in audit.read_all(tx):
        why = _flaw(record, known)
        if why:
            return Verification(known, known.size + 1, why, tuple(found))
        known = Head(record.sequence, record.hash)
        for anchor in (one for one in anchors if one.head.size == known.size):
            if not hmac.compare_digest(anchor.head.hash, known.hash):
                why = f"it is not the entry that {anchor.source} says"
                return Verification(known, known.size, why, tuple(found))
            found.append(anchor)
        if progress is not None and known.size % _STEP == 0:
            progress(_STEP)
    missed = [anchor for anchor in anchors if anchor not in found]
    if missed:
        longest = max(missed, key=lambda anchor: anchor.head.size)
        why = f"the log ends with entry {known.size}; {longest.source} says {longest.head.size}"
        return Verification(known, known.size + 1, why, tuple(found))
    return Verification(known, anchors=tuple(found))


def read_head(tx: Transaction) -> Head:
    """Tell how long the log is, and what it ends with."""
    return audit.head(tx)


def list_newest(tx: Transaction, limit: int, subject: str | None = None) -> list[AuditRecord]:
    """Read the newest records, the oldest of them first."""
    return audit.list_newest(tx, limit, subject)


def list_after(
    tx: Transaction, after: int | None, limit: int, subject: str | None = None
) -> list[AuditRecord]:
    """Read the records that follow one, in their order; from the first where `after` is None."""
    return audit.list_after(tx, after, limit, subject)


def announce_head(tx: Transaction, channel: str) -> bool:
    """Owe the day's word of the head to a channel; tells whether this call did.

    However many replicas tick, the day is claimed once. Of an empty log nothing is said.
    """
    told = audit.head(tx)
    if told.size == 0 or not seen.take(tx, f"audit.head:{channel}:{iso(tx.now)[:10]}"):
        return False
    to = ReplyTo(channel, "", f"{(tx.now - MINUTE) // SECOND}.000000")
    notices.append(tx, to.notice(AuditNotice.HEAD, size=told.size, hash=told.hash))
    return True


def read_announced(payload: dict[str, Any]) -> Head:
    """Take the head back from a notice's payload."""
    return Head(int(payload["size"]), str(payload["hash"]))


def _flaw(record: AuditRecord, known: Head) -> str:
    if not _is_text(record.kind, record.subject, record.actor, record.record, record.hash):
        return "it holds what is no text"
    if record.sequence != known.size + 1:
        return _out_of_place(record, known)
    if record.previous != known.hash:
        return "it does not follow the one before it"
    # A lone surrogate, which no record holds, can't be encoded.
    if link_hash(record.previous, record.record.encode("utf-8", "replace")) != record.hash:
        return "its record was changed"
    return "" if _columns_agree(record) else "its columns say something else than its record"


def _is_text(*values: object) -> bool:
    return all(isinstance(value, str) for value in values)


def _out_of_place(record: AuditRecord, known: Head) -> str:
    is_missing = isinstance(record.sequence, int) and record.sequence > known.size
    return "it is missing" if is_missing else "something stands before it that has no place"


def _columns_agree(record: AuditRecord) -> bool:
    """Tell whether what is searched by is what was hashed."""
    said = _said(record.record)
    return said == (record.sequence, str(record.at), record.kind, record.subject, record.actor)


def _said(text: str) -> tuple[object, ...]:
    try:
        told = json.loads(text)
        return tuple(told[name] for name in ("sequence", "at", "kind", "subject", "actor"))
    except (ValueError, KeyError, TypeError):
        return ()
