"""Incident drafts: a visible "no rule yet", with its thread and facts, due within 24 hours.

Its owner is reminded once; what is late then shows in "what's failing?". Everything is decided by
the store's clock from stored times, so a reminder that could not be sent is sent when it can be.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from faultbook.base.clock import MINUTE, SECOND
from faultbook.base.errors import ConflictError, NotFoundError
from faultbook.model.answer import FailingQuery
from faultbook.model.draft import (
    DraftState,
    IncidentDraft,
    IncidentForm,
    LateDraft,
    NewDraft,
)
from faultbook.model.notice import NewNotice
from faultbook.model.person import Person
from faultbook.operations.questions import ReplyTo
from faultbook.store import drafts, notices, seen
from faultbook.store.transaction import Transaction

_LATE_SHOWN = 20


class DraftNotice(StrEnum):
    """The kinds of notices that drafts owe; each names its draft."""

    SAVED = "draft.saved"
    REMINDER = "draft.reminder"
    HANDED_OVER = "draft.handed_over"


def save_draft(
    tx: Transaction, keys: Sequence[str], new: NewDraft, draft_id: str | None = None
) -> NewNotice | None:
    """Keep a draft, or what changed in one, once for each delivery.

    Gives what is owed: word of a new draft; nothing for one that is saved again.

    Raises:
        ConflictError: the draft has become an incident meanwhile.
    """
    if not seen.take_all(tx, keys):
        return None
    if draft_id is not None:
        if not drafts.change(tx, draft_id, new.form, new.owner):
            raise _no_draft_any_more(tx, draft_id)
        return None
    return _owe(tx, drafts.add(tx, new), DraftNotice.SAVED)


def hand_over(
    tx: Transaction, keys: Sequence[str], draft_id: str, to: Person, by: Person
) -> NewNotice | None:
    """Give a draft to another owner, who is told; nothing where it is theirs already.

    Raises:
        ConflictError: the draft has become an incident meanwhile.
    """
    if not seen.take_all(tx, keys):
        return None
    draft = read_draft(tx, draft_id)
    if draft.owner.id == to.id:
        return None
    if not drafts.change(tx, draft_id, replace(draft.form, owner_id=to.id), to):
        raise _no_draft_any_more(tx, draft_id)
    return _owe(tx, replace(draft, owner=to), DraftNotice.HANDED_OVER, by=by.name)


def settle_draft(tx: Transaction, draft_id: str, operation_id: str) -> None:
    """Let a draft become the incident that an operation carries to git.

    Raises:
        ConflictError: somebody else did that before; nothing is to be written twice.
    """
    if not drafts.open_with(tx, draft_id, operation_id):
        raise _no_draft_any_more(tx, draft_id)


def read_draft(tx: Transaction, draft_id: str) -> IncidentDraft:
    """Read a draft.

    Raises:
        NotFoundError: there is none of that id.
    """
    found = drafts.find(tx, draft_id)
    if found is None:
        raise NotFoundError(
            "I keep no such draft.",
            code="unknown_draft",
            next_step="Open an incident instead.",
        )
    return found


def read_open_draft(tx: Transaction, draft_id: str) -> IncidentDraft:
    """Read a draft that still waits for its rule.

    Raises:
        NotFoundError: there is none of that id.
        ConflictError: it has become an incident.
    """
    found = read_draft(tx, draft_id)
    if found.state is not DraftState.DRAFT:
        raise _no_draft_any_more(tx, draft_id)
    return found


def remind_due(tx: Transaction) -> list[str]:
    """Owe the one reminder of each draft whose rule is due soon; gives whom to wake for it."""
    return [
        _owe(tx, draft, DraftNotice.REMINDER).target
        for draft in drafts.list_to_remind(tx)
        if drafts.mark_reminded(tx, draft.id)
    ]


def list_due_from(tx: Transaction, owner_id: str) -> list[IncidentDraft]:
    """List the drafts whose rule a person owes, the soonest due first."""
    return drafts.list_owned(tx, owner_id)


def list_late(tx: Transaction, query: FailingQuery) -> tuple[LateDraft, ...]:
    """List the late drafts that a question is about, the longest late first.

    A question that is limited to a place is about the drafts of that place only.
    """
    return tuple(late for late in drafts.list_late(tx, _LATE_SHOWN) if _is_about(late, query))


def is_blank(form: IncidentForm) -> bool:
    """Tell that a form says nothing that could be kept."""
    return not (form.title.strip() or form.what_failed.strip())


def _is_about(late: LateDraft, query: FailingQuery) -> bool:
    limits = (
        (query.environment, late.environment),
        (query.workflow, late.workflow),
        (query.branch, late.branch),
    )
    return all(wanted is None or wanted == found for wanted, found in limits)


def _owe(tx: Transaction, draft: IncidentDraft, kind: DraftNotice, **facts: str) -> NewNotice:
    """Owe word of a draft in its thread, or to its owner where it has none."""
    origin = draft.origin
    to = ReplyTo(
        channel=origin.channel or draft.owner.id,
        user=draft.owner.id,
        # The servers' clocks may differ a little.
        after=f"{(tx.now - MINUTE) // SECOND}.000000",
        thread_ts=origin.thread_ts or None,
    )
    owed = to.notice(kind, draft=draft.id, **facts)
    notices.append(tx, owed)
    return owed


def _no_draft_any_more(tx: Transaction, draft_id: str) -> ConflictError | NotFoundError:
    try:
        draft = read_draft(tx, draft_id)
    except NotFoundError as error:
        return error
    return ConflictError(
        f"“{draft.form.title}” was opened as an incident meanwhile; nothing was saved twice.",
        code="draft_opened",
        next_step="Read it in its thread, or in the ledger.",
    )
