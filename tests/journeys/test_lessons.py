"""Lessons in Slack, with a real remote: found, reviewed, suggested, failed again."""

import pytest

from faultbook.base.clock import MINUTE, system_clock
from faultbook.model.verdict import Verdict
from faultbook.operations.known_failures import link
from faultbook.operations.lessons import watch_repeats
from faultbook.operations.recording import record_runs
from faultbook.view.actions import LESSON_EDIT
from tests.builders import whole_run
from tests.journeys.ledger_desk import GOOD_RULE, LedgerDesk, inputs
from tests.journeys.running import RunningBot
from tests.sandbox.driver import Json, Workspace

LIKE_OURS = (
    "| 27 | The invoice sync stopped with an exit code | Wait | The sync ends with exit code 0 only"
    " when its report is there (tests/test_invoice.py) | invoices |\n"
)


def elements(message: Json) -> list[Json]:
    return [
        one
        for block in message["blocks"]
        if block["type"] == "actions"
        for one in block["elements"]
    ]


def learn(desk: LedgerDesk, row: str = LIKE_OURS) -> None:
    """Let a person push a lesson, and wait until the bot has read it."""
    head = desk.remote.person("ben").push({"lessons/_ledger.md": desk.remote.read() + row})
    desk.wait_read(head)


def test_words_find_lessons_in_the_channel_and_in_private(desk: LedgerDesk) -> None:
    thread = desk.slack.say("ana", "general", "@faultbook have we seen vendor JSON before?")
    told = desk.said_in(thread, "1 lesson matches vendor JSON")
    assert "26 Validate vendor JSON against a schema in CI" in told["text"]
    assert desk.slack.slash("ana", "general", "/faultbook", "lesson session login")["acked"]
    private = desk.slack.wait_for(lambda: desk.slack.ephemerals("ana"))[-1]
    assert "14 A sync checks its session before it starts" in private["text"]


def test_what_no_lesson_knows_is_said(desk: LedgerDesk) -> None:
    thread = desk.slack.say("ana", "general", "@faultbook lesson zeppelin")
    assert desk.said_in(thread, "No lesson matches zeppelin. Try fewer words.")


def test_outside_a_thread_it_asks_for_words(desk: LedgerDesk) -> None:
    desk.slack.say("ana", "dm", "have we seen this before?")
    told = desk.slack.wait_for(lambda: desk.slack.from_bot("dm", user="ana"))[0]
    assert told["text"].startswith("Which failure?")


def test_in_a_thread_it_searches_with_what_the_thread_is_about(desk: LedgerDesk) -> None:
    parent = desk.slack.say("ben", "general", "a vendor sent odd JSON again")
    desk.slack.say("ana", "general", "@faultbook have we seen this before?", thread=parent)
    assert "26 Validate vendor JSON" in desk.said_in(parent, "matches a vendor sent")["text"]


def test_in_a_thread_of_an_answer_it_searches_with_the_failing_series(desk: LedgerDesk) -> None:
    learn(desk)
    thread, _ = desk.failing_message()
    desk.slack.say("ana", "general", "@faultbook have we seen this before?", thread=thread)
    assert "27 The sync ends with exit code 0" in desk.said_in(thread, "match")["text"]


def test_an_area_is_reviewed_before_something_new_starts_there(desk: LedgerDesk) -> None:
    desk.slack.slash("ana", "general", "/faultbook", "review vendors")
    told = desk.slack.wait_for(lambda: desk.slack.ephemerals("ana"))[-1]
    assert told["text"].startswith("Read before you automate vendors: 1 lesson.")
    assert "26 Validate vendor JSON" in told["text"]
    thread = desk.slack.say("ana", "general", "@faultbook review warehouse")
    assert "Areas with lessons: crm, vendors." in desk.said_in(thread, "No lesson is about")["text"]


def test_a_new_failure_is_suggested_once_and_a_yes_is_said_loudly(desk: LedgerDesk) -> None:
    learn(desk)
    thread, _ = desk.failing_message()
    asked = desk.said_in(thread, "Possibly lesson 27")
    assert [one["text"]["text"] for one in elements(asked)] == ["Yes, 27", "No", "It is new"]
    yes = elements(asked)[0]["action_id"]
    assert desk.slack.click("ben", "general", asked["ts"], yes)["acked"]
    loud = desk.said_in(thread, "The rule exists and it happened again.")
    assert "Lesson 27: “The sync ends with exit code 0" in loud["text"]
    assert "enforced by none, second time. The rule failed: make it stronger." in loud["text"]
    labels = [one["text"]["text"] for one in elements(loud)]
    assert labels == ["Open incident", "Edit rule"]

    desk.slack.click("ana", "general", asked["ts"], "lesson.no")
    told = desk.slack.wait_for(lambda: desk.slack.ephemerals("ana"))
    assert "Ben Okafor answered this before: yes, lesson 27." in told[-1]["text"]
    desk.slack.say("ana", "general", "@faultbook what's failing?", thread=thread)
    desk.said_in(thread, "The rule exists and it happened again: lesson 27")
    said = [one["text"] for one in desk.slack.from_bot("general", thread=thread)]
    assert sum(text.startswith("Possibly") for text in said) == 1


@pytest.mark.parametrize(("action", "words"), [("no", "none of these"), ("new", "it is new")])
def test_a_no_is_noted_to_who_said_it(desk: LedgerDesk, action: str, words: str) -> None:
    learn(desk)
    thread, _ = desk.failing_message()
    asked = desk.said_in(thread, "Possibly lesson 27")
    desk.slack.click("ana", "general", asked["ts"], f"lesson.{action}")
    told = desk.slack.wait_for(lambda: desk.slack.ephemerals("ana"))[-1]
    assert words in told["text"]
    assert bool(elements(told)) == (action == "new")  # which offers an incident


def test_a_known_failure_that_comes_again_is_said_in_the_channel_once(desk: LedgerDesk) -> None:
    house = desk.bot.house
    desk.failing_message()
    [series] = house.store.read(desk.failing_series)
    house.store.write(link, series.fingerprint, 14, None, "Ana Ruiz")
    now = system_clock()
    runs = [
        whole_run(Verdict.PASSED, at=now + MINUTE, received_at=now),
        whole_run(Verdict.FAILED, at=now + 2 * MINUTE, received_at=now),
    ]
    house.store.write(record_runs, runs)
    for _ in range(2):
        watch_repeats(house.store, house.policy, desk.slack.channel_id("ops"))
    told = desk.slack.wait_for(lambda: desk.slack.from_bot("ops"))
    desk.failing_message()  # later than any second word of it would be
    assert len(desk.slack.from_bot("ops")) == 1
    assert "The rule exists and it happened again. Lesson 14" in told[0]["text"]

    desk.slack.click("ana", "ops", told[0]["ts"], LESSON_EDIT)
    view = desk.modal()
    old = inputs(view)["rule"]["element"]["initial_value"]
    assert old == "A sync checks its session before it starts (crm-sync.sh)"
    for rule, words in ((old, "That is the rule as it is."), ("Be careful", "“Be careful”")):
        assert desk.slack.submit("ana", {"rule": rule})["errors"]["rule"].startswith(words)
    assert desk.slack.submit("ana", {"rule": GOOD_RULE})["outcome"] == "closed"
    desk.slack.wait_for(lambda: GOOD_RULE in desk.remote.read())
    thread = told[0]["ts"]
    desk.slack.wait_for(
        lambda: desk.slack.from_bot("ops", thread=thread)[-1]["text"].startswith(
            "Lesson 14 changed"
        )
    )


def test_home_shows_what_is_due_and_what_was_learned(desk: LedgerDesk) -> None:
    thread, answer = desk.failing_message()
    desk.slack.click("ana", "general", answer["ts"], "incident.open")
    view = desk.modal()
    desk.slack.click_view("ana", "incident.save_draft", view_id=view["id"])
    desk.said_in(thread, "Draft saved")
    desk.slack.close_modal("ana", everything=True)
    desk.slack.open_home("ana")
    home = desk.slack.wait_for(
        lambda: "Rules due" in str(desk.slack.home_view("ana")) and desk.slack.home_view("ana")
    )
    assert home
    shown = str(home["blocks"])
    for words in ("invoice-sync: ", "rule due", "Learned", "Validate vendor JSON", "Git: "):
        assert words in shown
    assert desk.slack.click_view("ana", "incident.open")["acked"]
    assert desk.modal()["callback_id"] == "incident.form"
    given = {"title": "Door", "what_failed": "It was open.", "area": "house"}
    given |= {"rule": GOOD_RULE, "why_linked": "Why."}
    assert desk.slack.submit("ana", given)["outcome"] == "closed"
    told = desk.slack.wait_for(lambda: desk.slack.from_bot("ops"))  # where no thread is known
    assert "Incident opened: Door." in told[0]["text"]


def test_without_a_ledger_it_says_how_to_set_one(workspace: Workspace, bot: RunningBot) -> None:
    del bot
    assert workspace.slash("ana", "general", "/incident")["acked"]
    assert workspace.slash("ana", "general", "/faultbook", "lesson pdf")["acked"]
    told = workspace.wait_for(
        lambda: (
            [one["text"] for one in workspace.ephemerals("ana")][1:]
            and [one["text"] for one in workspace.ephemerals("ana")]
        )
    )
    assert all("ledger_not_set" in text for text in told)
