"""A vote, and the look before it."""

import pytest

from faultbook.model.approval import Decision
from faultbook.model.ballot import Ballot
from faultbook.operations.voting import may_vote, vote
from faultbook.store.engine import Store
from tests.approval_desk import ApprovalDesk, member
from tests.task_desk import BEN


@pytest.mark.parametrize("decision", Decision)
def test_asking_to_vote_on_what_is_not_there_is_refused_as_the_vote_is(
    store: Store, decision: Decision
) -> None:
    desk = ApprovalDesk(store)
    ballot = Ballot(99, BEN, decision, member(BEN), "0" * 12, "a reason")
    for step in (may_vote, vote):
        answer = store.write(step, ballot, desk.policies)
        error = desk.refused(answer, "vote.refused", "approval_not_found")
        assert error.message == "There is no approval A-99."
        assert desk.facts() == {"code": "approval_not_found", "decision": decision.value}
    assert desk.audited() == [("vote.refused", "A-99", "Ben Okafor (UBEN)")] * 2
