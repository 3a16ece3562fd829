"""What becomes of approvals because their time has come: expired, unreported, not reviewed."""

from collections.abc import Collection
from dataclasses import dataclass

from faultbook.operations.approval_notices import owe_review
from faultbook.operations.approval_steps import audit_step
from faultbook.operations.approvals import expire_due
from faultbook.operations.execution import sweep_grants
from faultbook.store import approvals, executions
from faultbook.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Swept:
    """How many approvals moved on by the clock."""

    expired: int
    unknown: int
    reminded: int


def is_time(tx: Transaction) -> bool:
    """Tell, without writing, whether there is something to sweep."""
    due = executions.next_time(tx)
    is_due = due is not None and due <= tx.now
    return is_due or bool(approvals.list_of_cancelled_tasks(tx))


def sweep_approvals(tx: Transaction, spared: Collection[str] = ()) -> Swept:
    """Do what is due; `spared` names the policies whose executions Faultbook looks after itself."""
    return Swept(expire_due(tx), sweep_grants(tx, spared), _remind_reviews(tx))


def _remind_reviews(tx: Transaction) -> int:
    """Remind once of each bypass that nobody reviewed in time; tells how many."""
    reminded = executions.remind_of_reviews(tx)
    for number in reminded:
        audit_step(tx, "bypass.review_overdue", number, "clock", {})
        owe_review(tx, number)
    return len(reminded)
