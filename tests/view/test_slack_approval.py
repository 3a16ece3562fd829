"""Approvals as Slack shows them: every state's words, what may be done, nothing live."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from faultbook.base.errors import ConflictError, ForbiddenError
from faultbook.model.approval import Action, Approval, ApprovalState, Decision, EvidenceLink
from faultbook.model.approval_policy import NOT_COUNTED
from faultbook.model.approval_sight import ApprovalSight, Earlier, Review
from faultbook.model.person import Person
from faultbook.operations.approval_rules import voted_before
from faultbook.view.lines import mrkdwn
from faultbook.view.slack_approval import (
    approval_card,
    approval_status,
    approvals_message,
    bypass_message,
)
from faultbook.view.slack_approval_details import approval_details
from faultbook.view.slack_approval_forms import (
    bypassed_note,
    record_form,
    refused_vote,
    review_form,
    vote_form,
)
from tests.view.answers import QUICK, outside_text, urls
from tests.view.approvals import (
    APPROVAL,
    BY_BEN,
    BY_CHRIS,
    BYPASS,
    NOW,
    POLICY,
    REFUND,
    STATES,
    UNKNOWN,
    decided,
    sight,
)
from tests.view.slack_rules import assert_message, assert_view, buttons, labels, texts


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_its_words_and_buttons(state: str) -> None:
    shown, said, offered = STATES[state]
    message = approval_card(shown, NOW)
    assert_message(message, budget=3000)
    assert message.text.startswith(said)
    assert labels(message.blocks) == offered
    assert "amount 120.00 EUR" in message.text
    assert "3fa1c09be2d4" in message.text


def test_the_first_card_mentions_the_group_once(snapshot: SnapshotAssertion) -> None:
    first = approval_card(sight(votes=(BY_BEN,)), NOW, is_first=True)
    assert str(first.blocks).count("<!subteam^SFINANCE>") == 1
    assert "subteam" not in first.text
    again = approval_card(sight(), NOW)
    assert "subteam" not in str(again.blocks)
    assert {"text": first.text, "blocks": first.blocks} == snapshot


def test_a_card_that_is_decided_keeps_its_parameters(snapshot: SnapshotAssertion) -> None:
    told = approval_card(STATES["executed"][0], NOW)
    assert {"text": told.text, "blocks": told.blocks} == snapshot


def test_votes_against_are_told_beside_those_in_favour() -> None:
    against = replace(BY_CHRIS, decision=Decision.DENY)
    two = replace(POLICY, thresholds=(replace(POLICY.thresholds[0], deny=2),))
    said = approval_card(sight(two, votes=(BY_BEN, against)), NOW).text
    assert "1 of 2, 1 of 2 against, digest" in said


def test_buttons_carry_what_was_shown() -> None:
    found = {one["text"]["text"]: one for one in buttons(approval_card(sight(), NOW).blocks)}
    assert found["Approve"]["value"] == "7:3fa1c09be2d4:refund-prod"
    assert found["Deny"]["value"] == "7:3fa1c09be2d4:refund-prod"
    assert (found["Approve"]["style"], found["Deny"]["style"]) == ("primary", "danger")
    assert "confirm" not in found["Approve"]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (ApprovalState.EXECUTED, ":warning: *The same ran before:* A-5, "),
        (ApprovalState.EXECUTING, ":warning: *The same runs now:* A-5."),
        (UNKNOWN, ":warning: *The same may have run:* A-5, outcome unknown."),
    ],
)
def test_what_ran_or_may_have_run_already_is_said_before_anybody_decides(
    state: ApprovalState, said: str
) -> None:
    again = replace(sight(), earlier=Earlier(5, state, NOW))
    card = approval_card(again, NOW)
    assert any(said in one["text"] for one in texts(card.blocks))
    assert "A-5" in card.text
    view = approval_details(again)
    assert any(said in one["text"] for one in texts(view))
    assert_message(card)
    assert_view(view)


def test_of_high_risk_slack_asks_once_more() -> None:
    risky = replace(POLICY, is_high_risk=True)
    for blocks in (
        approval_card(sight(risky), NOW).blocks,
        approval_details(sight(risky))["blocks"],
    ):
        confirm = next(buttons(blocks))["confirm"]
        assert confirm["title"]["text"] == "Run refund?"
        assert confirm["text"]["text"] == "120.00 EUR to c_881 in prod. Digest 3fa1c09be2d4."


@QUICK
@given(
    st.builds(
        lambda agent, why, effect, reason, outcome, link, name, votes: replace(
            APPROVAL,
            agent=agent,
            owner=agent,
            why=why,
            effect=effect,
            reason=reason,
            outcome=outcome,
            evidence=(EvidenceLink(name, link),) * 25,
            votes=tuple(replace(BY_BEN, voter=Person("U1", name)) for _ in range(votes)),
            decided_by=name,
            decided_at=NOW,
            triggered_by=Person("U2", name),
            action=Action(name, name, agent, {agent: why}),
        ),
        outside_text,
        outside_text,
        outside_text,
        outside_text,
        outside_text,
        urls | outside_text,
        outside_text,
        st.integers(0, 30),
    ),
    st.sampled_from(ApprovalState),
)
def test_nothing_from_outside_is_live(asked: Approval, state: ApprovalState) -> None:
    shown = ApprovalSight(replace(asked, state=state), POLICY)
    bypass = replace(shown.approval, is_bypass=True)
    reviewed = replace(shown, approval=bypass, review=Review(asked.decided_by, asked.why, NOW))
    assert_message(approval_card(reviewed, NOW), budget=3000)
    assert_message(bypass_message(reviewed, NOW))
    assert_view(approval_details(reviewed))
    assert_message(approval_card(shown, NOW), budget=3000)
    assert_message(approval_status(shown, NOW))
    assert_message(bypass_message(shown, NOW))
    assert_message(approvals_message([shown] * 30, [shown] * 30, NOW))
    assert_view(approval_details(shown))
    assert_view(vote_form(shown, Decision.DENY, POLICY, {"approval": 7}))
    assert_view(record_form(shown, {"approval": 7}))
    assert_view(review_form(shown, {"approval": 7}))


def test_the_form_of_a_denial_says_who_reads_the_reason_and_whether_it_is_needed() -> None:
    strict = replace(POLICY, reason_to_deny=True)
    view = vote_form(sight(strict), Decision.DENY, strict, {"approval": 7})
    assert_view(view)
    assert view["title"]["text"] == "Deny A-7"
    assert (view["submit"]["text"], view["close"]["text"]) == ("Deny", "Go back")
    assert "invoice-bot and Ana will read this." in str(view["blocks"])
    assert "Policy `refund-prod` requires a reason." in str(view["blocks"])
    assert "optional" not in view["blocks"][1]  # beside it Slack would write "(optional)"
    lax = vote_form(sight(), Decision.DENY, POLICY, {"approval": 7})
    assert lax["blocks"][1]["optional"] is True
    assert view["blocks"][0]["text"]["text"].splitlines() == [
        "*A-7*: *invoice-bot asks to run `refund` in prod*",
        "`refund` 120.00 EUR to c_881 in prod",
    ]


def test_a_refusal_leads_to_what_it_is_about() -> None:
    error = ConflictError("Ben approved this at 09:20 UTC.", code="already_approved")
    message = refused_vote(error, STATES["superseded"][0].approval)
    assert_message(message)
    assert message.text.startswith("Ben approved this at 09:20 UTC. Your click changed nothing.")
    assert labels(message.blocks) == ["Open A-8"]
    assert labels(refused_vote(error, APPROVAL).blocks) == ["Details"]
    assert labels(refused_vote(error, None).blocks) == []


def test_slack_alone_speaks_of_a_click_and_says_of_a_second_vote_only_what_it_is() -> None:
    unknown = ForbiddenError(f"Guests decide nothing here, so {NOT_COUNTED}.", code="guest")
    again = voted_before(APPROVAL, Person("UBEN", "Ben"))
    assert refused_vote(unknown, None).text.startswith(
        "Guests decide nothing here, so your click did not count."
    )
    assert "click" not in unknown.message
    assert "click" not in refused_vote(again, None).text


def test_the_loud_message_says_what_runs_unasked_and_the_reminder_that_nobody_looked() -> None:
    loud = bypass_message(STATES["bypassed"][0], NOW)
    assert_message(loud)
    assert loud.text.startswith(
        "Ben broke the glass of A-7: it may run without its approvers. Reason: the bank calls."
    )
    assert "refund 120.00 EUR to c_881 in prod, asked by invoice-bot." in loud.text
    assert labels(loud.blocks) == ["Record review", "Details"]
    due = bypass_message(STATES["bypassed"][0], NOW, is_due=True)
    assert due.text.startswith("Nobody has reviewed A-7. Ben broke its glass.")


def test_once_a_bypass_is_reviewed_all_that_was_said_of_it_tells_by_whom_and_what_was_found() -> (
    None
):
    done = decided(ApprovalState.APPROVED, **(BYPASS | {"review_due_at": None}))
    found = replace(done, review=Review("Cara", "the bank did close", NOW))
    loud, due = bypass_message(found, NOW), bypass_message(found, NOW, is_due=True)
    assert loud.text.startswith("Ben broke the glass of A-7: it may run without its approvers.")
    assert due.text.startswith("A-7 was reviewed. Ben broke its glass.")
    for told in (loud, due):
        assert_message(told)
        assert "Reviewed by Cara 18 Nov 09:20 UTC: the bank did close." in told.text
        assert "Somebody else reviews it" not in told.text
        assert labels(told.blocks) == ["Details"]
    assert ", reviewed by Cara." in approval_card(found, NOW).text
    view = approval_details(found)
    assert_view(view)
    assert ": the bank did close." in str(view["blocks"])
    # Where the audit log can't tell it any more.
    assert " Reviewed. " in bypass_message(done, NOW).text


def test_who_breaks_the_glass_is_told_in_words_that_slack_shows_as_they_are_meant() -> None:
    assert mrkdwn(bypassed_note(STATES["bypassed"][0].approval)) == (
        "*A-7 is approved without its approvers.* invoice-bot may run it."
        " Somebody else reviews this within 24 h."
    )


def test_lists_say_what_waits_for_whom() -> None:
    told = approvals_message([sight()], [sight(task=None)], NOW)
    assert_message(told)
    assert told.text.startswith(
        "1 waits for you. A-7 refund 120.00 EUR to c_881 in prod, invoice-bot, 0 of 2, until"
    )
    assert "Asked by you, or for your tasks: A-7" in told.text
    assert approvals_message([], [], NOW).text.startswith("Nothing waits for you.")


@pytest.mark.parametrize("state", STATES)
def test_the_answer_about_one_says_what_it_costs_and_whom_it_is_done_to(state: str) -> None:
    told = approval_status(STATES[state][0], NOW)
    assert_message(told)
    assert told.text.startswith(
        STATES[state][1].partition(" Target:")[0].partition(" refund in")[0]
    )
    assert "refund 120.00 EUR to c_881 in prod." in told.text


def test_where_an_amount_stands_its_currency_and_its_target_stand_too() -> None:
    priced = replace(REFUND, parameters={"amount": "120.00", "currency": "EUR"})
    risky = sight(replace(POLICY, is_high_risk=True), action=priced)
    asked = next(buttons(approval_card(risky, NOW).blocks))["confirm"]["text"]["text"]
    assert asked == "120.00 EUR to c_881 in prod. Digest 3fa1c09be2d4."
    assert "refund 120.00 EUR to c_881 in prod" in approvals_message([risky], [], NOW).text
    without = sight(action=replace(REFUND, parameters={}))
    assert "refund c_881 in prod" in approvals_message([without], [], NOW).text
