"""Nobody approves what they were not shown: values look like no other, details show them all."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from faultbook.model.approval import Action, Decision, EvidenceLink
from faultbook.model.approval_sight import ApprovalSight
from faultbook.view.approval_values import exact, parameters_of, to_whom
from faultbook.view.lines import escape, mrkdwn
from faultbook.view.message import Block
from faultbook.view.slack_approval import approval_card, approval_status, fits_card
from faultbook.view.slack_approval_details import approval_details
from tests.view.answers import QUICK, outside_text
from tests.view.approvals import BY_BEN, BY_CHRIS, NOW, REFUND, STATES, sight
from tests.view.slack_rules import assert_message, assert_view, labels, texts


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


@pytest.mark.parametrize(
    ("label", "url", "shown"),
    [
        ("x", "https://example.com/x?a=1", "<https://example.com/x?a=1|x> (example.com)"),
        (
            "bank.example",
            "https://bank.example@evil.example/x",
            "<https://bank.example@evil.example/x|bank.example> (evil.example)",
        ),
        (
            "https://example.com/x",
            "https://example.com/x",
            "<https://example.com/x|https://example.com/x>",
        ),
    ],
)
def test_evidence_says_where_it_leads_whatever_its_label_says(
    label: str, url: str, shown: str
) -> None:
    asked = sight(evidence=(EvidenceLink(label, url),))
    for blocks in (approval_card(asked, NOW).blocks, approval_details(asked)["blocks"]):
        [line] = [one["text"] for one in texts(blocks) if url in one["text"]]
        assert line.endswith(shown)


@pytest.mark.parametrize(
    ("owner", "shown"),
    [
        ("UOLGA1", "invoice-bot of <@UOLGA1> · "),
        ("Olga", "invoice-bot of Olga · "),
        ("", "invoice-bot · "),
    ],
)
def test_details_name_the_agents_owner_as_slack_names_people(owner: str, shown: str) -> None:
    view = approval_details(sight(owner=owner))
    assert_view(view, mentions=shown.count("<@"))
    assert any(shown in one["text"] for one in texts(view))


def test_details_hold_reasons_that_are_all_signs_to_be_escaped() -> None:
    view = approval_details(sight(why="&" * 3000, effect="<" * 3000))
    assert_view(view)
    told = str(view["blocks"])
    assert (told.count("&amp;"), told.count("&lt;")) == (3000, 3000)


def test_what_nobody_can_decide_says_why_and_offers_no_decision_wherever_it_is_shown() -> None:
    stuck = sight(None, action=replace(REFUND, parameters={"body": "x" * 3000}))
    said = (
        ":warning: The policy `refund-prod` changed since this was asked, so nobody can decide it."
        " The agent asks again."
    )
    card, status, view = (
        approval_card(stuck, NOW),
        approval_status(stuck, NOW),
        approval_details(stuck),
    )
    assert_message(card, budget=3000)
    assert_view(view)
    for blocks in (card.blocks, status.blocks, view["blocks"]):
        assert any(said in one["text"] for one in texts(blocks))
        assert {"Approve", "Deny"}.isdisjoint(labels(blocks))
    assert "with Approve beneath" not in card.text


@pytest.mark.parametrize("state", STATES)
def test_details_offer_what_the_card_does(state: str) -> None:
    view = approval_details(STATES[state][0])
    assert_view(view)
    assert labels(view["blocks"]) == [one for one in STATES[state][2] if one != "Details"]


def test_an_action_in_short_names_its_amount_and_its_target() -> None:
    assert to_whom(REFUND) == "120.00 EUR to c_881"
    assert to_whom(replace(REFUND, parameters={})) == "c_881"
    assert to_whom(replace(REFUND, parameters={"amount": 3})) == "c_881"


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
    assert to_whom(priced) == f"{shown} to c_881"
