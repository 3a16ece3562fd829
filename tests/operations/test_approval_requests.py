"""Asking for approval: who decides, what is bound, what is the same, and what is refused."""

import threading
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import update

from faultbook.base.clock import HOUR, SECOND
from faultbook.base.errors import NotFoundError, UnavailableError
from faultbook.model.approval import Action, Approval, ApprovalState, EvidenceLink, bound_digest
from faultbook.operations.approval_notices import ApprovalNotice
from faultbook.operations.approval_requests import cancel_approval, request_approval
from faultbook.operations.approval_steps import Refusal
from faultbook.operations.approvals import list_approvals, note_policies
from faultbook.store.approvals import ApprovalFilter, find_webhook
from faultbook.store.engine import Store, open_store
from faultbook.store.schema_approvals import approvals
from faultbook.store.transaction import Transaction
from tests.approval_desk import OWNER, REFUND, ApprovalDesk
from tests.conftest import FrozenClock
from tests.task_desk import AGENT, ANA, BEN, TaskDesk


@pytest.fixture
def desk(store: Store) -> ApprovalDesk:
    return ApprovalDesk(store)


def test_a_request_is_bound_to_what_was_asked_and_waits(desk: ApprovalDesk) -> None:
    asked = desk.ask(evidence=(EvidenceLink("ticket", "https://desk.example/7"),))
    assert asked.state is ApprovalState.PENDING
    assert asked.action == Action("refund", "c_881", "production", {"amount": "120.00"})
    assert asked.digest == bound_digest(
        asked.action,
        AGENT,
        "refund-prod",
        REFUND.version,
        asked.created_at + HOUR,
        asked.nonce,
    )
    assert (asked.agent, asked.owner, asked.policy) == (AGENT, OWNER, "refund-prod")
    assert asked.evidence == (EvidenceLink("ticket", "https://desk.example/7"),)
    assert desk.find(asked) == asked
    assert desk.audited() == [("approval.requested", "A-1", AGENT)]
    assert desk.facts()["action"] == asked.action.as_json()
    assert desk.facts()["digest"] == asked.digest
    [card] = desk.owed(ApprovalNotice.CARD)
    assert card["approval"] == asked.number


def test_what_was_said_is_kept_without_secrets_and_without_what_hides(desk: ApprovalDesk) -> None:
    asked = desk.ask(
        why="key sk_live_abcdefghijklmnop\u202e and \x00\ud800",
        effect="e" * 5000,
        evidence=(EvidenceLink("a\u202eb", "https://u:pw@desk.example/"),),
    )
    assert asked.why == "key [REDACTED:stripe-access-token]\\u202e and \\u0000\\ud800"
    assert len(asked.effect) == 3000
    assert asked.evidence[0].name == "a\\u202eb"
    assert "pw" not in asked.evidence[0].url


def test_a_kind_without_a_policy_is_refused_with_the_line_to_add(desk: ApprovalDesk) -> None:
    error = desk.refused(desk.try_ask(kind="deploy"), "approval.refused", "no_policy")
    assert "[[policies]]" in error.next_step
    assert 'kinds = ["deploy"]' in error.next_step
    staging = Action("refund", "c1", "staging", {})
    desk.refused(desk.try_ask(action=staging), "approval.refused", "no_policy")
    assert len(desk.audited()) == 2
    assert desk.store.read(list_approvals) == []


@pytest.mark.parametrize(
    "parameters", [{}, {"amount": None}, {"amount": "1,200.00"}, {"amount": "9e9"}, {"amount": [1]}]
)
def test_an_amount_that_can_not_be_read_is_refused_and_goes_to_no_laxer_policy(
    desk: ApprovalDesk, parameters: dict[str, object]
) -> None:
    strict = replace(REFUND, name="large", amount_field="amount", amount_from=Decimal(500))
    under = desk.under(strict, REFUND)
    action = Action("refund", "c_881", "production", parameters)
    error = under.refused(under.try_ask(action=action), "approval.refused", "amount_unreadable")
    assert error.where == "parameters.amount"
    assert "`large`" in error.message
    assert '{"amount": "120.00"}' in error.next_step
    assert under.audited() == [("approval.refused", "", AGENT)]
    assert under.facts() == {"code": "amount_unreadable", "kind": "refund"}
    assert under.store.read(list_approvals) == []
    assert under.ask(amount="120.00").policy == "refund-prod"
    assert under.ask(amount="500").policy == "large"


def test_an_amount_outside_every_bound_is_named_where_nobody_decides_about_it(
    desk: ApprovalDesk,
) -> None:
    small = replace(REFUND, name="small", amount_field="amount", amount_below=Decimal(500))
    under = desk.under(small)
    error = under.refused(under.try_ask(amount="9000.00"), "approval.refused", "no_policy")
    assert error.message == (
        "No policy says who decides `refund` in production with 9000.00 as its `amount`."
    )
    assert error.next_step.startswith("Change the bounds of policy `small`,")
    assert error.where == "parameters.amount"
    other = under.refused(under.try_ask(kind="deploy"), "approval.refused", "no_policy")
    assert "amount" not in other.message


@pytest.mark.parametrize("ttl", [0, -1, 0.5, 7201, float("nan"), float("inf")])
def test_a_time_to_wait_beyond_the_policys_is_refused(sqlite_store: Store, ttl: float) -> None:
    desk = ApprovalDesk(sqlite_store).under(replace(REFUND, max_ttl_seconds=7200))
    error = desk.refused(desk.try_ask(ttl_seconds=ttl), "approval.refused", "bad_ttl")
    assert "from 1 to 7200 s" in error.message


def test_a_request_waits_as_long_as_it_says_or_as_the_policy_does(desk: ApprovalDesk) -> None:
    own = desk.ask("c_1", ttl_seconds=7200)
    policys = desk.ask("c_2")
    assert own.expires_at == own.created_at + 7200 * SECOND
    assert policys.expires_at == policys.created_at + HOUR


def test_the_same_request_again_is_the_same_approval(desk: ApprovalDesk) -> None:
    asked = desk.ask()
    shuffled = Action("refund", "c_881", "production", dict(reversed([("amount", "120.00")])))
    assert desk.ask(action=shuffled, why="asked again").number == asked.number
    assert desk.kinds() == ["approval.requested"]
    assert desk.ask(agent="other-bot").number != asked.number
    assert desk.ask("c_882").number != asked.number


def test_what_is_approved_and_has_not_run_is_found_by_who_asks_again(desk: ApprovalDesk) -> None:
    """An agent that was restarted asks again; it must not hold two leaves for one action."""
    asked = desk.ask()
    desk.counted(asked)
    again = desk.ask()
    assert (again.number, again.state) == (asked.number, ApprovalState.APPROVED)
    desk.granted(asked)
    assert desk.ask().number != asked.number


def test_the_same_for_another_task_is_another_request(store: Store) -> None:
    tasks, desk = TaskDesk(store), ApprovalDesk(store)
    tasks.give()
    tasks.give(requester=BEN)
    first, second = tasks.claimed(), tasks.claimed()
    of_ana, of_ben = desk.ask(task=first.number), desk.ask(task=second.number)
    assert of_ana.number != of_ben.number
    assert (of_ana.triggered_by, of_ben.triggered_by) == (ANA, BEN)
    assert desk.ask(task=first.number).number == of_ana.number


def test_what_was_approved_for_one_run_is_not_handed_to_another(desk: ApprovalDesk) -> None:
    approved = desk.counted(desk.ask(run_id="r-1")).approval
    for run_id in ("r-2", None):
        other = desk.ask(run_id=run_id)
        assert (other.number != approved.number, other.state) == (True, ApprovalState.PENDING)
        assert desk.ask(run_id=run_id).number == other.number
    assert desk.ask(run_id="r-1").number == approved.number
    assert desk.find(approved).state is ApprovalState.APPROVED


def test_who_asks_the_same_again_says_where_its_outcome_is_told(desk: ApprovalDesk) -> None:
    old, new = "https://agent.example/old", "https://agent.example/new"
    asked = desk.ask(webhook=old)

    def told() -> str | None:
        return desk.store.read(find_webhook, asked.number)

    before = desk.find(asked)
    assert desk.ask().number == asked.number
    assert told() == old
    assert desk.ask(webhook=new).number == asked.number
    assert told() == new
    assert desk.find(asked) == before
    desk.refused(desk.try_ask(webhook="ftp://agent.example"), "approval.refused", "bad_webhook")
    assert told() == new
    desk.counted(asked)
    assert len(desk.owed(ApprovalNotice.WEBHOOK)) == 1
    assert desk.ask(webhook=old).number == asked.number
    assert told() == new  # it was decided, and that is told


def test_an_expired_request_is_asked_anew(desk: ApprovalDesk, clock: FrozenClock) -> None:
    asked = desk.ask()
    clock.advance(3600)
    again = desk.ask()
    assert again.number != asked.number
    assert desk.find(asked).state is ApprovalState.EXPIRED
    assert desk.kinds() == ["approval.requested", "approval.expired", "approval.requested"]


def test_an_agent_asks_for_its_own_tasks_only(store: Store) -> None:
    tasks, desk = TaskDesk(store), ApprovalDesk(store)
    tasks.give()
    task = tasks.claimed().number
    desk.refused(desk.try_ask(task=task, agent="thief"), "approval.refused", "agent_mismatch")
    assert tasks.find(task).state == "running"
    with pytest.raises(NotFoundError):
        desk.try_ask(task=99)


def test_an_agent_asks_so_often_an_hour_and_asking_the_same_again_is_free(
    store: Store, clock: FrozenClock
) -> None:
    desk = ApprovalDesk(store).under(replace(REFUND, per_hour=3))
    for target in ("c_1", "c_2", "c_3"):
        desk.ask(target)
    error = desk.refused(desk.try_ask("c_4"), "approval.refused", "approval_rate_limited")
    assert isinstance(error, UnavailableError)
    assert error.retry_after
    assert desk.ask("c_2").number == 2
    assert desk.ask("c_4", agent="other-bot").number == 4
    clock.advance(3601)
    desk.ask("c_4")


def test_who_asked_too_often_is_told_how_often_and_whose_limit_that_is(desk: ApprovalDesk) -> None:
    for number in range(9):
        desk.ask(f"c_{number}")
    few = desk.under(replace(REFUND, name="few", per_hour=4))
    error = few.refused(few.try_ask("c_9"), "approval.refused", "approval_rate_limited")
    assert error.message == (f"{AGENT} has asked 9 times within the hour; policy `few` allows 4.")


def test_what_was_denied_a_moment_ago_is_denied_again_without_asking(
    desk: ApprovalDesk, clock: FrozenClock
) -> None:
    asked = desk.ask()
    clock.advance(3000)  # nobody looked for long: the denial counts from when it was made
    desk.deny(asked, reason="wrong customer")
    again = desk.ask()
    assert (again.state, again.decided_by) == (ApprovalState.DENIED, "the loop breaker")
    assert asked.id in again.reason
    assert desk.kinds()[-2:] == ["approval.requested", "approval.loop_broken"]
    assert desk.ask("c_882").state is ApprovalState.PENDING
    clock.advance(590)
    assert desk.ask().state is ApprovalState.DENIED
    clock.advance(20)  # the denials of the loop breaker don't prolong it
    assert desk.ask().state is ApprovalState.PENDING


def test_the_loop_breaker_supersedes_nothing(store: Store) -> None:
    tasks, desk = TaskDesk(store), ApprovalDesk(store)
    tasks.give()
    task = tasks.claimed().number
    desk.deny(desk.ask(task=task))
    changed = desk.ask(amount="90.00", task=task)
    assert desk.ask(task=task).state is ApprovalState.DENIED
    assert desk.find(changed).state is ApprovalState.PENDING
    assert tasks.find(task).state == "waiting"


def test_a_policy_may_have_no_loop_breaker(sqlite_store: Store) -> None:
    desk = ApprovalDesk(sqlite_store).under(replace(REFUND, loop_seconds=0))
    desk.deny(desk.ask())
    assert desk.ask().state is ApprovalState.PENDING


def test_a_request_is_taken_back_by_who_made_it_while_nobody_decided_and_is_not_others_to_take(
    desk: ApprovalDesk,
) -> None:
    asked = desk.ask()
    for stranger in ("other-bot", ""):
        refused = desk.store.write(cancel_approval, asked.number, stranger)
        error = desk.refused(refused, "approval.cancel_refused", "agent_mismatch")
        assert error.message == f"{asked.id} is not yours to take back."
    cancelled = desk.store.write(cancel_approval, asked.number, AGENT)
    assert isinstance(cancelled, Approval)
    assert (cancelled.state, cancelled.decided_by) == (ApprovalState.CANCELLED, AGENT)
    assert desk.kinds()[-1] == "approval.cancelled"
    again = desk.store.write(cancel_approval, asked.number, OWNER)
    error = desk.refused(again, "approval.cancel_refused", "already_cancelled")
    assert error.message.startswith(f"{AGENT} took this back at 11:06 UTC. Nothing ran.")
    with pytest.raises(NotFoundError):
        desk.store.write(cancel_approval, 99, AGENT)


def test_what_waits_is_listed_the_soonest_to_expire_first(
    desk: ApprovalDesk, clock: FrozenClock
) -> None:
    late, soon = desk.ask("c_1", ttl_seconds=7000), desk.ask("c_2", ttl_seconds=100)
    done = desk.ask("c_3", agent="other-bot")
    desk.deny(done)
    assert [one.number for one in desk.store.read(list_approvals)] == [soon.number, late.number]
    everything = desk.store.read(list_approvals, ApprovalFilter(states=None))
    assert [one.number for one in everything] == [3, 2, 1]
    theirs = desk.store.read(list_approvals, ApprovalFilter(states=None, agent="other-bot"))
    assert [one.votes[0].voter for one in theirs] == [BEN]
    clock.advance(100)
    assert desk.expire() == 1
    assert [one.number for one in desk.store.read(list_approvals)] == [late.number]


def test_forty_that_ask_the_same_at_once_get_one_approval(
    store_url: str, clock: FrozenClock
) -> None:
    stores = [open_store(store_url, clock) for _ in range(2)]
    desks = [ApprovalDesk(one) for one in stores]
    found: list[Approval | Refusal] = []

    def ask(number: int) -> None:
        desk = desks[number % 2]
        found.append(desk.store.write(request_approval, desk.new(), desk.policies))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kinds = desks[0].kinds()
    for one in stores:
        one.close()
    assert {one.number for one in found if isinstance(one, Approval)} == {1}
    assert len(found) == 40
    assert kinds == ["approval.requested"]


def test_policies_that_are_new_changed_or_gone_are_noted_once(store: Store) -> None:
    desk = ApprovalDesk(store)
    assert store.write(note_policies, desk.policies) == 1
    assert store.write(note_policies, desk.policies) == 0
    looser = desk.under(replace(REFUND, per_hour=10_000), replace(REFUND, name="other"))
    assert store.write(note_policies, looser.policies) == 2
    assert desk.facts()["before"] == ""
    assert store.write(note_policies, desk.under().policies) == 2
    assert store.write(note_policies, desk.policies) == 1
    assert [(kind, subject) for kind, subject, _ in desk.audited()] == [
        ("policy.changed", "refund-prod"),
        ("policy.changed", "refund-prod"),
        ("policy.changed", "other"),
        ("policy.removed", "other"),
        ("policy.removed", "refund-prod"),
        ("policy.changed", "refund-prod"),
    ]


def test_a_stored_action_that_was_tampered_with_is_nobodys_to_decide(desk: ApprovalDesk) -> None:
    asked = desk.ask()

    def tamper(tx: Transaction) -> None:
        changed = '{"environment":"production","kind":"refund","parameters":{"amount":"9120.00"},'
        tx.execute(update(approvals).values(action=changed + '"target":"c_881"}'))

    desk.store.write(tamper)
    desk.refused(desk.vote(asked, shown=asked.short_digest), "vote.refused", "digest_mismatch")
    desk.refused(desk.bypass(asked), "bypass.refused", "digest_mismatch")
    assert desk.find(asked).state is ApprovalState.PENDING
