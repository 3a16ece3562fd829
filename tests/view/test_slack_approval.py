"""Approvals as Slack shows them: every state's words, every parameter, nothing hidden or live."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from faultbook.base.clock import HOUR, MINUTE
from faultbook.base.errors import ConflictError
from faultbook.model.approval import (
    Action,
    Approval,
    ApprovalState,
    Decision,
    EvidenceLink,
)
from faultbook.model.approval_policy import ApprovalPolicy
from faultbook.model.approval_sight import ApprovalSight, Earlier
from faultbook.model.person import Person
from faultbook.view.approval_values import exact, in_short, parameters_of, to_whom
from faultbook.view.lines import escape, mrkdwn
from faultbook.view.message import Block
from faultbook.view.slack_approval import (
    approval_card,
    approval_status,
    approvals_message,
    bypass_message,
    fits_card,
)
from faultbook.view.slack_approval_details import approval_details
from faultbook.view.slack_approval_forms import record_form, refused_vote, review_form, vote_form
from tests.view.answers import outside_text, urls
from tests.view.approvals import (
    APPROVAL,
    BY_BEN,
    BY_CHRIS,
    DECIDED,
    NOW,
    POLICY,
    REFUND,
)
from tests.view.slack_rules import assert_message, assert_view, buttons, texts

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def sight(policy: ApprovalPolicy | None = POLICY, **facts: Any) -> ApprovalSight:  # noqa: ANN401 - an approval's own fields
    return ApprovalSight(replace(APPROVAL, **facts), policy)


def decided(state: ApprovalState, **facts: Any) -> ApprovalSight:  # noqa: ANN401 - an approval's own fields
    return sight(state=state, **(DECIDED | facts))


def labels(blocks: list[Block]) -> list[str]:
    return [one["text"]["text"] for one in buttons(blocks)]


FAILED, UNKNOWN = ApprovalState.EXECUTION_FAILED, ApprovalState.EXECUTION_UNKNOWN
BYPASS: dict[str, Any] = {
    "is_bypass": True,
    "reason": "the bank calls",
    "review_due_at": NOW + 24 * HOUR,
    "votes": (replace(BY_BEN, bypass=True, thresholds=()),),
}
STATES: dict[str, tuple[ApprovalSight, str, list[str]]] = {
    "pending": (
        sight(),
        "invoice-bot asks to run refund in prod. Target: c_881. customer c_881. amount 120.00 EUR.",
        ["Approve", "Deny", "Details"],
    ),
    "approved": (
        decided(ApprovalState.APPROVED, votes=(BY_BEN, BY_CHRIS)),
        "Approved by Ben and Chris 18 Nov 09:20 UTC. Waiting to run. refund in prod,",
        ["Details"],
    ),
    "approved with a reason": (
        decided(ApprovalState.APPROVED, reason="I saw both"),
        "Approved by Ben 18 Nov 09:20 UTC: I saw both. Waiting to run.",
        ["Details"],
    ),
    "executing": (
        decided(ApprovalState.EXECUTING, grant_until=NOW + 5 * MINUTE),
        "Approved by Ben 18 Nov 09:20 UTC. It runs now, to report by 18 Nov 09:25 UTC.",
        ["Details"],
    ),
    "executed": (
        decided(ApprovalState.EXECUTED, executed_at=NOW + MINUTE, outcome="refund re_1"),
        "Approved by Ben 18 Nov 09:20 UTC. Executed 18 Nov 09:21 UTC: refund re_1.",
        ["Details"],
    ),
    "failed": (
        decided(FAILED, executed_at=NOW, outcome="card_closed"),
        "Approved, but failed: card_closed. refund in prod, asked by invoice-bot.",
        ["Details"],
    ),
    "unknown": (
        decided(UNKNOWN, executed_at=NOW),
        ("Outcome unknown. It may have happened; it will not be repeated. Check, then record it."),
        ["Record outcome", "Details"],
    ),
    "denied": (
        decided(ApprovalState.DENIED, reason="wrong customer"),
        "Denied by Ben 18 Nov 09:20 UTC: wrong customer. Nothing ran.",
        ["Details"],
    ),
    "expired": (
        decided(ApprovalState.EXPIRED, decided_by="nobody", reason="unanswered"),
        "Expired 18 Nov 10:14 UTC unanswered, which denies it. Nothing ran.",
        ["Details"],
    ),
    "superseded": (
        decided(ApprovalState.SUPERSEDED, superseded_by=8),
        "Superseded by A-8: the parameters changed. Nothing ran.",
        ["Open A-8", "Details"],
    ),
    "cancelled": (
        decided(ApprovalState.CANCELLED, decided_by="invoice-bot", votes=()),
        "Cancelled by invoice-bot 18 Nov 09:20 UTC. Nothing ran.",
        ["Details"],
    ),
    "bypassed": (
        decided(ApprovalState.APPROVED, **BYPASS),
        ("Approved without its approvers by Ben 18 Nov 09:20 UTC: the bank calls. Waiting to run."),
        ["Record review", "Details"],
    ),
    "bypassed and unknown": (
        decided(UNKNOWN, **BYPASS),
        "Outcome unknown. It may have happened;",
        ["Record outcome", "Record review", "Details"],
    ),
}


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


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("120.00 EUR", "120.00 EUR"),
        ("", '""'),
        ("a b", "a b"),
        (" a", '" a"'),
        ("a  b", '"a  b"'),
        ("a\nb", '"a\\nb"'),
        ("a\tb", '"a\\tb"'),
        ("\u202emoc", '"\\u202emoc"'),
        ("a\u200bb", '"a\\u200bb"'),
        ("a\u00a0b", '"a\\u00a0b"'),
        ("a\u2028b", '"a\\u2028b"'),
        ("\ufeff", '"\\ufeff"'),
        ("\U000e0041", '"\\udb40\\udc41"'),
        ("\u3164", '"\\u3164"'),
        ("`rm`", '"\\u0060rm\\u0060"'),
        ("C:\\tmp", '"C:\\\\tmp"'),
        ("true", '"true"'),
        ("3", '"3"'),
        ("{}", '"{}"'),
        (True, "true"),
        (3, "3"),
        (None, "null"),
        ([1, "a"], '[1, "a"]'),
        ({"b": {"c": "d"}}, '{"b": {"c": "d"}}'),
    ],
)
def test_no_value_looks_like_another(value: object, shown: str) -> None:
    assert exact(value) == shown


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)


@QUICK
@given(VALUES, VALUES)
def test_values_that_differ_are_shown_differently(one: object, other: object) -> None:
    if json.dumps(one) != json.dumps(other):
        assert exact(one) != exact(other)


@QUICK
@given(st.dictionaries(outside_text, VALUES, max_size=40), st.text(max_size=40))
def test_nobody_approves_what_they_were_not_shown(parameters: dict[str, Any], target: str) -> None:
    action = Action("refund", target, "prod", parameters)
    shown = sight(action=action)
    message = approval_card(shown, NOW, is_first=False)
    assert_message(message, budget=3000)
    wanted = [one.value for one in parameters_of(action)]
    if "Approve" in labels(message.blocks):
        card = "\n".join(found["text"] for block in message.blocks for found in texts(block))
        assert all(escape(value) in visible(card) for value in wanted)
    last = pages_of(shown)
    assert labels(last[-1]["blocks"])[-2:] == ["Approve", "Deny"]
    assert all("Approve" not in labels(one["blocks"]) for one in last[:-1])
    whole = "".join(str(found["text"]) for one in last for found in texts(one["blocks"]))
    assert all(escape(value) in visible(whole) or len(value) > 2000 for value in wanted)


def visible(text: str) -> str:
    """Take away what keeps an emoji's name from becoming one."""
    return text.replace("\u200b", "")


def pages_of(shown: ApprovalSight) -> list[Block]:
    pages: list[Block] = []
    while True:
        view = approval_details(shown, len(pages))
        assert_view(view)
        pages.append(view)
        if "Next" not in labels(view["blocks"]):
            return pages


def test_a_value_of_sixty_thousand_letters_is_shown_whole_over_pages() -> None:
    value = "".join(f"{at:05}<" for at in range(10_000))
    shown = sight(action=Action("refund", "c_881", "prod", {"body": value, "z": "last"}))
    assert not fits_card(shown.approval)
    card = approval_card(shown, NOW)
    assert_message(card, budget=3000)
    assert labels(card.blocks) == ["Deny", "Details"]
    pages = pages_of(shown)
    assert len(pages) > 2
    told = "\n".join(found["text"] for one in pages for found in texts(one["blocks"]))
    body = next(one for one in parameters_of(shown.approval.action) if one.label == "body")
    pieces = [mrkdwn(line) for line in body.pieces(2800)]
    assert all(piece in told for piece in pieces)
    assert "".join(pieces).replace("`", "").removeprefix("body ") == escape(value)


def test_details_say_everything(snapshot: SnapshotAssertion) -> None:
    denied = replace(BY_CHRIS, decision=Decision.DENY, reason="not twice")
    view = approval_details(sight(votes=(BY_BEN, denied)))
    assert_view(view)
    assert labels(view["blocks"]) == ["Approve", "Deny"]
    assert view == snapshot


def test_details_hold_reasons_that_are_all_signs_to_be_escaped() -> None:
    view = approval_details(sight(why="&" * 3000, effect="<" * 3000))
    assert_view(view)
    told = str(view["blocks"])
    assert (told.count("&amp;"), told.count("&lt;")) == (3000, 3000)


def test_details_of_what_nobody_can_decide_say_why() -> None:
    view = approval_details(sight(None))
    assert "which changed since, so nobody can decide this" in str(view["blocks"])


@pytest.mark.parametrize("state", STATES)
def test_details_offer_what_the_card_does(state: str) -> None:
    view = approval_details(STATES[state][0])
    assert_view(view)
    assert labels(view["blocks"]) == [one for one in STATES[state][2] if one != "Details"]


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
    assert_message(approval_card(shown, NOW), budget=3000)
    assert_message(approval_status(shown, NOW))
    assert_message(bypass_message(shown, NOW))
    assert_message(approvals_message([shown] * 30, [shown] * 30, NOW))
    assert_view(approval_details(shown))
    assert_view(vote_form(shown, Decision.DENY, POLICY, {"approval": 7}))
    assert_view(record_form(shown, {"approval": 7}))
    assert_view(review_form(shown, {"approval": 7}))


def test_the_form_of_a_denial_says_who_reads_the_reason() -> None:
    strict = replace(POLICY, reason_to_deny=True)
    view = vote_form(sight(strict), Decision.DENY, strict, {"approval": 7})
    assert_view(view)
    assert view["title"]["text"] == "Deny A-7"
    assert (view["submit"]["text"], view["close"]["text"]) == ("Deny", "Go back")
    assert "invoice-bot and Ana will read this." in str(view["blocks"])
    assert "Policy `refund-prod` requires a reason." in str(view["blocks"])
    assert view["blocks"][0]["text"]["text"].splitlines() == [
        "*A-7*: *invoice-bot asks to run `refund` in prod*",
        "`refund` 120.00 EUR to c_881 in prod",
    ]


def test_a_refusal_leads_to_what_it_is_about() -> None:
    error = ConflictError("Ben approved this at 09:20 UTC. Your click changed nothing.", code="c")
    message = refused_vote(error, STATES["superseded"][0].approval)
    assert_message(message)
    assert labels(message.blocks) == ["Open A-8"]
    assert labels(refused_vote(error, APPROVAL).blocks) == ["Details"]
    assert labels(refused_vote(error, None).blocks) == []


def test_the_loud_message_says_what_was_skipped_and_the_reminder_that_nobody_looked() -> None:
    loud = bypass_message(STATES["bypassed"][0], NOW)
    assert_message(loud)
    assert loud.text.startswith(
        "Ben broke the glass of A-7: it may run without its approvers. Reason: the bank calls."
    )
    assert labels(loud.blocks) == ["Record review", "Details"]
    due = bypass_message(STATES["bypassed"][0], NOW, is_due=True)
    assert due.text.startswith("Nobody has reviewed A-7. Ben broke its glass.")
    done = decided(ApprovalState.APPROVED, **(BYPASS | {"review_due_at": None}))
    assert bypass_message(done, NOW, is_due=True).text.startswith("A-7 was reviewed.")


def test_lists_say_what_waits_for_whom() -> None:
    told = approvals_message([sight()], [sight(task=None)], NOW)
    assert_message(told)
    assert told.text.startswith(
        "1 waits for you. A-7 refund 120.00 EUR to c_881 in prod, invoice-bot, 0 of 2, until"
    )
    assert "Asked by you, or for your tasks: A-7" in told.text
    assert approvals_message([], [], NOW).text.startswith("Nothing waits for you.")


def test_an_action_in_short_names_its_amount_or_its_target() -> None:
    assert in_short(REFUND) == "120.00 EUR"
    assert in_short(replace(REFUND, parameters={})) == "c_881"
    assert in_short(replace(REFUND, parameters={"amount": 3})) == "c_881"


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        ({"amount": "120.00", "currency": "EUR"}, "120.00 EUR"),
        ({"amount": "120.00", "currency": "€"}, "120.00 €"),
        ({"amount": "120.00 EUR", "currency": "EUR"}, "120.00 EUR"),
        ({"amount": "120.00", "currency": 978}, "120.00"),
        ({"amount": "120.00", "currency": ""}, "120.00"),
        ({"amount": "120.00", "currency": "EUR to c_999"}, "120.00"),
        ({"amount": "120.00", "currency": "EUR\u200b"}, '120.00 "EUR\\u200b"'),
        ({"amount": "12", "currency": "EUR"}, '"12" EUR'),
    ],
)
def test_an_amount_keeps_its_currency(parameters: dict[str, object], shown: str) -> None:
    priced = replace(REFUND, parameters=parameters)
    assert in_short(priced) == shown
    assert to_whom(priced) == f"{shown} to c_881"


def test_where_an_amount_stands_its_currency_and_its_target_stand_too() -> None:
    priced = replace(REFUND, parameters={"amount": "120.00", "currency": "EUR"})
    risky = sight(replace(POLICY, is_high_risk=True), action=priced)
    asked = next(buttons(approval_card(risky, NOW).blocks))["confirm"]["text"]["text"]
    assert asked == "120.00 EUR to c_881 in prod. Digest 3fa1c09be2d4."
    assert "refund 120.00 EUR to c_881 in prod" in approvals_message([risky], [], NOW).text
    without = sight(action=replace(REFUND, parameters={}))
    assert "refund c_881 in prod" in approvals_message([without], [], NOW).text
