"""Policies as values: which takes an action, who counts, and what votes decide."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbook.base.errors import InvalidError
from faultbook.model.approval import Action, ApprovalState, Decision, Vote
from faultbook.model.approval_policy import (
    ApprovalPolicies,
    ApprovalPolicy,
    ExecutorPlan,
    Membership,
    Threshold,
    Voters,
    counted_for,
    decide,
    nearest_threshold,
)
from faultbook.model.person import Person

_SOMEBODY = (Threshold(Voters(users=frozenset({"U1"}))),)
_ANY = ApprovalPolicy("any", frozenset({"refund"}), _SOMEBODY)
_SMALL = replace(
    _ANY,
    name="small",
    environments=frozenset({"production"}),
    amount_field="amount",
    amount_from=Decimal(0),
    amount_below=Decimal(500),
)


def _refund(amount: object = "1", environment: str = "production") -> Action:
    return Action("refund", "c1", environment, {"amount": amount})


@pytest.mark.parametrize("amount", ["0", "0.00", 0, 499, "499.999", "-0", "007"])
def test_an_amount_within_the_bounds_fits(amount: object) -> None:
    assert _SMALL.takes(_refund(amount))


@pytest.mark.parametrize("amount", ["500", 500, "500.0", "-1", "-0.01", "9" * 40])
def test_an_amount_outside_the_bounds_does_not_fit(amount: object) -> None:
    assert not _SMALL.takes(_refund(amount))
    assert _ANY.takes(_refund(amount))


@pytest.mark.parametrize(
    "amount",
    [
        *("NaN", "sNaN", "Infinity", "1,5", "", "x", "0x10"),
        *("1e2", "1_0", " 5", "5.", ".5", "+5", "5\n", "\u0665", "\uff15"),
        *(None, True, [1], {"a": 1}, "9" * 500),
    ],
)
def test_an_amount_that_can_not_be_read_leaves_no_policy_to_choose(amount: object) -> None:
    policies = ApprovalPolicies((_SMALL, _ANY))
    with pytest.raises(
        InvalidError, match="Policy `small` goes by the amount in `amount`"
    ) as caught:
        policies.choose(_refund(amount))
    assert (caught.value.code, caught.value.where) == ("amount_unreadable", "parameters.amount")
    assert caught.value.next_step == (
        'Send digits alone, with a point at most: {"amount": "120.00"}.'
    )
    assert _ANY.takes(_refund(amount))


def test_an_action_without_the_amount_leaves_no_policy_to_choose() -> None:
    policies = ApprovalPolicies((_SMALL, _ANY))
    for parameters in ({}, {"Amount": "1"}, {"cents": 100}):
        with pytest.raises(InvalidError, match="missing or no plain decimal"):
            policies.choose(Action("refund", "c1", "production", parameters))


def test_an_amount_is_read_only_by_a_policy_that_fits_otherwise_and_comes_in_its_turn() -> None:
    assert ApprovalPolicies((_SMALL, _ANY)).choose(_refund("x", "staging")) is _ANY
    assert ApprovalPolicies((_ANY, _SMALL)).choose(_refund("x")) is _ANY
    assert ApprovalPolicies((_SMALL,)).choose(Action("deploy", "web", "production")) is None


def test_kind_and_environment_fit_exactly() -> None:
    assert not _SMALL.takes(_refund(environment="staging"))
    assert not _SMALL.takes(_refund(environment="Production"))
    assert _ANY.takes(_refund(environment="staging"))
    assert not _ANY.takes(Action("refunds", "c1", "production"))


def test_the_first_policy_that_takes_an_action_is_chosen_and_none_is_no_gap() -> None:
    policies = ApprovalPolicies((_SMALL, _ANY))
    assert policies.choose(_refund("20")) is _SMALL
    assert policies.choose(_refund("2000")) is _ANY
    assert ApprovalPolicies((_SMALL,)).choose(_refund("2000")) is None
    assert policies.choose(Action("deploy", "web", "production")) is None
    assert ApprovalPolicies().choose(_refund()) is None
    assert policies.named("small") is _SMALL
    assert policies.named("none") is None


def test_a_reason_is_needed_for_the_decision_that_the_policy_names() -> None:
    strict = replace(_SMALL, reason_to_approve=True)
    assert [strict.needs_reason(one) for one in (Decision.APPROVE, Decision.DENY)] == [True, False]
    careful = replace(_SMALL, reason_to_deny=True)
    assert [careful.needs_reason(one) for one in (Decision.APPROVE, Decision.DENY)] == [False, True]
    assert not any(_SMALL.needs_reason(one) for one in Decision)


def test_nobody_is_among_no_voters() -> None:
    member = Membership("U1", frozenset({"S1"}), frozenset({"C1"}))
    assert not Voters().include(member)
    assert Voters(users=frozenset({"U1"})).include(member)
    assert Voters(groups=frozenset({"S1", "S2"})).include(member)
    assert Voters(channels=frozenset({"C1"})).include(member)
    assert not Voters(users=frozenset({"U2"}), groups=frozenset({"S2"})).include(member)
    assert not Voters(users=frozenset({""})).include(Membership("U9"))


def test_one_person_counts_for_every_threshold_that_names_them_and_inactive_ones_for_none() -> None:
    policy = replace(
        _ANY,
        thresholds=(
            Threshold(Voters(groups=frozenset({"S1"}))),
            Threshold(Voters(users=frozenset({"U2"}))),
            Threshold(Voters(channels=frozenset({"C1"}))),
        ),
    )
    member = Membership("U1", frozenset({"S1"}), frozenset({"C1"}))
    assert counted_for(policy, member) == (0, 2)
    assert counted_for(policy, replace(member, is_active=False)) == ()
    assert counted_for(policy, Membership("U3")) == ()


def _changes() -> list[ApprovalPolicy]:
    glass = Voters(users=frozenset({"U9"}))
    return [
        replace(_SMALL, kinds=frozenset({"refund", "credit"})),
        replace(_SMALL, environments=frozenset()),
        replace(_SMALL, amount_below=Decimal(600)),
        replace(_SMALL, thresholds=(Threshold(_SOMEBODY[0].voters, approve=2),)),
        replace(_SMALL, thresholds=(*_SOMEBODY, *_SOMEBODY)),
        replace(_SMALL, prevent_self_review=False),
        replace(_SMALL, reason_to_approve=True),
        replace(_SMALL, break_glass=glass),
        replace(_SMALL, executor=ExecutorPlan(command=("./refund",))),
        replace(_SMALL, executor=ExecutorPlan(command=("./refund", "--all"))),
    ]


def test_any_change_of_the_rules_is_another_version() -> None:
    versions = [policy.version for policy in (_SMALL, *_changes())]
    assert len(set(versions)) == len(versions)
    assert replace(_SMALL).version == _SMALL.version


@pytest.mark.parametrize(
    "change",
    [
        {"ttl_seconds": 60.0},
        {"max_ttl_seconds": 90_000.0},
        {"per_hour": 1000},
        {"loop_seconds": 0.0},
        {"grant_seconds": 9.0},
        {"is_high_risk": True},
        {"channel": "C9"},
        {"mention": "S9"},
    ],
)
def test_a_change_of_times_and_limits_is_noted_and_lets_what_waits_be_decided(
    change: dict[str, object],
) -> None:
    changed = replace(_SMALL, **change)  # type: ignore[arg-type]  # each value fits its own field
    assert changed.wording != _SMALL.wording
    assert changed.version == _SMALL.version


def _vote(voter: str, decision: Decision, *thresholds: int) -> Vote:
    return Vote(Person(voter, voter), decision, "", thresholds, 0)


_APPROVE, _DENY = Decision.APPROVE, Decision.DENY
_TWO_OR_LEAD = (
    Threshold(Voters(groups=frozenset({"S1"})), approve=2, deny=1),
    Threshold(Voters(groups=frozenset({"S2"})), approve=1, deny=2),
)


@pytest.mark.parametrize(
    ("votes", "decided"),
    [
        ([], None),
        ([_vote("a", _APPROVE, 0)], None),
        ([_vote("a", _APPROVE, 0), _vote("a", _APPROVE, 0)], None),
        ([_vote("a", _APPROVE, 0), _vote("b", _APPROVE, 0)], ApprovalState.APPROVED),
        ([_vote("a", _DENY, 0)], ApprovalState.DENIED),
        ([_vote("a", _APPROVE, 0), _vote("b", _DENY, 0)], ApprovalState.DENIED),
        ([_vote("c", _APPROVE, 1)], ApprovalState.APPROVED),
        ([_vote("c", _DENY, 1)], None),
        ([_vote("c", _DENY, 1), _vote("d", _DENY, 1)], ApprovalState.DENIED),
        ([_vote("a", _APPROVE, 0), _vote("c", _APPROVE, 0, 1)], ApprovalState.APPROVED),
        ([_vote("a", _APPROVE), _vote("b", _APPROVE)], None),
    ],
)
def test_two_approve_or_one_lead_and_one_denial_is_enough(
    votes: Sequence[Vote], decided: ApprovalState | None
) -> None:
    assert decide(_TWO_OR_LEAD, votes) is decided


_VOTERS = "abcdef"
_BALLOTS = st.lists(
    st.builds(
        lambda voter, decision, told: _vote(voter, decision, *sorted(told)),
        st.sampled_from(_VOTERS),
        st.sampled_from(list(Decision)),
        st.sets(st.integers(0, 3)),
    ),
    max_size=12,
)
_THRESHOLDS = st.lists(
    st.builds(Threshold, st.just(Voters()), st.integers(1, 4), st.integers(1, 4)), max_size=4
)


def _naively(thresholds: Sequence[Threshold], votes: Sequence[Vote]) -> ApprovalState | None:
    """Say the rule once more, the slow way: look for groups of people, threshold by threshold."""
    for index, threshold in enumerate(thresholds):
        for decision, enough, state in (
            (Decision.DENY, threshold.deny, ApprovalState.DENIED),
            (Decision.APPROVE, threshold.approve, ApprovalState.APPROVED),
        ):
            for group in itertools.combinations(_VOTERS, enough):
                said = [
                    any(
                        one.voter.id == person
                        and one.decision is decision
                        and index in one.thresholds
                        for one in votes
                    )
                    for person in group
                ]
                if all(said):
                    return state
    return None


@given(thresholds=_THRESHOLDS, votes=_BALLOTS)
def test_votes_decide_as_the_rule_says(thresholds: list[Threshold], votes: list[Vote]) -> None:
    assert decide(thresholds, votes) is _naively(thresholds, votes)


@given(thresholds=_THRESHOLDS, votes=_BALLOTS)
def test_no_threshold_or_no_vote_decides_nothing_and_another_approval_never_denies(
    thresholds: list[Threshold], votes: list[Vote]
) -> None:
    assert decide([], votes) is None
    assert decide(thresholds, []) is None
    if decide(thresholds, votes) is ApprovalState.APPROVED:
        more = [*votes, _vote("f", Decision.APPROVE, 0, 1, 2, 3)]
        assert decide(thresholds, more) is ApprovalState.APPROVED


@pytest.mark.parametrize(
    ("votes", "decision", "told"),
    [
        ([_vote("a", _APPROVE, 0)], _APPROVE, (1, 2)),
        ([_vote("a", _APPROVE, 0), _vote("b", _APPROVE, 0)], _APPROVE, (2, 2)),
        ([_vote("c", _DENY, 1)], _DENY, (1, 2)),
        ([], _APPROVE, (0, 1)),
    ],
)
def test_votes_are_counted_against_the_threshold_that_is_nearest(
    votes: Sequence[Vote], decision: Decision, told: tuple[int, int]
) -> None:
    """The lead alone would be enough, and yet of two approvers' votes the first is one of two."""
    assert nearest_threshold(_TWO_OR_LEAD, votes, decision) == told
