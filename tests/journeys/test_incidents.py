"""Incidents from Slack to git over real sockets and a real remote: opened, drafted, closed."""

import time

import pytest

from faultbook.base.clock import HOUR, MINUTE
from faultbook.ledger.incident_file import read_incident
from faultbook.model.incident import IncidentStatus
from faultbook.model.ledger_operation import LedgerVerb
from faultbook.model.verdict import Verdict
from faultbook.operations.drafts import remind_due
from faultbook.operations.ledger import owe, prepare_operation
from faultbook.operations.recording import record_runs
from tests.builders import whole_run
from tests.journeys.ledger_desk import GOOD_RULE, LEDGER, LedgerDesk, inputs, text_of
from tests.view.slack_rules import texts

TEMPLATE_RULE = "One sentence a stranger can check: when X, do Y, held by Z."
HOSTILE = "a | b\n---\n</details> <!channel> {{ title }} ../../x --output=x \u202e !!python"


def test_a_shortcut_on_a_failing_message_opens_an_incident_that_git_shows(desk: LedgerDesk) -> None:
    thread, answer = desk.failing_message()
    desk.slack.shortcut("ana", "open_incident", "general", answer["ts"])
    view = desk.modal()
    asked = inputs(view)
    assert "invoice-sync" in text_of(view)
    assert asked["title"]["element"]["initial_value"].startswith("invoice-sync: ")
    assert asked["area"]["element"]["initial_value"] == "invoice-sync"
    assert asked["owner"]["element"]["initial_user"] == desk.slack.user_id("ana")
    assert "initial_value" not in asked["rule"]["element"]

    why = {"why_linked": "Exports are held to their file, not to their exit code."}
    for refused, words in (
        ("   ", "There is no prevention rule."),
        ("Be more careful", "“Be more careful” can't be checked. Say what stops it, and where."),
        (TEMPLATE_RULE, "These are the template's words. Write your own."),
        (
            "Validate vendor JSON against a schema in CI (schemas/vendor.json)",
            "Lesson 26 says this. Record a repeat, or say what it missed.",
        ),
    ):
        outcome = desk.slack.submit("ana", {"rule": refused, **why})
        assert outcome["outcome"] == "errors"
        assert outcome["errors"]["rule"].startswith(words)
    assert "Lesson" in outcome["errors"]["rule"]
    assert desk.incident_paths() == []

    began = time.monotonic()
    assert desk.slack.submit("ana", {"rule": GOOD_RULE, **why})["outcome"] == "closed"
    [path] = desk.slack.wait_for(desk.incident_paths, timeout=3)
    assert time.monotonic() - began < 3
    incident = read_incident(desk.remote.read(path).encode(), path).fields
    assert incident.prevention_rule == GOOD_RULE
    assert (incident.owner, incident.rule_author) == ("Ana Ruiz", "Ana Ruiz")
    assert incident.lesson == 27
    assert incident.fingerprint.startswith("f1-")
    assert incident.related[0].startswith("http")
    link = path.removeprefix("lessons/")
    assert f"| [27]({link}) |" in desk.remote.read()
    assert "Requested-by: Ana Ruiz" in "\n".join(desk.remote.log("%B"))

    assert desk.problems() == []

    told = desk.said_in(thread, "Incident opened")
    assert told["thread_ts"] == thread
    for words in ("owner Ana Ruiz", f"Rule: {GOOD_RULE}", path, "lesson 27"):
        assert words in told["text"]
    row = told["blocks"][-1]["elements"]
    assert [button["text"]["text"] for button in row] == ["Open file", "Close incident"]
    assert row[0]["url"] == f"https://git.example/team/repo/blob/main/{path}"


def test_the_same_failure_is_then_known_by_its_lesson(desk: LedgerDesk) -> None:
    thread, _ = desk.opened()
    desk.slack.say("ana", "general", "@faultbook what's failing?", thread=thread)
    desk.said_in(thread, "lesson 27")


def test_a_command_opens_it_for_a_workflow_and_announces_in_the_channel(
    desk: LedgerDesk,
) -> None:
    assert desk.slack.slash("ana", "general", "/incident", "invoice-sync")["acked"]
    assert inputs(desk.modal())["area"]["element"]["initial_value"] == "invoice-sync"
    assert (
        desk.slack.submit("ana", {"rule": GOOD_RULE, "why_linked": "Why."})["outcome"] == "closed"
    )
    told = desk.slack.wait_for(lambda: desk.slack.from_bot("general"))
    assert "Incident opened" in told[0]["text"]
    assert "thread_ts" not in told[0]


def test_a_command_without_a_workflow_asks_for_what_failed(desk: LedgerDesk) -> None:
    assert desk.slack.slash("ana", "general", "/faultbook", "incident")["acked"]
    view = desk.modal()
    assert "initial_value" not in inputs(view)["title"]["element"]
    assert "No series is named" in text_of(view)
    outcome = desk.slack.submit(
        "ana",
        {"title": "Door", "what_failed": " ", "area": "x", "rule": GOOD_RULE, "repeats": "9"}
        | {"why_linked": "x", "enforcement": "test"},
    )
    assert outcome["errors"] == {
        "what_failed": "Say what failed.",
        "repeats": "The ledger has no lesson 9; its numbers go up to 26.",
        "enforcement_ref": "Name the test that holds it.",
    }


def test_a_person_who_asks_in_words_gets_the_button(desk: LedgerDesk) -> None:
    thread = desk.slack.say("ana", "general", "@faultbook open an incident")
    offered = desk.said_in(thread, "An incident needs")
    desk.slack.click("ana", "general", offered["ts"], "incident.open")
    assert desk.modal()["callback_id"] == "incident.form"


def test_a_repeat_says_what_holds_the_rule_better_now(desk: LedgerDesk) -> None:
    thread, answer = desk.failing_message()
    desk.slack.click("ana", "general", answer["ts"], "incident.open")
    desk.modal()
    rule = "A sync checks its session before it starts (crm-sync.sh)"
    given = {"rule": rule, "why_linked": "Why.", "repeats": "14"}
    refused = desk.slack.submit("ana", given)
    assert list(refused["errors"]) == ["enforcement_change"]
    change = {"enforcement_change": "A test now, no sentence in a script.", "enforcement": "test"}
    change |= {"enforcement_ref": "tests/test_session.py"}
    assert desk.slack.submit("ana", given | change)["outcome"] == "closed"
    desk.said_in(thread, "Incident opened")
    desk.slack.say("ana", "general", "@faultbook lesson 14", thread=thread)
    assert "1 repeat" in desk.said_in(thread, "1 lesson matches")["text"]


def test_hostile_words_in_every_field_are_inert_everywhere(desk: LedgerDesk) -> None:
    desk.slack.slash("ana", "general", "/incident")
    desk.modal()
    one = HOSTILE.replace("\n", " ")
    fields = dict.fromkeys(("what_failed", "impact", "root_cause", "fix"), HOSTILE)
    fields |= {"title": one, "area": one[:80], "why_linked": one}
    fields |= {"rule": f"{one} is refused by the check (tests/test_hostile.py)"}
    assert desk.slack.submit("ana", fields)["outcome"] == "closed"
    [path] = desk.slack.wait_for(desk.incident_paths)
    incident = read_incident(desk.remote.read(path).encode(), path).fields
    assert incident.title.startswith("a | b --- ")
    assert desk.problems() == []
    assert desk.remote.read().count("\n| ") == LEDGER.count("\n| ") + 1
    told = desk.slack.wait_for(lambda: desk.slack.from_bot("general"))[0]
    for shown in texts(told["blocks"]):
        assert "<!channel>" not in shown["text"]
    assert "&lt;!channel&gt;" in told["text"]


def test_a_draft_is_kept_reminded_of_handed_over_late_and_opened(
    desk: LedgerDesk,
) -> None:
    thread, answer = desk.failing_message()
    desk.slack.click("ana", "general", answer["ts"], "incident.open")
    view = desk.modal()
    entered = {"title": {"field": "invoice-sync wrote no PDF"}, "rule": {"field": "Some day"}}
    assert desk.slack.click_view("ana", "incident.save_draft", view_id=view["id"], values=entered)[
        "acked"
    ]
    desk.slack.wait_for(lambda: desk.modal()["title"]["text"] == "Draft saved")
    saved = desk.said_in(thread, "Draft saved: invoice-sync wrote no PDF.")
    assert desk.incident_paths() == []

    store = desk.bot.house.store
    desk.clock.ahead = 20 * HOUR + MINUTE
    store.write(remind_due)
    reminder = desk.said_in(thread, "needs its prevention rule by")
    assert f"<@{desk.slack.user_id('ana')}>" in reminder["blocks"][0]["text"]["text"]
    ben = desk.slack.user_id("ben")
    assert desk.slack.click("ana", "general", reminder["ts"], "draft.hand_over", value=ben)["acked"]
    handed = desk.said_in(thread, "handed this over")
    assert f"<@{ben}>" in handed["blocks"][0]["text"]["text"]

    desk.clock.ahead = 24 * HOUR + MINUTE
    store.write(remind_due)
    desk.slack.say("ana", "general", "@faultbook what's failing?", thread=thread)
    desk.said_in(thread, "Draft late “invoice-sync wrote no PDF”: rule due")
    asked = desk.slack.from_bot("general", thread=thread)
    assert sum("needs its prevention rule" in one["text"] for one in asked) == 2  # and no third

    desk.slack.close_modal("ana", everything=True)
    desk.slack.click("ben", "general", saved["ts"], "draft.write")
    kept = inputs(desk.modal("ben"))
    assert kept["title"]["element"]["initial_value"] == "invoice-sync wrote no PDF"
    assert "initial_value" not in kept["rule"]["element"]  # Ana's words are not Ben's rule
    given = {"rule": GOOD_RULE, "why_linked": "Why."}
    assert desk.slack.submit("ben", given)["outcome"] == "closed"
    opened = desk.said_in(thread, "Incident opened")
    assert "owner Ben Okafor" in opened["text"]
    [path] = desk.incident_paths()
    assert read_incident(desk.remote.read(path).encode(), path).fields.rule_author == "Ben Okafor"

    desk.slack.click("ana", "general", reminder["ts"], "draft.write")
    told = desk.slack.wait_for(lambda: desk.slack.ephemerals("ana"))
    assert "was opened as an incident meanwhile" in told[-1]["text"]


def test_an_empty_draft_asks_for_a_title(desk: LedgerDesk) -> None:
    desk.slack.slash("ana", "general", "/incident")
    view = desk.modal()
    desk.slack.click_view("ana", "incident.save_draft", view_id=view["id"])
    desk.slack.wait_for(lambda: "A draft needs a title" in text_of(desk.modal()))


def test_closing_needs_a_run_that_passed_after_or_an_artifact(desk: LedgerDesk) -> None:
    thread, announced = desk.opened()
    desk.slack.click("ana", "general", announced["ts"], "incident.close")
    assert "No run has passed since" in text_of(desk.modal())
    for said, words in (
        ("", "Name a run that passed after the fix"),
        ("works now", "“works now” names no run and no artifact."),
        ("run 00000000", "There is no run"),
    ):
        outcome = desk.slack.submit("ana", {"artifact": said})
        assert outcome["errors"]["artifact"].startswith(words), outcome
    desk.slack.close_modal("ana")

    desk.clock.ahead = HOUR
    passed = whole_run(Verdict.PASSED, at=desk.clock() - MINUTE)
    [run_id] = desk.bot.house.store.write(record_runs, [passed])
    desk.slack.click("ana", "general", announced["ts"], "incident.close")
    offered = inputs(desk.slack.wait_for(lambda: desk.slack.modals("ana"))[-1])["run"]
    assert offered["element"]["initial_option"]["value"] == run_id
    assert desk.slack.submit("ana")["outcome"] == "closed"
    told = desk.said_in(thread, "Incident closed")
    assert run_id in told["text"]
    [path] = desk.incident_paths()
    incident = read_incident(desk.remote.read(path).encode(), path).fields
    assert incident.status is IncidentStatus.CLOSED
    assert desk.problems() == []
    assert run_id in incident.verification


def test_a_remote_that_is_away_is_said_with_how_many_wait_and_then_served(desk: LedgerDesk) -> None:
    away = desk.remote.path.with_name("away.git")
    desk.remote.path.rename(away)
    thread, answer = desk.failing_message()
    desk.slack.click("ana", "general", answer["ts"], "incident.open")
    desk.modal()
    desk.slack.submit("ana", {"rule": GOOD_RULE, "why_linked": "Why."})
    told = desk.said_in(thread, "Saved, not pushed")
    assert "git doesn't answer; 1 operation waits." in told["text"]
    desk.slack.open_home("ana")
    desk.slack.wait_for(lambda: "Git: 1 operation waits" in str(desk.slack.home_view("ana")))
    away.rename(desk.remote.path)
    desk.slack.wait_for(
        lambda: [
            one
            for one in desk.slack.from_bot("general", thread=thread)
            if "Incident opened" in one["text"]
        ],
        timeout=30,
    )
    assert len(desk.incident_paths()) == 1


@pytest.mark.parametrize(("choice", "stays"), [("apply_mine", "mine"), ("drop_mine", "theirs")])
def test_a_text_that_a_person_changed_stays_until_someone_chooses(
    desk: LedgerDesk, choice: str, stays: str
) -> None:
    texts = {
        "mine": "The sync stops at once when its session is gone (tests/test_session.py)",
        "theirs": "A sync logs in anew before each run (crm-sync.sh, line 3)",
    }
    thread = desk.slack.say("ana", "general", "the sync is odd")
    old = "A sync checks its session before it starts (crm-sync.sh)"
    person = desk.remote.person("ben")
    person.push({"lessons/_ledger.md": LEDGER.replace(old, texts["theirs"])})
    change = prepare_operation(
        LedgerVerb.SET_CELL,
        {"number": 14, "column": "rule", "expected": old, "text": texts["mine"]},
        requester_id=desk.slack.user_id("ana"),
        requester_name="Ana Ruiz",
        channel=desk.slack.channel_id("general"),
        thread_ts=thread,
    )
    desk.bot.house.store.write(owe, change)
    asked = desk.said_in(thread, "Lesson 14 was changed meanwhile")
    for text in texts.values():
        assert text in asked["text"]
    assert desk.slack.click("ben", "general", asked["ts"], f"ledger.{choice}")["acked"]
    if stays == "mine":
        desk.said_in(thread, "Lesson 14 changed.")
    else:
        desk.slack.wait_for(lambda: desk.slack.ephemerals("ben"))
    assert texts[stays] in desk.remote.read()
    desk.slack.click("ana", "general", asked["ts"], f"ledger.{choice}")
    told = desk.slack.wait_for(lambda: desk.slack.ephemerals("ana"))
    assert "Ben Okafor decided this before." in told[-1]["text"]


def test_a_file_that_a_person_pushed_without_a_rule_is_said_once_with_its_line(
    desk: LedgerDesk,
) -> None:
    path = "lessons/incidents/2026-11-18-by-hand.md"
    person = desk.remote.person("ben")
    head = person.push({path: "---\ntitle: By hand\ndate: 2026-11-18\n---\n\n# By hand\n"})
    desk.wait_read(head)
    told = desk.slack.wait_for(lambda: desk.slack.from_bot("ops"))[0]
    assert "pushed by Ben" in told["text"]
    assert f"{path}:" in told["text"]
    head = person.push({"README.md": "# Else\n"})
    desk.wait_read(head)
    assert len(desk.slack.from_bot("ops")) == 1
