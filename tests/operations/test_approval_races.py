"""Two hundred cards, forty clicks on each at once: one outcome each, everybody told, all kept."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from faultbook.model.approval import Approval, ApprovalState, Decision
from faultbook.model.approval_policy import ApprovalPolicies, Threshold
from faultbook.model.ballot import Ballot
from faultbook.model.person import Person
from faultbook.operations.approval_steps import Refusal, find_approval
from faultbook.operations.auditing import verify_audit
from faultbook.operations.voting import Counted, vote
from faultbook.store import audit
from faultbook.store.engine import Store, open_store
from faultbook.store.transaction import Transaction
from tests.approval_desk import FINANCE, REFUND, ApprovalDesk, member
from tests.conftest import FrozenClock

_REQUESTS, _CLICKS = 200, 40
_PEOPLE = [Person(f"U{number:03}", f"Voter {number}") for number in range(_CLICKS)]
_STATES = {Decision.APPROVE: ApprovalState.APPROVED, Decision.DENY: ApprovalState.DENIED}
_SEVERAL = replace(
    REFUND,
    name="several",
    kinds=frozenset({"payout"}),
    thresholds=(Threshold(REFUND.thresholds[0].voters, approve=3, deny=2),),
)
_POLICIES = ApprovalPolicies((replace(REFUND, per_hour=1000), replace(_SEVERAL, per_hour=1000)))


@dataclass(frozen=True)
class Click:
    """One person's click on a card, and what came of it."""

    number: int
    voter: Person
    decision: Decision
    answer: Counted | Refusal


@pytest.mark.long
def test_forty_clicks_on_each_of_two_hundred_cards_decide_each_once(
    store_url: str, clock: FrozenClock
) -> None:
    """Two stores on one database are what two servers are to it."""
    stores = [open_store(store_url, clock) for _ in range(2)]
    desk = ApprovalDesk(stores[0], _POLICIES)
    asked = [
        desk.ask(f"c_{number}", kind=("refund", "payout")[number % 2])
        for number in range(_REQUESTS)
    ]
    clicks = _click_all(stores, asked, random.Random(5))  # noqa: S311 - who clicks in which order is no secret
    for one in asked:
        _check(stores[0], one, [click for click in clicks if click.number == one.number])
    _check_log(stores[0], clicks)
    for store in stores:
        store.close()


def _click_all(stores: list[Store], asked: list[Approval], chance: random.Random) -> list[Click]:
    """Click in forty threads, card after card, everybody in another order each time."""
    planned: list[tuple[Approval, Person, Decision, Store]] = []
    for one in asked:
        for voter in chance.sample(_PEOPLE, _CLICKS):
            decision = chance.choice(list(Decision))
            planned.append((one, voter, decision, stores[len(planned) % len(stores)]))

    def click(plan: tuple[Approval, Person, Decision, Store]) -> Click:
        one, voter, decision, store = plan
        known = member(voter, groups=frozenset({FINANCE}))
        ballot = Ballot(one.number, voter, decision, known, one.short_digest, "why")
        answer = store.write(vote, ballot, _POLICIES)
        return Click(one.number, voter, decision, answer)

    with ThreadPoolExecutor(_CLICKS) as pool:
        return list(pool.map(click, planned))


def _check(store: Store, asked: Approval, clicks: list[Click]) -> None:
    found = store.read(find_approval, asked.number)
    counted = [click for click in clicks if isinstance(click.answer, Counted)]
    decisive = [
        click
        for click in counted
        if isinstance(click.answer, Counted) and click.answer.approval.state.is_decided
    ]
    assert len(clicks) == _CLICKS
    assert len(decisive) == 1, "one click decided, and its clicker knows"
    assert found.state is _STATES[decisive[0].decision]
    assert found.decided_by == decisive[0].voter.name
    assert {(one.voter.id, one.decision) for one in found.votes} == {
        (click.voter.id, click.decision) for click in counted
    }
    tally = Counter(click.decision for click in counted)
    threshold = next(one for one in _POLICIES.all if one.name == found.policy).thresholds[0]
    needed = {Decision.APPROVE: threshold.approve, Decision.DENY: threshold.deny}
    won = decisive[0].decision
    assert tally[won] == needed[won]
    assert all(tally[other] < needed[other] for other in Decision if other is not won)
    verb = {ApprovalState.APPROVED: "approved", ApprovalState.DENIED: "denied"}[found.state]
    for click in clicks:
        if isinstance(click.answer, Refusal):
            words = f"{found.decided_by} {verb} this at 11:06 UTC."
            assert click.answer.error.message == words
            assert click.answer.error.code == f"already_{verb}"


def _check_log(store: Store, clicks: list[Click]) -> None:
    def look(tx: Transaction) -> Counter[tuple[str, str, str]]:
        return Counter((one.kind, one.subject, one.actor) for one in audit.read_all(tx))

    kept = store.read(look)
    expected = Counter(
        (
            f"vote.{click.decision}" if isinstance(click.answer, Counted) else "vote.refused",
            f"A-{click.number}",
            f"{click.voter.name} ({click.voter.id})",
        )
        for click in clicks
    )
    requested = Counter({key: n for key, n in kept.items() if key[0] == "approval.requested"})
    assert sum(requested.values()) == _REQUESTS
    assert kept - requested == expected
    verified = store.read(verify_audit)
    assert verified.broken_at is None, verified
    assert verified.head.size == _REQUESTS * (_CLICKS + 1)
