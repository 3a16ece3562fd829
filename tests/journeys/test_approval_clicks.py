"""Clicks on approvals: those that count, and those that do not, each told why and audited."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from faultbook.base.clock import DAY, HOUR, MINUTE
from faultbook.model.approval import Approval, ApprovalState, Decision
from faultbook.model.approval_policy import Membership
from faultbook.model.ballot import Ballot
from faultbook.model.person import Person
from faultbook.operations.voting import vote
from tests.journeys.approving import Approving, approving, labels, policy_for
from tests.journeys.ledger_desk import MovedClock
from tests.sandbox.driver import Json, Workspace


@pytest.fixture
def desk(workspace: Workspace, tmp_path: Path) -> Iterator[Approving]:
    """Start a bot under whose policy one of the finance approvers decides."""
    with approving(workspace, tmp_path / "home") as started:
        yield started


def test_a_second_click_is_told_who_decided_and_when(desk: Approving) -> None:
    asked = desk.ask()
    card = desk.card(asked)
    assert desk.approve("ben", card)["acked"]
    decided = desk.wait(asked, ApprovalState.APPROVED)
    # The workspace refuses a click on a button that is gone; Chris's screen still had it.
    forged = forge(desk, asked, asked)
    assert desk.approve("chris", forged)["acked"]
    told = desk.told("chris", "already_approved")
    assert "Ben Okafor approved this at " in told["text"]
    assert "Your click changed nothing." in told["text"]
    assert labels(told) == ["Details"]
    assert desk.find(asked).votes == decided.votes
    assert desk.refusals() == ["already_approved"]


def test_who_is_not_listed_is_refused(desk: Approving) -> None:
    asked = desk.ask()
    assert desk.approve("ana", desk.card(asked))["acked"]
    told = desk.told("ana", "not_an_approver")
    assert "Only those of policy refund-prod decide refund in prod." in told["text"]
    assert desk.find(asked).state is ApprovalState.PENDING
    assert desk.refusals() == ["not_an_approver"]
    assert desk.audited()[-1].actor.startswith("Ana Ruiz (U")


def test_a_vote_waits_where_the_approvers_channel_is_not_shown_to_the_bot(
    workspace: Workspace, tmp_path: Path
) -> None:
    policy = policy_for(workspace, thresholds=[{"channels": ["C0PRIVATE1"]}])
    with approving(workspace, tmp_path / "home", policy) as desk:
        asked = desk.ask()
        assert desk.approve("ben", desk.card(asked))["acked"]
        told = desk.told("ben", "lookup_failed")
        assert "I can't see who is in C0PRIVATE1, so your click did not count." in told["text"]
        assert "Invite me there." in told["text"]
        assert desk.find(asked).state is ApprovalState.PENDING


@pytest.mark.parametrize("owner", ["Ben Okafor", "@ben"])
def test_the_owner_of_the_agents_token_decides_nothing(desk: Approving, owner: str) -> None:
    asked = desk.ask(owner=owner)
    assert desk.approve("ben", desk.card(asked))["acked"]
    told = desk.told("ben", "self_review")
    assert "it comes from your agent invoice-bot. Others of refund-prod can." in told["text"]
    assert desk.find(asked).votes == ()


def test_whose_task_it_is_decides_nothing_and_the_tasks_card_names_the_approval(
    desk: Approving,
) -> None:
    workspace = desk.workspace
    number, ts = desk.task_of("ben", "general")
    asked = desk.ask(task=number)
    card = desk.card(asked)
    assert f"for Ben Okafor's task T-{number}" in card["text"]

    def waits() -> Json | None:
        found = workspace.from_bot("general", thread=ts)
        return found[0] if found and "waits for approval" in found[0]["text"] else None

    waiting = workspace.wait_for(waits)
    assert waiting is not None
    assert f"T-{number} waits for approval A-{asked.number}." in waiting["text"]
    assert "refund 120.00 EUR to c_881, until" in waiting["text"]
    assert labels(waiting) == [f"Open A-{asked.number}", "Cancel", "Details"]
    assert workspace.click("ben", "general", waiting["ts"], "approval.open")["acked"]
    assert labels(desk.modal("ben", asked.id)) == ["Approve", "Deny"]

    assert desk.approve("ben", card)["acked"]
    told = desk.told("ben", "self_review")
    assert f"it comes from your task T-{number}. Others of refund-prod can." in told["text"]
    assert desk.approve("chris", card)["acked"]
    desk.wait(asked, ApprovalState.APPROVED)


def test_a_guest_decides_nothing_even_in_the_group(workspace: Workspace, tmp_path: Path) -> None:
    group = workspace.new_group("with-guest", ["gil", "ben"])
    policy = policy_for(workspace, thresholds=[{"groups": [group]}])
    with approving(workspace, tmp_path / "home", policy) as desk:
        asked = desk.ask()
        assert desk.approve("gil", desk.card(asked))["acked"]
        assert "Guests decide nothing here" in desk.told("gil", "guest")["text"]
        assert desk.refusals() == ["guest"]


def test_somebody_who_was_deactivated_decides_nothing(desk: Approving) -> None:
    asked = desk.ask()
    card = desk.card(asked)
    desk.workspace.change_user("ben", deleted=True)
    assert desk.approve("ben", card)["acked"]
    assert "Your account is deactivated" in desk.told("ben", "deactivated")["text"]
    assert desk.find(asked).state is ApprovalState.PENDING


def test_somebody_who_left_the_group_decides_nothing(desk: Approving) -> None:
    asked = desk.ask()
    card = desk.card(asked)
    desk.workspace.new_group("finance-approvers", ["chris"])
    assert desk.approve("ben", card)["acked"]
    desk.told("ben", "not_an_approver")
    assert desk.approve("chris", card)["acked"]
    desk.wait(asked, ApprovalState.APPROVED)


def test_the_bot_itself_decides_nothing(workspace: Workspace, tmp_path: Path) -> None:
    bot = workspace.bot_user_id
    policy = policy_for(workspace, thresholds=[{"users": [bot, workspace.user_id("ben")]}])
    with approving(workspace, tmp_path / "home", policy) as desk:
        asked = desk.ask()
        assert workspace.click(bot, "ops", desk.card(asked)["ts"], "approval.approve")["acked"]
        workspace.wait_for(lambda: desk.refusals() == ["bot"])
        assert desk.find(asked).votes == ()


def forge(
    desk: Approving, real: Approval, other: Approval, digits: str = "", verb: str = "approve"
) -> Json:
    """Have a message with a button whose value names another approval, or other digits."""
    value = f"{other.number}:{digits or real.short_digest}"
    button = {
        "type": "button",
        "text": {"type": "plain_text", "text": verb.title()},
        "action_id": f"approval.{verb}",
        "value": value,
    }
    posted = desk.workspace.api(
        "chat.postMessage",
        channel=desk.workspace.channel_id("ops"),
        text=f"forged {value}",
        blocks=[{"type": "actions", "elements": [button]}],
    )
    assert posted["ok"], posted
    return {"ts": posted["ts"]}


def test_a_click_with_the_name_of_another_approval_does_not_count(desk: Approving) -> None:
    shown, other = desk.ask(), desk.ask("c_999")
    assert desk.approve("ben", forge(desk, shown, other))["acked"]
    told = desk.told("ben", "digest_mismatch")
    assert "What you saw is not what is stored, so your click did not count." in told["text"]
    assert desk.find(other).state is ApprovalState.PENDING
    assert desk.refusals() == ["digest_mismatch"]
    assert desk.audited()[-1].subject == other.id


def test_a_card_of_an_earlier_version_without_a_policys_name_still_decides(
    desk: Approving,
) -> None:
    asked = desk.ask()
    assert desk.approve("ben", forge(desk, asked, asked))["acked"]
    desk.wait(asked, ApprovalState.APPROVED)


def test_a_click_with_the_name_of_another_policy_is_decided_by_its_own(desk: Approving) -> None:
    asked = desk.ask()
    named = f"{asked.short_digest}:another-policy"
    assert desk.approve("ana", forge(desk, asked, asked, named))["acked"]
    desk.told("ana", "not_an_approver")
    assert desk.approve("ben", forge(desk, asked, asked, named))["acked"]
    desk.wait(asked, ApprovalState.APPROVED)


def test_a_click_with_digits_of_what_was_shown_before_does_not_count(desk: Approving) -> None:
    asked = desk.ask()
    assert desk.approve("ben", forge(desk, asked, asked, "0123456789ab"))["acked"]
    desk.told("ben", "digest_mismatch")
    assert desk.find(asked).votes == ()


@pytest.mark.parametrize("verb", ["approve", "deny"])
def test_a_click_on_what_is_not_there_is_refused_and_audited(desk: Approving, verb: str) -> None:
    asked = desk.ask()
    missing = replace(asked, number=99)
    forged = forge(desk, asked, missing, verb=verb)
    assert desk.workspace.click("ben", "ops", forged["ts"], f"approval.{verb}")["acked"]
    assert "There is no approval A-99." in desk.told("ben", "approval_not_found")["text"]
    assert desk.refusals() == ["approval_not_found"]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("error", {"method": "usergroups.users.list", "error": "internal_error"}),
        ("rate_limit", {"method": "usergroups.users.list", "retry_after": 30}),
        ("error", {"method": "users.info", "error": "fatal_error"}),
        ("slow", {"method": "usergroups.users.list", "ms": 2500}),
    ],
)
def test_when_slack_does_not_say_who_somebody_is_their_vote_is_refused_and_counts_later(
    desk: Approving, kind: str, fields: dict[str, Any]
) -> None:
    asked = desk.ask()
    card = desk.card(asked)
    desk.workspace.fault(kind, count=1, **fields)
    assert desk.approve("ben", card)["acked"]
    told = desk.told("ben", "lookup_failed")
    assert (
        "Slack didn't confirm that you may decide, so your click did not count. Try again."
        in told["text"]
    )
    assert desk.find(asked).state is ApprovalState.PENDING
    assert desk.refusals() == ["lookup_failed"]

    def counted() -> bool:
        desk.approve("ben", card)
        return desk.find(asked).state is ApprovalState.APPROVED

    # A slow answer is there for a later click.
    desk.workspace.wait_for(counted, timeout=30, every=0.5)


def test_two_of_a_group_are_needed_and_each_counts_once(
    workspace: Workspace, tmp_path: Path
) -> None:
    group = workspace.new_group("finance-approvers", ["ben", "chris"])
    policy = policy_for(workspace, thresholds=[{"groups": [group], "approve": 2}])
    with approving(workspace, tmp_path / "home", policy) as desk:
        asked = desk.ask()
        card = desk.card(asked, "0 of 2")
        assert desk.approve("ben", card)["acked"]
        desk.told("ben", "Counted: 1 of 2.")
        desk.card(asked, "1 of 2")
        assert desk.approve("ben", card)["acked"]
        desk.told("ben", "already_voted")
        assert desk.approve("chris", card)["acked"]
        desk.wait(asked, ApprovalState.APPROVED)
        desk.card(asked, "Approved by Ben Okafor and Chris Lind")


def test_an_expired_card_says_so_and_is_painted_again(workspace: Workspace, tmp_path: Path) -> None:
    clock = MovedClock()
    with approving(workspace, tmp_path / "home", clock=clock) as desk:
        asked = desk.ask()
        card = desk.card(asked)
        clock.ahead = 2 * HOUR
        assert desk.approve("ben", card)["acked"]
        told = desk.told("ben", "already_expired")
        assert "unanswered, which denies it. Nothing ran." in told["text"]
        assert desk.find(asked).state is ApprovalState.EXPIRED
        assert labels(desk.card(asked, "Expired")) == ["Details"]


def test_a_superseded_card_leads_to_the_newer_one(desk: Approving) -> None:
    old = desk.ask(run_id="run-1")
    desk.card(old)
    newer = desk.ask(parameters={"amount": "90.00 EUR"}, run_id="run-1")
    told = desk.card(old, f"Superseded by A-{newer.number}: the parameters changed. Nothing ran.")
    assert labels(told) == [f"Open A-{newer.number}", "Details"]
    assert desk.approve("ben", forge(desk, old, old))["acked"]
    refused = desk.told("ben", "already_superseded")
    assert labels(refused) == [f"Open A-{newer.number}"]
    desk.workspace.click("ben", "ops", told["ts"], "approval.open")
    assert "90.00 EUR" in str(desk.modal("ben", newer.id)["blocks"])


def test_a_card_that_slack_forgot_to_repaint_is_painted_by_the_next_click(desk: Approving) -> None:
    asked = desk.ask()
    card = desk.card(asked)
    place = {"channel": desk.workspace.channel_id("ops"), "ts": card["ts"]}
    assert desk.approve("ben", card)["acked"]
    told = desk.card(asked, "Approved by Ben Okafor")
    old = desk.workspace.api(
        "chat.update", **place, text=card["text"], blocks=stripped(card["blocks"])
    )
    assert old["ok"], old
    assert labels(desk.card(asked, "asks to run")) == ["Approve", "Deny", "Details"]
    assert desk.approve("chris", card)["acked"]
    desk.told("chris", "already_approved")
    assert desk.card(asked, "Approved by Ben Okafor")["text"] == told["text"]


def stripped(blocks: list[Json]) -> list[Json]:
    return [{key: one for key, one in block.items() if key != "block_id"} for block in blocks]


def test_a_card_outlives_the_bot_and_the_workspace_and_a_day(
    workspace: Workspace, tmp_path: Path
) -> None:
    policy = policy_for(workspace, ttl_seconds=2 * 86_400, max_ttl_seconds=2 * 86_400)
    clock = MovedClock()
    with approving(workspace, tmp_path / "home", policy, clock=clock) as desk:
        asked, decided = desk.ask(), desk.ask("c_999")
        card, other = desk.card(asked), desk.card(decided)
        ben = Person(workspace.user_id("ben"), "Ben Okafor")
        member = Membership(ben.id, frozenset(policy.thresholds[0].groups))
        policies = desk.bot.house.policies
    workspace.stop()
    with workspace.restart() as again:
        clock.ahead = DAY + MINUTE
        with approving(again, tmp_path / "home", policy, clock=clock) as desk:
            assert desk.approve("ben", card)["acked"]
            desk.wait(asked, ApprovalState.APPROVED)
            assert desk.card(asked, "Approved by Ben Okafor")["ts"] == card["ts"]
            desk.bot.house.store.write(
                vote, Ballot(decided.number, ben, Decision.DENY, member, reason="no"), policies
            )
            assert desk.card(decided, "Denied by Ben Okafor")["ts"] == other["ts"]


def test_sixty_parameters_are_approved_beneath_them_all(desk: Approving) -> None:
    parameters = {f"line_{at:02}": f"value {at} " + "x" * 900 for at in range(60)}
    asked = desk.ask(parameters=parameters)
    card = desk.card(asked)
    assert labels(card) == ["Deny", "Details"]
    assert "which Details shows, with Approve beneath them all." in card["text"]
    assert desk.workspace.click("ben", "ops", card["ts"], "approval.details")["acked"]
    seen = ""
    pages = 0
    while True:
        shown = desk.modal("ben", asked.id)
        pages += 1
        seen += str(shown["blocks"])
        if "Next" not in labels(shown):
            break
        assert "Approve" not in labels(shown)
        before = shown["hash"]
        desk.workspace.click_view("ben", "approval.page.next", view_id=shown["id"])
        desk.workspace.wait_for(lambda b=before: desk.modal("ben", asked.id)["hash"] != b)  # type: ignore[misc]  # bound at once
    assert pages > 1
    assert all(f"value {at} " in seen for at in range(60))
    assert labels(shown) == ["Previous", "Approve", "Deny"]
    assert desk.workspace.click_view("ben", "approval.approve", view_id=shown["id"])["acked"]
    desk.wait(asked, ApprovalState.APPROVED)
    desk.workspace.wait_for(lambda: "Approved" in str(desk.modal("ben", asked.id)["blocks"]))


def test_what_hides_in_a_parameter_is_written_out(desk: Approving) -> None:
    asked = desk.ask(parameters={"to": "alice\u202emoc.live@", "note": "a\u200bb\n<!channel>"})
    card = desk.card(asked)
    assert "alice\\u202emoc.live@" in card["text"]
    assert "a\\u200bb\\n&lt;!channel&gt;" in card["text"]
    assert "\u202e" not in str(card["blocks"])
    assert "<!channel>" not in str(card["blocks"])
