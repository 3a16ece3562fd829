"""Approvals in Slack: asked, decided by who may, and told on one card."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from faultbook.model.approval import ApprovalState
from tests.journeys.approving import Approving, approving, labels
from tests.sandbox.driver import Workspace


@pytest.fixture
def desk(workspace: Workspace, tmp_path: Path) -> Iterator[Approving]:
    """Start a bot under whose policy one of the finance approvers decides."""
    with approving(workspace, tmp_path / "home") as started:
        yield started


def test_one_of_those_who_may_approves_and_the_card_tells_it(desk: Approving) -> None:
    asked = desk.ask()
    card = desk.card(asked)
    assert card["text"].startswith("invoice-bot asks to run refund in prod.")
    assert "Target: c_881. amount 120.00 EUR. customer c_881." in card["text"]
    assert f"A-{asked.number}, 0 of 1, digest {asked.short_digest}, until" in card["text"]
    assert labels(card) == ["Approve", "Deny", "Details"]
    assert "<!subteam^" in str(card["blocks"])
    assert desk.approve("ben", card)["acked"]
    decided = desk.wait(asked, ApprovalState.APPROVED)
    assert decided.decided_by == "Ben Okafor"
    told = desk.card(asked, "Approved by Ben Okafor")
    assert told["ts"] == card["ts"]
    assert "Waiting to run." in told["text"]
    assert labels(told) == ["Details"]
    assert "<!subteam^" not in str(told["blocks"])
