"""Deciding: who may, whose vote counts, what is refused and how, expiry, and the broken glass."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from faultbook.base.clock import DAY, SECOND
from faultbook.model.approval import Approval, ApprovalState, Decision
from faultbook.model.approval_policy import (
    ApprovalPolicies,
    ApprovalPolicy,
    Membership,
    Threshold,
    Voters,
)
from faultbook.model.person import Person
from faultbook.operations.approval_notices import ApprovalNotice
from faultbook.operations.approval_reporting import nobody_confirms
from faultbook.operations.approval_sight import read_waiting
from faultbook.operations.approval_steps import Refusal
from faultbook.operations.approvals import review_bypass
from faultbook.operations.voting import Counted
from faultbook.store.engine import Store
from tests.approval_desk import (
    CARA,
    DAN,
    EVE,
    FINANCE,
    LEADS,
    OWNER,
    REFUND,
    TWO,
    ApprovalDesk,
    member,
)
from tests.conftest import FrozenClock
from tests.task_desk import ANA, BEN, TaskDesk

_FINANCE = Voters(groups=frozenset({FINANCE}))
_LEADS = Voters(groups=frozenset({LEADS}))


@pytest.fixture
def desk(store: Store) -> ApprovalDesk:
    return ApprovalDesk(store)


def test_one_vote_that_is_enough_decides_and_says_who_and_when(
    desk: ApprovalDesk, clock: FrozenClock
) -> None:
    asked = desk.ask(webhook="https://agent.example/hook")
    at = clock.advance(60)
    counted = desk.counted(asked, BEN, reason=" it is right ", shown=asked.short_digest)
    assert (counted.votes, counted.needed) == (1, 1)
    found = desk.find(asked)
    assert counted.approval == found
    assert (found.state, found.decided_by, found.decided_at, found.reason) == (
        ApprovalState.APPROVED,
        BEN.name,
        at,
        "it is right",
    )
    [vote] = found.votes
    assert (vote.voter, vote.decision, vote.thresholds) == (BEN, Decision.APPROVE, (0,))
    assert desk.audited()[1:] == [("vote.approve", asked.id, "Ben Okafor (UBEN)")]
    assert desk.facts()["digest"] == asked.digest
    [hook] = desk.owed(ApprovalNotice.WEBHOOK)
    assert hook["approval"] == asked.number


def test_a_denial_is_kept_with_its_reason_and_without_its_secrets(desk: ApprovalDesk) -> None:
    asked = desk.ask()
    desk.deny(asked, reason="see ghp_" + "a1B2" * 9 + "\u202e\x00")
    found = desk.find(asked)
    assert (found.state, found.decided_by) == (ApprovalState.DENIED, BEN.name)
    assert found.reason == "see [REDACTED:github-pat]\\u202e\\u0000"
    assert desk.kinds()[-1] == "vote.deny"


def test_two_of_a_group_approve_and_one_denies(store: Store) -> None:
    desk = ApprovalDesk(store).under(TWO)
    asked = desk.ask()
    first = desk.counted(asked, BEN)
    assert (first.votes, first.needed) == (1, 2)
    assert first.approval.state is ApprovalState.PENDING
    assert first.approval.revision > asked.revision
    second = desk.counted(asked, CARA)
    assert (second.votes, second.needed) == (2, 2)
    assert second.approval.state is ApprovalState.APPROVED
    assert second.approval.decided_by == CARA.name
    other = desk.ask("c_2")
    desk.counted(other, BEN)
    desk.deny(other, CARA)
    assert desk.find(other).state is ApprovalState.DENIED


def test_a_person_in_several_thresholds_counts_for_each_once(store: Store) -> None:
    both = (Threshold(_FINANCE, approve=2), Threshold(_LEADS, approve=2))
    desk = ApprovalDesk(store).under(replace(REFUND, thresholds=both))
    asked = desk.ask()
    desk.counted(asked, CARA)  # one of two for finance, and one of two for the leads
    assert desk.find(asked).votes[0].thresholds == (0, 1)
    last = desk.counted(asked, DAN)
    assert last.approval.state is ApprovalState.APPROVED
    mixed = desk.ask("c_2")
    desk.counted(mixed, BEN)
    assert desk.counted(mixed, DAN).approval.state is ApprovalState.PENDING  # one of each


def _by(voter: Person, **facts: object) -> Callable[[ApprovalDesk, Approval], Counted | Refusal]:
    told = replace(member(voter), **facts)  # type: ignore[arg-type]  # each value fits its field
    return lambda desk, asked: desk.vote(asked, voter, membership=told)


_ZED = Person("UZED", "Zed")
_STRICT = replace(REFUND, reason_to_approve=True, reason_to_deny=True)
_REFUSED: dict[str, tuple[Callable[[ApprovalDesk, Approval], Counted | Refusal], str, str]] = {
    "not listed": (_by(_ZED), "not_an_approver", "Only those of policy `refund-prod` decide"),
    "removed": (
        _by(BEN, is_active=False, why_not="You were removed.", why_code="deactivated"),
        "deactivated",
        "You were removed.",
    ),
    "guest": (
        _by(BEN, is_active=False, why_not="Guests don't decide.", why_code="guest"),
        "guest",
        "Guests don't decide.",
    ),
    "bot": (
        _by(BEN, is_active=False, why_not="Bots don't decide.", why_code="bot"),
        "bot",
        "Bots don't decide.",
    ),
    "inactive without a word": (_by(BEN, is_active=False), "not_an_approver", "Only those"),
    "left the group": (_by(BEN, groups=frozenset()), "not_an_approver", "Only those"),
    "looked up in vain": (
        _by(BEN, is_active=False, why_not="Slack didn't confirm it.", why_code="lookup_failed"),
        "lookup_failed",
        "Slack didn't confirm it.",
    ),
    "another's membership": (
        lambda desk, asked: desk.vote(asked, _ZED, membership=member(BEN)),
        "not_an_approver",
        "Only those",
    ),
    "nobody": (
        lambda desk, asked: desk.vote(
            asked, Person("", "Ben"), membership=Membership("", frozenset({FINANCE}))
        ),
        "not_an_approver",
        "Only those",
    ),
    "foreign id": (
        lambda desk, _: desk.vote(99, BEN),
        "approval_not_found",
        "There is no approval A-99.",
    ),
    "another card's digest": (
        lambda desk, asked: desk.vote(asked, BEN, shown="0123456789ab"),
        "digest_mismatch",
        "What you saw is not what is stored",
    ),
    "changed policy": (
        lambda desk, asked: desk.under(replace(REFUND, prevent_self_review=False)).vote(asked),
        "policy_changed",
        "The policy `refund-prod` changed since A-1 was asked",
    ),
    "policy gone": (
        lambda desk, asked: ApprovalDesk(desk.store, ApprovalPolicies()).vote(asked),
        "policy_changed",
        "The policy `refund-prod` changed since A-1 was asked",
    ),
}


def test_each_vote_that_does_not_count_says_why_is_audited_once_and_changes_nothing(
    desk: ApprovalDesk,
) -> None:
    asked = desk.ask()
    for name, (try_it, code, words) in _REFUSED.items():
        entries = len(desk.audited())
        error = desk.refused(try_it(desk, asked), "vote.refused", code)
        assert error.message.startswith(words), name
        assert len(desk.audited()) == entries + 1, name
        assert desk.facts()["decision"] == "approve"
        assert desk.find(asked) == asked, name
    assert desk.owed(ApprovalNotice.WEBHOOK) == []
    desk.counted(asked)


def test_a_reason_that_a_policy_wants_is_missed(store: Store) -> None:
    desk = ApprovalDesk(store).under(_STRICT)
    asked = desk.ask()
    for decision in Decision:
        answer = desk.vote(asked, BEN, decision, reason=" \n")
        error = desk.refused(answer, "vote.refused", "reason_required")
        assert error.message == "Policy `refund-prod` requires a reason."
        assert error.where == "reason"
    desk.counted(asked, BEN, reason="right")


def test_who_voted_is_told_so_and_counts_once(store: Store) -> None:
    desk = ApprovalDesk(store).under(TWO)
    asked = desk.ask()
    desk.counted(asked, BEN)
    again = desk.vote(asked, BEN)
    error = desk.refused(again, "vote.refused", "already_voted")
    assert error.message == "You approved this before; voting again changes nothing."
    desk.refused(desk.deny(asked, BEN), "vote.refused", "already_voted")
    found = desk.find(asked)
    assert (found.state, len(found.votes)) == (ApprovalState.PENDING, 1)


@pytest.mark.parametrize(
    ("decision", "state", "words"),
    [
        (Decision.APPROVE, "approved", "Ben Okafor approved this at 11:07 UTC."),
        (Decision.DENY, "denied", "Ben Okafor denied this at 11:07 UTC."),
    ],
)
def test_who_decides_second_is_told_who_decided_and_when_without_a_word_of_clicks(
    store: Store, clock: FrozenClock, decision: Decision, state: str, words: str
) -> None:
    desk = ApprovalDesk(store)
    asked = desk.ask()
    clock.advance(60)
    desk.vote(asked, BEN, decision)
    clock.advance(60)
    before = desk.find(asked)
    for late in (BEN, CARA, _ZED):
        for click in Decision:
            error = desk.refused(desk.vote(asked, late, click), "vote.refused", f"already_{state}")
            assert error.message == words
    assert desk.find(asked) == before


def test_a_superseded_card_names_what_replaced_it(desk: ApprovalDesk) -> None:
    asked = desk.ask(run_id="r-1")
    after = desk.ask(amount="90.00", run_id="r-1")
    error = desk.refused(desk.vote(asked), "vote.refused", "already_superseded")
    assert error.message.startswith(f"Superseded by {after.id}: the parameters changed.")
    assert after.id in error.next_step


def test_nobody_decides_what_comes_from_them(store: Store) -> None:
    """Compared are people: the agent's own name, its owner, and whose task it is; by id or name."""
    tasks, desk = TaskDesk(store), ApprovalDesk(store)
    tasks.give()
    task = tasks.claimed().number
    asked = desk.ask(task=task)
    mine = {"groups": frozenset({FINANCE})}
    by_task, by_agent = f"your task T-{task}", f"your agent {asked.agent}"
    behind = {
        ANA: by_task,
        Person("UOTHER", "ana ruiz"): by_task,
        Person("UOTHER", " ANA  Ruiz "): by_task,
        Person("uana", "Somebody"): by_task,
        Person("UOLGA", OWNER.upper()): by_agent,
        Person("UBOT", "Invoice-Bot"): "you",
        Person("UFULL", "\uff21na Ruiz"): by_task,
    }
    for person, source in behind.items():
        told = replace(member(person), **mine)  # type: ignore[arg-type]  # the field's own kind
        error = desk.refused(
            desk.vote(asked, person, membership=told), "vote.refused", "self_review"
        )
        assert error.message == (
            f"You can't decide this: it comes from {source}. Others of `refund-prod` can."
        )
    own = desk.ask("c_2", owner="UBEN", agent="other-bot")
    error = desk.refused(desk.vote(own, BEN), "vote.refused", "self_review")
    assert error.message.startswith("You can't decide this: it comes from your agent other-bot.")
    desk.counted(asked, BEN)


@pytest.mark.parametrize("owner", ["ben", "@ben", " \uff20BEN ", "benny", "Ben  Okafor", "UBEN"])
def test_who_owns_the_agent_by_any_name_of_theirs_in_slack_does_not_decide(
    sqlite_store: Store, owner: str
) -> None:
    desk = ApprovalDesk(sqlite_store)
    asked = desk.ask(owner=owner)
    told = member(BEN, name="Ben Okafor", aliases=frozenset({"ben", "Benny", "Ben Okafor"}))
    voter = Person(BEN.id, "Somebody Renamed")
    desk.refused(desk.vote(asked, voter, membership=told), "vote.refused", "self_review")
    for_them, own = sqlite_store.read(read_waiting, voter, told, desk.policies)
    assert ([one.approval.id for one in own], list(for_them)) == ([asked.id], [])
    for_cara, own = sqlite_store.read(read_waiting, CARA, member(CARA), desk.policies)
    assert ([one.approval.id for one in for_cara], list(own)) == ([asked.id], [])
    desk.counted(asked, CARA)


def test_a_policy_may_let_people_decide_what_comes_from_them(sqlite_store: Store) -> None:
    desk = ApprovalDesk(sqlite_store).under(replace(REFUND, prevent_self_review=False))
    asked = desk.ask(owner="UBEN")
    assert desk.counted(asked, BEN).approval.state is ApprovalState.APPROVED


def test_what_nobody_answers_expires_which_denies_it(
    desk: ApprovalDesk, clock: FrozenClock
) -> None:
    asked = desk.ask(webhook="https://agent.example/hook")
    clock.instant = asked.expires_at - 1
    assert desk.expire() == 0
    at = clock.advance(1 / SECOND)
    assert desk.expire() == 1
    assert desk.expire() == 0
    found = desk.find(asked)
    assert (found.state, found.decided_at, found.reason) == (
        ApprovalState.EXPIRED,
        at,
        "unanswered",
    )
    assert desk.audited()[1:] == [("approval.expired", asked.id, "clock")]
    assert len(desk.owed(ApprovalNotice.WEBHOOK)) == 1


def test_a_click_on_an_expired_card_lets_it_expire_and_says_so(
    desk: ApprovalDesk, clock: FrozenClock
) -> None:
    asked = desk.ask()
    clock.instant = asked.expires_at
    error = desk.refused(desk.vote(asked), "vote.refused", "already_expired")
    assert error.message.startswith("Expired 12:06 UTC unanswered, which denies it. Nothing ran.")
    assert desk.find(asked).state is ApprovalState.EXPIRED
    assert desk.kinds() == ["approval.requested", "approval.expired", "vote.refused"]
    assert desk.expire() == 0


def test_the_glass_is_broken_by_its_own_role_with_a_reason_and_loudly(
    store: Store, clock: FrozenClock
) -> None:
    desk = ApprovalDesk(store).under(TWO)
    asked = desk.ask()
    refused: list[tuple[object, str]] = [
        (desk.bypass(asked, CARA), "no_break_glass"),
        (desk.bypass(asked, EVE, is_active=False), "no_break_glass"),
        (desk.bypass(asked, EVE, is_active=False, why_code="guest"), "guest"),
        (desk.bypass(asked, EVE, reason=" "), "reason_required"),
        (desk.under(replace(TWO, break_glass=Voters())).bypass(asked), "policy_changed"),
        (desk.bypass(replace(asked, number=99)), "approval_not_found"),
    ]
    assert desk.kinds().count("bypass.refused") == len(refused)
    for answer, code in refused:
        assert isinstance(answer, Refusal)
        assert answer.error.code == code
    assert desk.find(asked) == asked
    at = clock.advance(5)
    found = desk.bypass(asked, reason="the bank calls")
    assert isinstance(found, Approval)
    assert (found.state, found.is_bypass, found.decided_by) == (
        ApprovalState.APPROVED,
        True,
        EVE.name,
    )
    assert found.review_due_at == at + DAY
    assert [one.bypass for one in found.votes] == [True]
    assert desk.audited()[-1] == ("approval.bypassed", asked.id, "Eve Roth (UEVE)")
    assert desk.facts()["digest"] == asked.digest
    assert [one["approval"] for one in desk.owed(ApprovalNotice.BYPASS)] == [asked.number]
    desk.refused(desk.bypass(asked, BEN), "bypass.refused", "already_approved")
    desk.refused(desk.vote(asked, CARA), "vote.refused", "already_approved")


def test_a_bypass_is_reviewed_once_by_somebody_else(store: Store) -> None:
    desk = ApprovalDesk(store).under(TWO)
    asked = desk.ask()
    desk.counted(asked, BEN)  # a vote of his own does not hide that he broke the glass
    desk.bypass(asked, BEN)
    assert desk.find(asked).review_due_at is not None
    twin = Person("UBEN2", "ben okafor")
    for author in (BEN, twin):
        own = store.write(review_bypass, asked.number, author, "fine", member(author))
        desk.refused(own, "review.refused", "own_review")
    wordless = store.write(review_bypass, asked.number, CARA, " ", member(CARA))
    desk.refused(wordless, "review.refused", "reason_required")
    assert desk.find(asked).review_due_at is not None
    reviewed = store.write(review_bypass, asked.number, CARA, "the bank confirmed", member(CARA))
    assert isinstance(reviewed, Approval)
    assert reviewed.review_due_at is None
    assert reviewed.is_bypass
    assert desk.audited()[-1] == ("bypass.reviewed", asked.id, "Cara Lind (UCARA)")
    assert desk.facts() == {"note": "the bank confirmed"}
    again = store.write(review_bypass, asked.number, DAN, "twice", member(DAN))
    desk.refused(again, "review.refused", "no_review")
    plain = desk.ask("c_2")
    desk.refused(
        store.write(review_bypass, plain.number, DAN, "what?", member(DAN)),
        "review.refused",
        "no_review",
    )


def test_who_may_not_act_reviews_no_bypass_unless_slack_alone_could_not_be_asked(
    store: Store,
) -> None:
    desk = ApprovalDesk(store)
    asked = desk.ask()
    desk.bypass(asked)
    refused = [
        (member(CARA, is_active=False), "not_active"),
        (member(CARA, is_active=False, why_not="Gone.", why_code="deactivated"), "deactivated"),
        (member(DAN), "not_active"),
    ]
    for told, code in refused:
        answer = store.write(review_bypass, asked.number, CARA, "fine", told)
        desk.refused(answer, "review.refused", code)
    assert desk.kinds().count("review.refused") == len(refused)
    assert desk.find(asked).review_due_at is not None
    reviewed = store.write(review_bypass, asked.number, CARA, "fine", nobody_confirms(CARA))
    assert isinstance(reviewed, Approval)
    assert reviewed.review_due_at is None


def test_the_policys_bypassers_are_none_where_none_are_set(sqlite_store: Store) -> None:
    policy: ApprovalPolicy = replace(REFUND, break_glass=Voters())
    desk = ApprovalDesk(sqlite_store).under(policy)
    asked = desk.ask()
    for person in (ANA, BEN, CARA, DAN, EVE):
        desk.refused(desk.bypass(asked, person), "bypass.refused", "no_break_glass")
