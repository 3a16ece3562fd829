"""What becomes of approvals by the clock: expired, outlived, unreported, not reviewed."""

from collections.abc import Collection
from dataclasses import dataclass

from faultbook.model.approval_policy import ApprovalPolicies
from faultbook.operations.approval_notices import owe_review
from faultbook.operations.approval_steps import audit_step
from faultbook.operations.approvals import expire_due
from faultbook.operations.execution import sweep_grants, withdraw_outlived
from faultbook.operations.execution_rules import outlived_since
from faultbook.store import approvals, executions
from faultbook.store.transaction import Transaction

NO_POLICIES = ApprovalPolicies()


@dataclass(frozen=True, slots=True)
class Swept:
    """How many approvals moved on by the clock."""

    expired: int = 0
    unknown: int = 0
    reminded: int = 0
    withdrawn: int = 0


def is_time(tx: Transaction, policies: ApprovalPolicies = NO_POLICIES) -> bool:
    """Tell, without writing, whether there is something to sweep."""
    due = executions.next_time(tx)
    return (
        (due is not None and due <= tx.now)
        or bool(approvals.list_of_cancelled_tasks(tx))
        or bool(executions.list_outlived(tx, outlived_since(tx, policies), 1))
    )


def sweep_approvals(
    tx: Transaction, policies: ApprovalPolicies = NO_POLICIES, spared: Collection[str] = ()
) -> Swept:
    """Do what is due; `spared` names the policies whose executions Faultbook looks after itself."""
    withdrawn = withdraw_outlived(tx, policies)
    return Swept(expire_due(tx), sweep_grants(tx, spared), _remind_reviews(tx), withdrawn)


def _remind_reviews(tx: Transaction) -> int:
    """Remind once of each bypass that nobody reviewed in time; tells how many."""
    reminded = executions.remind_of_reviews(tx)
    for number in reminded:
        audit_step(tx, "bypass.review_overdue", number, "clock", {})
        owe_review(tx, number)
    return len(reminded)
