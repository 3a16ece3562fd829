"""The policies as a start last saw them, so that a change of their wording shows."""

from collections.abc import Collection

from sqlalchemy import delete, select

from faultbook.model.approval import ApprovalState
from faultbook.store.schema_approvals import approvals, policies_seen
from faultbook.store.transaction import Transaction

_c = policies_seen.c


def see(tx: Transaction, name: str, wording: str) -> str | None:
    """Note a policy's wording at a start; gives the one seen before, if it is another."""
    before: str | None = tx.execute(select(_c.version).where(_c.name == name)).scalar()
    if before == wording:
        return None
    values = {"name": name, "version": wording, "seen_at": tx.now}
    statement = tx.insert(policies_seen).values(values)
    # Of several servers that start at once, the first notes it.
    noted = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"version": wording, "seen_at": tx.now},
        where=_c.version != wording,
    )
    counted = noted.execution_options(preserve_rowcount=True)
    return (before or "") if tx.execute(counted).rowcount == 1 else None


def forget(tx: Transaction, but: Collection[str]) -> list[str]:
    """Forget the policies that are no more; gives their names, each to one caller."""
    gone = delete(policies_seen).where(_c.name.not_in(list(but)))
    return sorted(tx.execute(gone.returning(_c.name)).scalars())


def list_waiting(tx: Transaction, names: Collection[str]) -> list[int]:
    """List the pending approvals that were asked under policies of these names."""
    waits = approvals.c.state == ApprovalState.PENDING.value
    statement = select(approvals.c.number).where(waits, approvals.c.policy.in_(list(names)))
    return list(tx.execute(statement.order_by(approvals.c.number)).scalars())
