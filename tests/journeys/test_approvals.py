"""Approvals in Slack: asked, decided by who may, and told on one card."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from faultbook.model.approval import ApprovalState
from tests.journeys.approving import Approving, approving, labels, policy_for
from tests.sandbox.driver import Json, Workspace


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


def test_a_decision_of_high_risk_is_asked_about_once_more(
    workspace: Workspace, tmp_path: Path
) -> None:
    with approving(workspace, tmp_path / "home", policy_for(workspace, high_risk=True)) as desk:
        asked = desk.ask()
        rows = [one for one in desk.card(asked)["blocks"] if one["type"] == "actions"]
        confirm = rows[0]["elements"][0]["confirm"]
        assert confirm["title"]["text"] == "Run refund?"
        said = f"120.00 EUR to c_881 in prod. Digest {asked.short_digest}."
        assert confirm["text"]["text"] == said
        assert (confirm["confirm"]["text"], confirm["deny"]["text"]) == ("Approve", "Go back")


def test_what_became_of_it_is_told_on_the_card(desk: Approving) -> None:
    ran, failed = desk.approved(), desk.approved("c_999")
    grant = desk.begin(ran)
    desk.card(ran, "It runs now, to report by")
    desk.report(ran, grant, worked=True, words="refund re_1")
    told = desk.card(ran, "Executed")
    assert "Approved by Ben Okafor" in told["text"]
    assert told["text"].count(": refund re_1.") == 1
    desk.report(failed, desk.begin(failed), worked=False, words="card_closed")
    desk.card(failed, "Approved, but failed: card_closed.")


def test_an_outcome_that_nobody_knows_is_recorded_by_a_person(desk: Approving) -> None:
    asked, card = desk.unknown()
    assert "It may have happened; it will not be repeated. Check, then record it." in card["text"]
    assert labels(card) == ["Record outcome", "Details"]
    assert desk.record("chris", card)["title"]["text"] == f"Outcome of {asked.id}"
    blank = desk.workspace.submit("chris", {"outcome": "happened", "words": " "})
    assert blank["errors"] == {"words": "Say what you found."}
    found = {"outcome": "happened", "words": "the bank shows it"}
    assert desk.workspace.submit("chris", found)["outcome"] == "cleared"
    recorded = desk.wait(asked, ApprovalState.EXECUTED)
    assert recorded.outcome == "the bank shows it (Chris Lind)"
    desk.card(asked, "the bank shows it (Chris Lind)")
    assert desk.workspace.click("ben", "ops", card["ts"], "approval.details")["acked"]
    assert "Executed" in str(desk.modal("ben", asked.id)["blocks"])


def test_an_outcome_is_recorded_once(desk: Approving) -> None:
    asked, card = desk.unknown()
    for name in ("ben", "chris"):
        desk.record(name, card)
    found = {"outcome": "did_not", "words": "the bank shows nothing"}
    assert desk.workspace.submit("ben", found)["outcome"] == "cleared"
    assert desk.workspace.submit("chris", found)["outcome"] == "updated"
    assert "nothing was recorded" in str(desk.modal("chris", asked.id)["blocks"])
    assert desk.find(asked).state is ApprovalState.EXECUTION_FAILED


def test_who_was_deactivated_records_no_outcome_and_is_told_in_the_form(desk: Approving) -> None:
    workspace = desk.workspace
    asked, card = desk.unknown()
    desk.record("chris", card)
    workspace.change_user("chris", deleted=True)
    found = {"outcome": "happened", "words": "the bank shows it"}
    for _ in range(2):  # the next try comes under the same key
        refused = workspace.submit("chris", found)
        assert "Your account is deactivated" in refused["errors"]["words"]
    assert desk.refusals() == ["deactivated"] * 2
    assert desk.find(asked).state is ApprovalState.EXECUTION_UNKNOWN


def test_an_outcome_is_recorded_although_slack_does_not_say_who_somebody_is(
    desk: Approving,
) -> None:
    workspace = desk.workspace
    asked, card = desk.unknown()
    desk.record("chris", card)
    workspace.fault("error", method="users.info", error="fatal_error", count=1)
    found = {"outcome": "happened", "words": "the bank shows it"}
    assert workspace.submit("chris", found)["outcome"] == "cleared"
    assert desk.wait(asked, ApprovalState.EXECUTED).outcome.startswith("the bank shows it")


def test_broken_glass_is_loud_and_somebody_else_reviews_it(
    workspace: Workspace, tmp_path: Path
) -> None:
    glass = {"users": [workspace.user_id("ana")]}
    with approving(workspace, tmp_path / "home", policy_for(workspace, break_glass=glass)) as desk:
        asked = desk.ask()
        desk.card(asked)

        def breaks(user: str, text: str) -> None:
            workspace.slash(user, "ops", "/faultbook", f"break-glass {text}")

        seen = f"A-1 {asked.short_digest}"
        for short in ("A-1", "A-1 the bank closes at noon"):
            breaks("ana", short)
            assert "Say the 12 digits of the digest too" in desk.told("ana", "12 digits")["text"]
        breaks("ana", "A-1 0123456789ab the bank closes at noon")
        assert "not what is stored" in desk.told("ana", "digest_mismatch")["text"]
        breaks("ben", f"{seen} the bank closes at noon")
        assert "You may not break the glass of refund-prod." in desk.told("ben", "break")["text"]
        breaks("ana", seen)
        assert "requires a reason" in desk.told("ana", "reason_required")["text"]
        assert desk.find(asked).state is ApprovalState.PENDING
        breaks("ana", f"{seen} the bank closes at noon")
        assert "approved without its approvers" in desk.told("ana", "without its")["text"]
        assert desk.find(asked).is_bypass
        loud = said_in(desk, "Ana Ruiz broke the glass of A-1:")
        assert "Reason: the bank closes at noon." in loud["text"]
        assert labels(loud) == ["Record review", "Details"]
        told = desk.card(asked, "Approved without its approvers by Ana Ruiz")
        assert "review due by" in told["text"]

        desk.workspace.click("ana", "ops", loud["ts"], "approval.review")
        assert "somebody else reviews it" in desk.told("ana", "own_review")["text"]
        assert workspace.modals("ana") == []
        desk.workspace.click("ben", "ops", loud["ts"], "approval.review")
        desk.modal("ben", "Review")
        assert workspace.submit("ben", {"note": "the bank did close"})["outcome"] == "cleared"
        desk.workspace.wait_for(lambda: desk.find(asked).review_due_at is None)
        assert ", reviewed by Ben Okafor" in desk.card(asked, "reviewed")["text"]
        painted = said_in(desk, "Reviewed by Ben Okafor")
        assert painted["ts"] == loud["ts"]
        assert ": the bank did close." in painted["text"]
        assert labels(painted) == ["Details"]
        assert workspace.click("chris", "ops", painted["ts"], "approval.details")["acked"]
        assert "the bank did close" in str(desk.modal("chris", asked.id)["blocks"])


def said_in(desk: Approving, said: str) -> Json:
    def shown() -> Json | None:
        found = desk.workspace.from_bot("ops")
        return next((one for one in found if said in one["text"]), None)

    found = desk.workspace.wait_for(shown)
    assert found is not None
    return found


@pytest.mark.parametrize("verb", ["deny", "approve"])
def test_who_would_decide_by_command_is_told_where_one_decides(desk: Approving, verb: str) -> None:
    workspace, asked = desk.workspace, desk.ask()
    workspace.slash("ben", "ops", "/faultbook", f"{verb} {asked.id} wrong customer")
    told = desk.told("ben", "Nothing is decided by command.")
    assert f"by the buttons of {asked.id}'s card, or in its Details." in told["text"]
    assert workspace.click("ben", "ops", told["ts"], "approval.details")["acked"]
    assert labels(desk.modal("ben", asked.id)) == ["Approve", "Deny"]
    workspace.slash("chris", "ops", "/faultbook", f"{verb} it")
    assert "/faultbook approvals" in desk.told("chris", "Nothing is decided by")["text"]
    assert desk.find(asked).votes == ()


def test_what_waits_for_whom_is_listed(desk: Approving) -> None:
    workspace = desk.workspace
    theirs, own = desk.ask(), desk.ask("c_999", owner="@ben")  # by his handle
    workspace.slash("ben", "ops", "/faultbook", "approvals")
    told = desk.told("ben", "1 waits for you")
    assert (
        f"{theirs.id} refund 120.00 EUR to c_881 in prod, invoice-bot, 0 of 1, until"
        in told["text"]
    )
    assert f"Asked by you, or for your tasks: {own.id}" in told["text"]
    workspace.slash("ana", "ops", "/faultbook", "approvals")
    desk.told("ana", "Nothing waits for you.")

    ts = workspace.say("chris", "general", "@faultbook what waits for me?")
    answer = workspace.wait_for(lambda: workspace.from_bot("general", thread=ts))[0]
    assert answer["text"].startswith("2 wait for you.")
    ts = workspace.say("chris", "general", f"@faultbook status of {theirs.id}")
    answer = workspace.wait_for(lambda: workspace.from_bot("general", thread=ts))[0]
    assert answer["text"].startswith("invoice-bot asks to run refund in prod.")
    assert "As of" in answer["text"]
    ts = workspace.say("chris", "general", "@faultbook is A-99 approved yet?")
    answer = workspace.wait_for(lambda: workspace.from_bot("general", thread=ts))[0]
    assert "There is no approval A-99." in answer["text"]


def test_a_list_without_word_of_slack_says_so(desk: Approving) -> None:
    desk.ask()
    desk.workspace.fault("error", method="usergroups.users.list", error="internal_error", count=1)
    desk.workspace.slash("ben", "ops", "/faultbook", "approvals")
    told = desk.told("ben", "Slack didn't say what you may decide.")
    assert "1 waits in all." in told["text"]


def test_slack_is_asked_once_who_somebody_new_is(desk: Approving) -> None:
    workspace = desk.workspace
    workspace.wait_for(lambda: workspace.wire("users.list"))
    new = workspace.new_user("dora")
    desk.ask()
    workspace.new_channel("lobby")
    workspace.slash("dora", "lobby", "/faultbook", "approvals")
    desk.told("dora", "Nothing waits for you.")
    asked = [one for one in workspace.wire("users.info") if one["dir"] == "in"]
    assert [new in one["body"] for one in asked] == [True]


def test_home_shows_what_waits_and_decides_it_in_a_window(desk: Approving) -> None:
    workspace, asked = desk.workspace, desk.ask()
    workspace.open_home("ben")

    def waiting() -> bool:
        view = workspace.home_view("ben")
        return view is not None and asked.id in str(view["blocks"])

    workspace.wait_for(waiting)
    assert workspace.click_view("ben", "approval.details")["acked"]
    shown = desk.modal("ben", asked.id)
    assert labels(shown) == ["Approve", "Deny"]
    assert workspace.click_view("ben", "approval.deny", view_id=shown["id"])["acked"]
    desk.modal("ben", "Deny")
    assert workspace.submit("ben", {"reason": "wrong customer"})["outcome"] == "updated"
    assert "Counted." in str(desk.modal("ben", asked.id)["blocks"])
    assert desk.wait(asked, ApprovalState.DENIED).decided_by == "Ben Okafor"
    # Home is painted again by itself: nobody opened it.
    workspace.wait_for(lambda: "Nothing waits for you." in str(workspace.home_view("ben")))


def test_home_forgets_what_was_approved_in_a_window_that_it_opened(desk: Approving) -> None:
    workspace, asked = desk.workspace, desk.ask()
    workspace.open_home("ben")
    workspace.wait_for(lambda: asked.id in str(workspace.home_view("ben")))
    assert workspace.click_view("ben", "approval.details")["acked"]
    shown = desk.modal("ben", asked.id)
    assert workspace.click_view("ben", "approval.approve", view_id=shown["id"])["acked"]
    desk.wait(asked, ApprovalState.APPROVED)
    workspace.wait_for(lambda: "Nothing waits for you." in str(workspace.home_view("ben")))


def test_a_decision_taken_in_a_channel_leaves_home_alone(desk: Approving) -> None:
    workspace, asked = desk.workspace, desk.ask()
    card = desk.card(asked)
    desk.deny("ben", card)
    assert workspace.submit("ben", {"reason": "wrong customer"})["outcome"] == "cleared"
    assert desk.wait(asked, ApprovalState.DENIED)
    desk.card(asked, "Denied by Ben Okafor")
    assert workspace.wire("views.publish") == []


def test_a_vote_in_a_window_is_counted_there_and_a_refused_one_told_there(
    workspace: Workspace, tmp_path: Path
) -> None:
    group = workspace.new_group("finance-approvers", ["ben", "chris"])
    two = policy_for(workspace, thresholds=[{"groups": [group], "approve": 2}])
    with approving(workspace, tmp_path / "home", two) as desk:
        asked = desk.ask()
        card = desk.card(asked)
        for name, said in (("ben", "Counted: 1 of 2."), ("ana", "Only those of policy")):
            workspace.click(name, "ops", card["ts"], "approval.details")
            shown = desk.modal(name, asked.id)
            workspace.click_view(name, "approval.approve", view_id=shown["id"])
            workspace.wait_for(
                lambda n=name, s=said: s in str(desk.modal(n, asked.id)["blocks"])  # type: ignore[misc]  # bound at once
            )
        workspace.click("chris", "ops", card["ts"], "approval.deny")
        desk.modal("chris", "Deny")
        assert workspace.submit("chris", {"reason": "no"})["outcome"] == "cleared"
        desk.wait(asked, ApprovalState.DENIED)


def test_a_policy_without_a_channel_answers_in_the_tasks_thread(
    workspace: Workspace, tmp_path: Path
) -> None:
    policy = policy_for(workspace, channel=None, mention=None)
    with approving(workspace, tmp_path / "home", policy) as desk:
        number, thread = desk.task_of("ana", "general")
        asked = desk.ask(task=number)
        card = desk.card_in("general", thread, asked)
        assert workspace.click("ben", "general", card["ts"], "approval.approve")["acked"]
        desk.wait(asked, ApprovalState.APPROVED)


def test_a_lost_answer_makes_no_second_card_and_a_deleted_one_is_posted_without_a_mention(
    desk: Approving,
) -> None:
    workspace = desk.workspace
    workspace.fault("drop_response", method="chat.postMessage", count=1)
    asked = desk.ask()
    card = desk.card(asked)
    place = {"channel": workspace.channel_id("ops"), "ts": card["ts"]}
    # Painted once more after the answer was lost: the decision is on the one card that is there.
    assert desk.approve("ben", card)["acked"]
    assert desk.card(asked, "Approved by Ben Okafor")["ts"] == card["ts"]
    of_it = [one for one in workspace.from_bot("ops") if asked.short_digest in one["text"]]
    assert len(of_it) == 1
    assert workspace.api("chat.delete", **place)["ok"]
    grant = desk.begin(desk.find(asked))
    desk.report(asked, grant, worked=True, words="refund re_1")
    again = desk.card(asked, "Executed")
    assert again["ts"] != card["ts"]
    assert "<!subteam^" not in str(again["blocks"])


def test_a_task_that_asks_anew_names_the_newer_approval(desk: Approving) -> None:
    number, thread = desk.task_of("ana", "general")

    def says(words: str) -> bool:
        found = desk.workspace.from_bot("general", thread=thread)
        return any(words in one["text"] for one in found)

    old = desk.ask(task=number)
    desk.workspace.wait_for(lambda: says(f"T-{number} waits for approval {old.id}."))
    newer = desk.ask(parameters={"amount": "90.00 EUR"}, task=number)
    desk.workspace.wait_for(lambda: says(f"T-{number} waits for approval {newer.id}."))
    assert desk.approve("ben", desk.card(newer))["acked"]
    desk.workspace.wait_for(lambda: says(f"T-{number} running"))
