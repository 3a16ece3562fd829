"""What becomes of approvals by the clock: expired, unreported, not reviewed."""

from faultbook.model.approval import ApprovalState
from faultbook.model.approval_policy import ApprovalPolicies, Membership, Voters
from faultbook.model.person import Person
from faultbook.operations.approval_clock import Swept, is_time, sweep_approvals
from faultbook.operations.approvals import break_glass, review_bypass
from faultbook.operations.auditing import list_newest
from faultbook.operations.tasks import cancel_task
from faultbook.store import notices
from faultbook.store.engine import Store
from tests.approval_desk import ApprovalDesk
from tests.approving import approved, ask, policies, policy, read
from tests.conftest import FrozenClock
from tests.task_desk import ANA, TaskDesk

EVE = Person("UEVE", "Eve")
NOTHING = Swept(0, 0, 0)


def rules() -> ApprovalPolicies:
    return policies(policy(break_glass=Voters(users=frozenset({EVE.id}))))


def bypassed(store: Store) -> int:
    asked = ask(store, rules())
    known = Membership(EVE.id)
    store.write(break_glass, asked.number, EVE, "the shop is down", known, rules())
    assert read(store, asked.number).is_bypass
    return asked.number


def reminders(store: Store, clock: FrozenClock) -> int:
    """Tell how many reminders are owed now; they are claimed and settled."""
    found = 0
    while claimed := store.write(notices.claim, "courier", clock() + 1, 10):
        for notice in claimed:
            found += bool(notice.payload.get("review_due"))
            store.write(notices.settle, notice.id, {})
    return found


def test_a_request_expires_when_its_time_is_over_and_not_before(
    store: Store, clock: FrozenClock
) -> None:
    asked = ask(store, rules())
    clock.advance(3599)
    assert not store.read(is_time)
    assert store.write(sweep_approvals) == NOTHING
    clock.advance(1)
    assert store.read(is_time)
    assert store.write(sweep_approvals) == Swept(1, 0, 0)
    assert read(store, asked.number).state is ApprovalState.EXPIRED
    assert not store.read(is_time)


def test_what_a_cancelled_task_asked_ends_with_it_though_no_time_has_come(store: Store) -> None:
    tasks = TaskDesk(store)
    tasks.give()
    task = tasks.claimed()
    asked = ApprovalDesk(store).ask(task=task.number)
    assert not store.read(is_time)
    store.write(cancel_task, task.number, ANA)
    assert store.read(is_time)
    store.write(sweep_approvals)
    assert read(store, asked.number).state is ApprovalState.CANCELLED
    assert not store.read(is_time)


def test_what_is_approved_and_not_begun_in_its_policys_longest_time_is_withdrawn_once(
    store: Store, clock: FrozenClock
) -> None:
    longer = policy("payout", max_ttl_seconds=500_000.0)
    both = policies(*rules().all, longer)
    asked, later = approved(store, both), approved(store, both, "payout")
    clock.advance(86_400)
    assert not store.read(is_time, both)
    assert store.write(sweep_approvals, both) == NOTHING
    clock.advance(1)
    assert store.read(is_time, both)
    assert store.write(sweep_approvals, both) == Swept(withdrawn=1)
    assert store.write(sweep_approvals, both) == NOTHING
    assert not store.read(is_time, both)
    withdrawn = read(store, asked.number)
    assert (withdrawn.state, withdrawn.decided_by) == (ApprovalState.DENIED, "the policy")
    assert "over 24 h ago" in withdrawn.reason
    assert read(store, later.number).state is ApprovalState.APPROVED
    [*_, last] = store.read(list_newest, 50, asked.id)
    assert (last.kind, last.actor) == ("approval.withdrawn", "clock")


def test_what_runs_or_ran_is_not_withdrawn(store: Store, clock: FrozenClock) -> None:
    desk = ApprovalDesk(store)
    asked = desk.ask()
    desk.counted(asked)
    desk.granted(asked)
    clock.advance(100_000)
    assert not store.write(sweep_approvals, desk.policies).withdrawn
    assert read(store, asked.number).state is ApprovalState.EXECUTION_UNKNOWN


def test_of_a_bypass_that_nobody_reviewed_people_are_reminded_once(
    store: Store, clock: FrozenClock
) -> None:
    number = bypassed(store)
    assert reminders(store, clock) == 0
    assert store.write(sweep_approvals) == NOTHING
    clock.advance(86_400)
    assert store.read(is_time)
    assert store.write(sweep_approvals) == Swept(0, 0, 1)
    assert store.write(sweep_approvals) == NOTHING
    assert not store.read(is_time)
    assert reminders(store, clock) == 1
    kinds = [record.kind for record in store.read(list_newest, 50, f"A-{number}")]
    assert kinds.count("bypass.review_overdue") == 1


def test_of_a_bypass_that_was_reviewed_nobody_is_reminded(store: Store, clock: FrozenClock) -> None:
    number = bypassed(store)
    store.write(review_bypass, number, Person("UBEN", "Ben"), "it was right", Membership("UBEN"))
    clock.advance(90_000)
    assert not store.read(is_time)
    assert store.write(sweep_approvals) == NOTHING
