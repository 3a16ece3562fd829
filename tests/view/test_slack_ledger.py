"""What git made of a change, as Slack shows it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faultbook.model.ledger_operation import (
    LedgerOperation,
    LedgerOperationState,
    LedgerQueue,
    LedgerVerb,
    PushedFinding,
)
from faultbook.view.lines import mrkdwn
from faultbook.view.slack_ledger import (
    Outcome,
    conflict_message,
    dropped_message,
    finding_message,
    git_queue_line,
    refused_message,
    settled_message,
    waiting_message,
)
from tests.view.answers import AS_OF, outside_text
from tests.view.slack_rules import assert_message, buttons

WEB = "https://git.example/team/repo/blob/main/{path}"
PATH = "lessons/incidents/2026-11-18-no-pdf.md"
PAYLOAD: dict[str, Any] = {
    "title": "invoice-sync wrote no PDF",
    "severity": "high",
    "owner": "Ana",
    "prevention_rule": "The wrapper fails any export without report.pdf (tests/test_export.py).",
}
OPERATION = LedgerOperation(
    id="op-1",
    verb=LedgerVerb.OPEN_INCIDENT,
    payload=PAYLOAD,
    requester_id="UANA",
    requester_name="Ana",
    created_at=AS_OF,
    state=LedgerOperationState.PUSHED,
    result={"commit": "4be1d20" + "0" * 33, "number": 27, "path": PATH},
)
QUEUE = LedgerQueue(3, 0, AS_OF, "", "4be1d20" + "0" * 33, AS_OF, 27)


def test_an_opened_incident_is_told_as_the_wording_says() -> None:
    message = settled_message(Outcome(OPERATION, WEB))
    assert_message(message, budget=3000)
    head, rule, where, row = message.blocks
    assert head["text"]["text"] == ("*Incident opened: invoice-sync wrote no PDF.* High, owner Ana")
    assert rule["text"]["text"] == f"Rule: {PAYLOAD['prevention_rule']}"
    assert where["elements"][0]["text"] == f"`{PATH}` · lesson 27 · `4be1d20`"
    assert [one["text"]["text"] for one in row["elements"]] == ["Open file", "Close incident"]
    assert row["elements"][0]["url"] == WEB.replace("{path}", PATH)
    assert row["elements"][1]["value"] == "op-1"


def test_without_a_page_for_files_there_is_no_link() -> None:
    row = settled_message(Outcome(OPERATION)).blocks[-1]["elements"]
    assert [one["text"]["text"] for one in row] == ["Close incident"]


def test_a_protected_main_names_the_branch() -> None:
    on_branch = replace(
        OPERATION,
        state=LedgerOperationState.ON_BRANCH,
        result=OPERATION.result | {"branch": "faultbook/27"},
    )
    message = settled_message(Outcome(on_branch))
    assert_message(message)
    shown = [block["text"]["text"] for block in message.blocks if block["type"] == "section"]
    assert "*On branch `faultbook/27`:* main is protected; merge it." in shown
    assert list(buttons(message.blocks)) == []  # it can't be closed before it is there


def test_what_waits_is_counted() -> None:
    message = waiting_message(replace(OPERATION, error="could not resolve host"), QUEUE)
    assert_message(message)
    shown = message.blocks[0]["text"]["text"]
    assert shown == "*Saved, not pushed:* git doesn't answer; 3 operations wait."
    assert "could not resolve host" in message.text


def test_a_conflict_shows_both_texts_and_asks() -> None:
    result = {"theirs": "Log in anew", "mine": "Stop at once", "expect": "x"}
    asked = replace(
        OPERATION, verb=LedgerVerb.SET_CELL, payload={"number": 14, "text": "x"}, result=result
    )
    message = conflict_message(asked)
    assert_message(message)
    assert message.text == (
        "Lesson 14 was changed meanwhile; that text stays. There now: “Log in anew”."
        " Yours: “Stop at once”."
    )
    labels = [one["text"]["text"] for one in buttons(message.blocks)]
    assert labels == ["Apply mine", "Drop mine"]
    named = conflict_message(replace(asked, result=result | {"who": "Ben"}))
    assert named.text.startswith("Ben changed lesson 14 meanwhile; it stays.")
    assert_message(dropped_message())


@pytest.mark.parametrize(
    ("verb", "payload", "said"),
    [
        (LedgerVerb.CLOSE_INCIDENT, {"path": PATH, "verification": "run 1"}, "Incident closed: "),
        (LedgerVerb.SET_CELL, {"number": 14, "text": "New"}, "Lesson 14 changed. Rule: New."),
        (LedgerVerb.ADD_LESSON, {"rule": "New"}, "Lesson 27 added. Rule: New."),
        (
            LedgerVerb.RETIRE_LESSON,
            {"number": 9, "superseded_by": 14, "why": "Replaced."},
            "Lesson 9 retired. See lesson 14. Replaced.",
        ),
        (LedgerVerb.NUMBER_NEW_ROWS, {}, "New lessons got their numbers."),
    ],
)
def test_each_change_is_told(verb: LedgerVerb, payload: dict[str, Any], said: str) -> None:
    result = {"commit": "4be1d20" + "0" * 33}
    result |= {} if "number" in payload else {"number": 27}  # type: ignore[dict-item]
    message = settled_message(
        Outcome(replace(OPERATION, verb=verb, payload=payload, result=result))
    )
    assert_message(message)
    assert message.text.startswith(said)


def test_what_git_could_not_take_says_why() -> None:
    refused = replace(
        OPERATION,
        error="There is no `lessons/_ledger.md` on the branch.",
        result={"code": "ledger_missing", "next_step": "Make one: `faultbook ledger init`."},
    )
    message = refused_message(refused)
    assert_message(message)
    assert "Not written to the ledger. There is no lessons/_ledger.md" in message.text
    assert "`ledger_missing`" in message.blocks[0]["text"]["text"]


def test_a_problem_that_a_person_pushed_is_said_with_its_line_and_author() -> None:
    found = PushedFinding(
        "lessons/_ledger.md", 31, 3, "duplicate-number", "14 is also on line 22", "Run --fix", "Ben"
    )
    message = finding_message([found], 2, "4be1d20" + "0" * 33)
    assert_message(message)
    assert message.text.startswith("3 problems were pushed by Ben, at 4be1d20.")
    assert "lessons/_ledger.md:31 duplicate-number 14 is also on line 22" in message.text
    assert "and 2 more" in message.text


@pytest.mark.parametrize(
    ("queue", "said"),
    [
        (QUEUE, "Git: 3 operations wait."),
        (replace(QUEUE, waiting=1, error="no host"), "Git: 1 operation waits (no host)."),
        (replace(QUEUE, waiting=0), "Git: everything is pushed, at `4be1d20`."),
        (replace(QUEUE, waiting=0, error="no host"), "Git: no host"),
        (replace(QUEUE, waiting=0, commit=None), ""),
    ],
)
def test_the_queue_is_told_in_a_line(queue: LedgerQueue, said: str) -> None:
    assert mrkdwn(git_queue_line(queue)) == said


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(LedgerVerb),
    st.dictionaries(
        st.sampled_from(
            [*PAYLOAD, "text", "rule", "path", "verification", "why", "theirs", "mine", "branch"]
        ),
        outside_text,
    ),
    outside_text,
)
def test_nothing_from_outside_is_live(verb: LedgerVerb, said: dict[str, str], error: str) -> None:
    for state in LedgerOperationState:
        of = replace(OPERATION, verb=verb, payload=said, result=said, error=error, state=state)
        assert_message(settled_message(Outcome(of, WEB)))
        assert_message(conflict_message(of))
        assert_message(refused_message(of))
        assert_message(waiting_message(of, QUEUE))
    finding = PushedFinding(error, 1, 1, "x", error, error, error)
    assert_message(finding_message([finding] * 5, 1, error))
