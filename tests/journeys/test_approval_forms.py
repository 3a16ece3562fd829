"""Forms of approvals: who may fill one in, what it asks for, and where its outcome is said."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from faultbook.base.settings_policies import PolicySettings
from faultbook.model.approval import ApprovalState
from tests.journeys.approving import Approving, approving, labels, policy_for
from tests.sandbox.driver import Workspace


@pytest.fixture
def desk(workspace: Workspace, tmp_path: Path) -> Iterator[Approving]:
    """Start a bot under whose policy one of the finance approvers decides."""
    with approving(workspace, tmp_path / "home") as started:
        yield started


def two_against(workspace: Workspace, **more: Any) -> PolicySettings:  # noqa: ANN401 - a policy's own fields
    """Let two of the finance approvers decide, either way."""
    group = workspace.new_group("finance-approvers", ["ben", "chris"])
    threshold = {"groups": [group], "approve": 2, "deny": 2}
    return policy_for(workspace, thresholds=[threshold], **more)


def test_a_vote_through_a_form_is_counted_in_the_channel_as_one_without_a_form(
    workspace: Workspace, tmp_path: Path
) -> None:
    with approving(workspace, tmp_path / "home", two_against(workspace)) as desk:
        asked = desk.ask()
        card = desk.card(asked)
        desk.deny("ben", card)
        assert workspace.submit("ben", {"reason": "no"})["outcome"] == "cleared"
        assert not desk.told("ben", "Counted: 1 of 2.").get("thread_ts")
        # Through the details it is the same place.
        again = desk.ask("c_999")
        card = desk.card(again)
        assert workspace.click("chris", "ops", card["ts"], "approval.details")["acked"]
        shown = desk.modal("chris", again.id)
        assert workspace.click_view("chris", "approval.deny", view_id=shown["id"])["acked"]
        desk.modal("chris", "Deny")
        assert workspace.submit("chris", {"reason": "no"})["outcome"] == "cleared"
        assert not desk.told("chris", "Counted: 1 of 2.").get("thread_ts")


def test_a_vote_through_a_form_in_a_thread_is_counted_in_that_thread(
    workspace: Workspace, tmp_path: Path
) -> None:
    policy = two_against(workspace, channel=None, mention=None)
    with approving(workspace, tmp_path / "home", policy) as desk:
        number, thread = desk.task_of("ana", "general")
        asked = desk.ask(task=number)
        card = desk.card_in("general", thread, asked)
        assert workspace.click("ben", "general", card["ts"], "approval.deny")["acked"]
        desk.modal("ben", "Deny")
        assert workspace.submit("ben", {"reason": "no"})["outcome"] == "cleared"
        assert desk.told("ben", "Counted: 1 of 2.")["thread_ts"] == thread


def test_a_denial_needs_its_reason_and_the_card_says_it(
    workspace: Workspace, tmp_path: Path
) -> None:
    with approving(
        workspace, tmp_path / "home", policy_for(workspace, reason_to_deny=True)
    ) as desk:
        asked = desk.ask()
        form = desk.deny("ben", desk.card(asked))
        assert form["title"]["text"] == "Deny A-1"
        assert "invoice-bot will read this." in str(form["blocks"])
        assert "Policy `refund-prod` requires a reason." in str(form["blocks"])
        kept = workspace.submit("ben")["errors"]  # by Slack itself: nothing was sent
        assert kept == {"reason": "Please complete this required field."}
        refused = workspace.submit("ben", {"reason": "  "})
        # Under the field stands plain text: backticks would be seen.
        assert refused["errors"] == {"reason": "Policy refund-prod requires a reason."}
        assert workspace.submit("ben", {"reason": "wrong customer"})["outcome"] == "cleared"
        decided = desk.wait(asked, ApprovalState.DENIED)
        assert decided.reason == "wrong customer"
        told = desk.card(asked, "Denied by Ben Okafor")
        assert ": wrong customer. Nothing ran." in told["text"]
        assert labels(told) == ["Details"]
        assert desk.refusals() == ["reason_required"]


def test_who_may_not_decide_is_told_before_a_reason_is_asked_for(desk: Approving) -> None:
    asked = desk.ask()
    card = desk.card(asked)
    assert desk.workspace.click("ana", "ops", card["ts"], "approval.deny")["acked"]
    desk.told("ana", "not_an_approver")
    assert desk.workspace.modals("ana") == []


def test_what_was_decided_while_a_form_was_open_is_told_in_its_place(desk: Approving) -> None:
    asked = desk.ask()
    card = desk.card(asked)
    desk.deny("ben", card)
    assert desk.approve("chris", card)["acked"]
    desk.wait(asked, ApprovalState.APPROVED)
    assert desk.workspace.submit("ben", {"reason": "no"})["outcome"] == "updated"
    shown = str(desk.modal("ben", asked.id)["blocks"])
    assert "Chris Lind approved this at" in shown
    assert desk.find(asked).state is ApprovalState.APPROVED


def test_a_reason_to_approve_is_asked_for_where_the_policy_wants_one(
    workspace: Workspace, tmp_path: Path
) -> None:
    with approving(
        workspace, tmp_path / "home", policy_for(workspace, reason_to_approve=True)
    ) as desk:
        asked = desk.ask()
        assert desk.approve("ben", desk.card(asked))["acked"]
        assert desk.modal("ben", "Approve")["title"]["text"] == "Approve A-1"
        assert workspace.submit("ben", {"reason": "I saw both charges"})["outcome"] == "cleared"
        decided = desk.wait(asked, ApprovalState.APPROVED)
        assert decided.votes[0].reason == "I saw both charges"


@pytest.mark.parametrize(
    ("verb", "said", "code"),
    [
        ("review", "waits for no review.", "no_review"),
        ("record", "is pending; nothing was recorded.", "outcome_known"),
    ],
)
def test_what_is_reviewed_or_known_already_is_told_before_a_form_opens(
    desk: Approving, verb: str, said: str, code: str
) -> None:
    asked = desk.ask()
    button = {
        "type": "button",
        "text": {"type": "plain_text", "text": verb.title()},
        "action_id": f"approval.{verb}",
        "value": str(asked.number),
    }
    posted = desk.workspace.api(
        "chat.postMessage",
        channel=desk.workspace.channel_id("ops"),
        text="what an earlier card still offers",
        blocks=[{"type": "actions", "elements": [button]}],
    )
    assert desk.workspace.click("ben", "ops", posted["ts"], f"approval.{verb}")["acked"]
    assert f"{asked.id} {said}" in desk.told("ben", code)["text"]
    assert desk.workspace.modals("ben") == []
    assert desk.refusals() == [code]
