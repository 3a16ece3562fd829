"""Incident drafts: kept whole, moved on by one conditional update each."""

from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import (
    BigInteger,
    Integer,
    Row,
    Select,
    bindparam,
    literal_column,
    select,
    update,
)

from faultbook.base.clock import Instant
from faultbook.base.ids import new_id
from faultbook.model.draft import (
    DUE_AFTER,
    REMIND_BEFORE,
    DraftState,
    IncidentDraft,
    IncidentFacts,
    IncidentForm,
    LateDraft,
    NewDraft,
    Origin,
)
from faultbook.model.person import Person
from faultbook.store.schema import incident_drafts
from faultbook.store.transaction import Transaction

_columns = incident_drafts.c
# Written out rather than bound, so that SQLite sees that the partial index applies.
_OPEN = _columns.state == literal_column(f"'{DraftState.DRAFT.value}'")


def add(tx: Transaction, new: NewDraft) -> IncidentDraft:
    """Keep a new draft; its rule is due 24 hours from now."""
    draft = IncidentDraft(
        id=new_id(),
        form=new.form,
        facts=new.facts,
        owner=new.owner,
        origin=new.origin,
        state=DraftState.DRAFT,
        created_at=tx.now,
        due_at=tx.now + DUE_AFTER,
    )
    values = {
        "id": draft.id,
        "fields": asdict(draft.form),
        "facts": asdict(draft.facts),
        "owner_id": draft.owner.id,
        "owner_name": draft.owner.name,
        "channel": draft.origin.channel,
        "thread_ts": draft.origin.thread_ts,
        "state": draft.state.value,
        "created_at": draft.created_at,
        "due_at": draft.due_at,
    }
    tx.execute(incident_drafts.insert().values(values))
    return draft


def find(tx: Transaction, draft_id: str) -> IncidentDraft | None:
    """Read a draft."""
    row = tx.execute(select(incident_drafts).where(_columns.id == draft_id)).first()
    return None if row is None else _read(row)


def change(tx: Transaction, draft_id: str, form: IncidentForm, owner: Person) -> bool:
    """Replace what a draft says and whose it is, and tell whether it was still one."""
    values = {"fields": asdict(form), "owner_id": owner.id, "owner_name": owner.name}
    return _update(tx, draft_id, values)


def open_with(tx: Transaction, draft_id: str, operation_id: str) -> bool:
    """Let a draft become what an operation carries to git, and tell whether it was still one."""
    values = {"state": DraftState.OPENED.value, "operation_id": operation_id}
    return _update(tx, draft_id, values)


def mark_reminded(tx: Transaction, draft_id: str) -> bool:
    """Claim the one reminder of a draft; tells whether it is this caller's to send."""
    owed = _OPEN & (_columns.id == draft_id) & _columns.reminded_at.is_(None)
    return tx.execute(update(incident_drafts).where(owed).values(reminded_at=tx.now)).rowcount == 1


def list_to_remind(tx: Transaction) -> list[IncidentDraft]:
    """List the drafts whose owner is to be reminded now, the oldest first."""
    soon = _columns.due_at <= tx.now + REMIND_BEFORE
    rows = tx.execute(_open_drafts().where(soon, _columns.reminded_at.is_(None)))
    return [_read(row) for row in rows]


def list_late(tx: Transaction, limit: int) -> list[LateDraft]:
    """List the drafts whose rule was due, the longest late first."""
    return [_late(_read(row)) for row in tx.execute(_LATE, {"now": tx.now, "most": limit})]


def list_owned(tx: Transaction, owner_id: str) -> list[IncidentDraft]:
    """List what is due from a person, the soonest first."""
    return [_read(row) for row in tx.execute(_open_drafts().where(_columns.owner_id == owner_id))]


def _open_drafts() -> Select[Any]:
    return select(incident_drafts).where(_OPEN).order_by(_columns.due_at, _columns.id)


# Built once: it is asked with every "what's failing?".
_LATE = (
    _open_drafts()
    .where(_columns.due_at <= bindparam("now", type_=BigInteger))
    .limit(bindparam("most", type_=Integer))
)


def _update(tx: Transaction, draft_id: str, values: dict[str, Any]) -> bool:
    wanted = _OPEN & (_columns.id == draft_id)
    return tx.execute(update(incident_drafts).where(wanted).values(values)).rowcount == 1


def _late(draft: IncidentDraft) -> LateDraft:
    facts = draft.facts
    return LateDraft(
        draft.form.title,
        draft.due_at,
        draft.owner.name,
        facts.workflow,
        facts.environment,
        facts.branch,
    )


_FORM = tuple(field.name for field in fields(IncidentForm))
_FACTS = tuple(field.name for field in fields(IncidentFacts))


def _read(row: Row[Any]) -> IncidentDraft:
    reminded_at: Instant | None = row.reminded_at
    return IncidentDraft(
        id=row.id,
        # By name, so that a draft outlives a version with another field.
        form=IncidentForm(**{name: row.fields[name] for name in _FORM if name in row.fields}),
        facts=IncidentFacts(**{name: row.facts[name] for name in _FACTS if name in row.facts}),
        owner=Person(row.owner_id, row.owner_name),
        origin=Origin(row.channel, row.thread_ts),
        state=DraftState(row.state),
        created_at=row.created_at,
        due_at=row.due_at,
        reminded_at=reminded_at,
        operation_id=row.operation_id,
    )
