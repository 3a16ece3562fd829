"""Changes of the ledger in git: owed durably, settled once, chosen about by a person.

What git work needs is claimed and settled here; what people are told of it is owed in the same
transaction, as notices of the kinds in `LedgerNotice`.
"""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Any, Literal

from faultbook.base.clock import MINUTE, Instant
from faultbook.base.errors import ConflictError, FaultbookError, NotFoundError
from faultbook.base.ids import new_id
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line
from faultbook.model.ledger_operation import (
    LedgerOperation,
    LedgerOperationState,
    LedgerQueue,
    LedgerVerb,
    NewLedgerOperation,
    PushedFinding,
)
from faultbook.model.notice import NewNotice, Priority
from faultbook.operations.known_failures import link
from faultbook.store import ledger, notices
from faultbook.store.transaction import Transaction

Choice = Literal["apply_mine", "drop_mine"]

_KEYS = uuid.UUID("5f0d4a86-6f2c-4d6e-9a55-0d6c1d1c7a11")  # any constant: names ids made from keys
SHOWN_FINDINGS = 5
"""So many problems of one push are named in a message; the others are counted."""

_NAME_LENGTH = 80


class LedgerNotice(StrEnum):
    """The kinds of notices that the ledger in git owes; each payload has `to`, as all notices do.

    Those about an operation name it by `operation`, its id; it is read when the message is made.
    """

    SETTLED = "ledger.settled"
    """It is on the main branch, or on a branch of its own: see its state."""
    CONFLICT = "ledger.conflict"
    """A person changed the text meanwhile; `result` has `theirs` and `mine`."""
    REFUSED = "ledger.refused"
    """It can't be done; `error` says why, `result` has `code` and `next_step`."""
    WAITING = "ledger.waiting"
    """It is saved and not pushed; said once an operation."""
    FINDING = "ledger.finding"
    """A person pushed problems; `findings` (as `PushedFinding`), `more`, `commit`."""


def prepare_operation(
    verb: LedgerVerb,
    payload: Mapping[str, Any],
    *,
    requester_id: str,
    requester_name: str,
    channel: str = "",
    thread_ts: str = "",
    key: str | None = None,
) -> NewLedgerOperation:
    """Make an operation to owe; its texts are redacted here, outside of any transaction.

    Args:
        verb: what to do; names the keys of `payload`.
        payload: JSON values.
        requester_id: the person in Slack who asked.
        requester_name: the name that a commit's trailer shows.
        channel: where it was asked; its outcome is said there.
        thread_ts: the thread in it.
        key: recognises the same request when it comes twice, such as the modal's view.
    """
    return NewLedgerOperation(
        id=new_id() if key is None else str(uuid.uuid5(_KEYS, key)),
        verb=verb,
        payload={name: _redacted(value) for name, value in payload.items()},
        requester_id=requester_id,
        requester_name=cut(one_line(redact(requester_name)), _NAME_LENGTH),
        channel=channel,
        thread_ts=thread_ts,
    )


def _redacted(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list | tuple):
        return [_redacted(one) for one in value]
    return value


def owe(tx: Transaction, new: NewLedgerOperation) -> str:
    """Owe a change of the ledger, once however often it is asked for, and give its id."""
    ledger.append(tx, new)
    return new.id


def read_operation(tx: Transaction, operation_id: str) -> LedgerOperation:
    """Read an operation.

    Raises:
        NotFoundError: there is none of this id.
    """
    found = ledger.find(tx, operation_id)
    if found is None:
        raise NotFoundError(
            "There is no such change of the ledger.",
            code="ledger_operation_not_found",
            next_step="Ask for it again.",
        )
    return found


def read_queue(tx: Transaction) -> LedgerQueue:
    """Tell how many operations wait for git, why, and which head was seen last."""
    return ledger.read_queue(tx)


def settle_pushed(
    tx: Transaction, operation: LedgerOperation, result: Mapping[str, Any], fallback: str = ""
) -> bool:
    """Record that a change is on the main branch, and owe the word of it.

    Also for one that was on a branch of its own, which a person has merged. An incident's failure
    is known by its lesson from now on.

    Args:
        tx: the open transaction.
        operation: as it was claimed.
        result: `commit`, and where there is one `number` and `path`; without `commit` nothing had
            to change.
        fallback: the channel for what has no place of its own.
    """
    kept = dict(result)
    if not ledger.settle(tx, operation.id, LedgerOperationState.PUSHED, kept, was=operation.state):
        return False
    fingerprint, number = operation.payload.get("fingerprint"), kept.get("number")
    if operation.verb is LedgerVerb.OPEN_INCIDENT and fingerprint and number:
        link(tx, fingerprint, number, kept.get("path"), operation.requester_name)
    _owe_word(tx, operation, LedgerNotice.SETTLED, fallback)
    return True


def settle_all_pushed(
    tx: Transaction,
    settled: Sequence[tuple[LedgerOperation, Mapping[str, Any]]],
    *,
    repository: str,
    was: str | None,
    commit: str,
    highest: int,
    fallback: str = "",
) -> None:
    """Record in one transaction what one push brought to main, and the head that it made."""
    for operation, result in settled:
        settle_pushed(tx, operation, result, fallback)
    ledger.note_head(tx, repository, was, commit, highest)


def settle_on_branch(
    tx: Transaction, operation: LedgerOperation, result: Mapping[str, Any], fallback: str = ""
) -> bool:
    """Record that a change is on a branch (`branch`), since main is protected; owe the word."""
    if not ledger.settle(tx, operation.id, LedgerOperationState.ON_BRANCH, dict(result)):
        return False
    _owe_word(tx, operation, LedgerNotice.SETTLED, fallback)
    return True


def describe_conflict(theirs: str, mine: str) -> dict[str, Any]:
    """Make the result of a conflict: both texts, and the digest of the one that may be replaced."""
    digest = hashlib.sha256(theirs.encode()).hexdigest()
    return {"theirs": redact(theirs), "mine": redact(mine), "theirs_sha256": digest}


def settle_conflict(
    tx: Transaction, operation: LedgerOperation, result: Mapping[str, Any], fallback: str = ""
) -> bool:
    """Record that a person's text stays, and owe the question what shall happen to this one."""
    if not ledger.settle(tx, operation.id, LedgerOperationState.CONFLICT, dict(result)):
        return False
    _owe_word(tx, operation, LedgerNotice.CONFLICT, fallback)
    return True


def settle_refused(
    tx: Transaction, operation: LedgerOperation, error: FaultbookError, fallback: str = ""
) -> bool:
    """Record that a change can't be made, and owe the word of why."""
    result = {"code": error.code, "next_step": error.next_step}
    state = LedgerOperationState.REFUSED
    if not ledger.settle(tx, operation.id, state, result, error=error.message):
        return False
    _owe_word(tx, operation, LedgerNotice.REFUSED, fallback)
    return True


def postpone(
    tx: Transaction,
    claimed: Iterable[LedgerOperation],
    repository: str,
    not_before: Instant,
    error: str,
    fallback: str = "",
) -> None:
    """Let operations wait since git can't be had, and say so once for each that people wait for."""
    ledger.note_trouble(tx, repository, error)
    for operation in claimed:
        if ledger.postpone(tx, operation.id, not_before, error):
            _owe_word(tx, operation, LedgerNotice.WAITING, fallback)


def choose(
    tx: Transaction, operation_id: str, choice: Choice, person_id: str, person_name: str
) -> LedgerOperation:
    """Take a person's choice about a conflict; the first one counts.

    Mine is applied only over the very text that was shown: if it changed once more, both texts are
    shown again.

    Raises:
        NotFoundError: there is no such operation.
        ConflictError: it was chosen before, or nothing is to be chosen.
    """
    operation = read_operation(tx, operation_id)
    by = {"chosen_by": person_name, "chosen_by_id": person_id}
    if choice == "apply_mine":
        expected = {"expected_sha256": operation.result.get("theirs_sha256", "")}
        done = ledger.take_up(tx, operation_id, operation.payload | expected | by)
    else:
        result = operation.result | by
        dropped = LedgerOperationState.DROPPED
        done = ledger.settle(tx, operation_id, dropped, result, was=LedgerOperationState.CONFLICT)
    if not done:
        raise _chosen_before(read_operation(tx, operation_id))
    return read_operation(tx, operation_id)


def _chosen_before(operation: LedgerOperation) -> ConflictError:
    told = operation.payload | operation.result
    who = told.get("chosen_by")
    words = f"{who} decided this before." if who else "Nothing is to be decided here."
    return ConflictError(
        f"{words} Your click changed nothing.",
        code="chosen_before",
        next_step="Look at the lesson as it is now.",
    )


def note_head(
    tx: Transaction,
    repository: str,
    was: str | None,
    commit: str | None,
    highest: int,
    findings: Sequence[PushedFinding] = (),
    channel: str = "",
) -> bool:
    """Record a fetched head; whoever moves it on from `was` owes the word of what it brought.

    So each problem that a person pushed is said once, however many replicas fetch.
    """
    if ledger.read_queue(tx).error:
        ledger.hasten(tx)  # it was away: what waits need not wait for its turn
    moved = ledger.note_head(tx, repository, was, commit, highest)
    if moved and findings and channel:
        payload = {
            "to": _to(channel, "", tx.now),
            "findings": [asdict(one) for one in findings[:SHOWN_FINDINGS]],
            "more": max(0, len(findings) - SHOWN_FINDINGS),
            "commit": commit,
        }
        notice = NewNotice(LedgerNotice.FINDING.value, channel, payload, Priority.ANSWER)
        notices.append(tx, notice)
    return moved


def _owe_word(
    tx: Transaction, operation: LedgerOperation, kind: LedgerNotice, fallback: str
) -> None:
    """Owe a message where the operation was asked for; nothing for what nobody asked for."""
    if not operation.requester_id:
        return
    # A person who asked in no channel is told directly.
    channel = operation.channel or fallback or operation.requester_id
    thread = operation.thread_ts if operation.channel else ""
    to = _to(channel, operation.requester_id, tx.now) | {"thread_ts": thread or None}
    payload = {"to": to, "operation": operation.id}
    notices.append(tx, NewNotice(kind.value, channel, payload, Priority.ANSWER))


def _to(channel: str, user: str, now: Instant) -> dict[str, Any]:
    """Name a place as `ReplyTo` reads it; searched from a minute ago, as clocks differ."""
    after = f"{(now - MINUTE) / 1_000_000:.6f}"
    return {
        "channel": channel,
        "user": user,
        "after": after,
        "thread_ts": None,
        "asked_here": False,
    }
