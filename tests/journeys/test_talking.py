"""People talk to the bot over real sockets: mentions, direct messages, commands, buttons, Home."""

import pytest
from sqlalchemy import select

from faultbook.base.clock import system_clock
from faultbook.model.verdict import Verdict
from faultbook.operations.recording import record_runs
from faultbook.store.schema import metadata, notices
from faultbook.store.transaction import Transaction
from tests.builders import whole_run
from tests.journeys.conftest import record_failing
from tests.journeys.running import RunningBot
from tests.sandbox.driver import Json, Workspace
from tests.view.slack_rules import texts

QUESTION = "@faultbook what's failing?"


def button_ids(message: Json) -> list[str]:
    return [
        element["action_id"]
        for block in message["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
    ]


def answer_in(workspace: Workspace, channel: str, thread: str) -> Json:
    found: list[Json] = workspace.wait_for(lambda: workspace.from_bot(channel, thread=thread))
    assert len(found) == 1
    return found[0]


def test_a_mention_is_answered_in_its_thread(workspace: Workspace, bot: RunningBot) -> None:
    ts = workspace.say("ana", "general", QUESTION)
    answer = answer_in(workspace, "general", ts)
    assert answer["thread_ts"] == ts
    assert "1 failing on main" in answer["text"]
    assert "invoice-sync" in answer["text"]
    assert workspace.deliveries() == {"ok": True, "unsettled": [], "given_up": []}
    assert bot.bot.status().connected


def test_a_mention_in_a_thread_is_answered_there(workspace: Workspace, bot: RunningBot) -> None:
    del bot
    parent = workspace.say("ben", "general", "the export looks odd")
    workspace.say("ana", "general", "@faultbook is invoice-sync failing?", thread=parent)
    assert answer_in(workspace, "general", parent)["thread_ts"] == parent


def test_a_direct_message_is_answered_plainly(workspace: Workspace, bot: RunningBot) -> None:
    del bot
    workspace.say("ana", "dm", "what's failing?")
    answers = workspace.wait_for(lambda: workspace.from_bot("dm", user="ana"))
    assert len(answers) == 1
    assert "thread_ts" not in answers[0]
    assert "invoice-sync" in answers[0]["text"]


def test_chit_chat_and_other_bots_get_no_answer(workspace: Workspace, bot: RunningBot) -> None:
    workspace.say("ana", "general", "@faultbook thanks!")
    workspace.say("ana", "general", "@faultbook :+1:")
    workspace.say("ana", "general", "what's failing?")  # not to the bot
    ts = workspace.say("ana", "general", QUESTION)
    answer_in(workspace, "general", ts)
    assert len(workspace.from_bot("general")) == 1
    assert bot.house.store.read(_count_notices) == 1


def test_what_is_not_understood_is_answered_helpfully_and_kept_nowhere(
    workspace: Workspace, bot: RunningBot
) -> None:
    ts = workspace.say("ana", "general", "@faultbook why is the purple ledger so slow?")
    answer = answer_in(workspace, "general", ts)
    assert "Nothing is recorded yet" in answer["text"]
    assert button_ids(answer) == ["task.make", "ask.failing", "ask.help"]
    assert "purple" not in _everything_stored(bot)


def test_a_time_that_can_not_be_read_is_named(workspace: Workspace, bot: RunningBot) -> None:
    del bot
    ts = workspace.say("ana", "general", "@faultbook what's failing since the flood?")
    answer = answer_in(workspace, "general", ts)
    assert "names no moment" in answer["text"]
    assert "unknown_time" in answer["text"]


def test_what_changed_is_answered(workspace: Workspace, bot: RunningBot) -> None:
    del bot
    ts = workspace.say("ana", "general", "@faultbook what changed since 30 minutes ago?")
    assert "invoice-sync" in answer_in(workspace, "general", ts)["text"]


def test_an_edit_or_a_deletion_asks_nothing(workspace: Workspace, bot: RunningBot) -> None:
    del bot
    ts = workspace.say("ana", "dm", "hm, thanks")
    workspace.edit("ana", "dm", ts, "what's failing?")
    workspace.delete("ana", "dm", ts)
    workspace.say("ana", "dm", "help")
    answers = workspace.wait_for(lambda: workspace.from_bot("dm", user="ana"))
    assert len(answers) == 1
    assert "/failing" in answers[0]["text"]


def test_the_command_is_answered_in_private_and_posted_on_demand(
    workspace: Workspace, bot: RunningBot
) -> None:
    del bot
    assert workspace.slash("ana", "general", "/failing")["acked"]
    private = workspace.wait_for(lambda: workspace.ephemerals("ana"))[0]
    assert "invoice-sync" in private["text"]
    assert "failing.post_here" in button_ids(private)
    assert workspace.from_bot("general") == []

    for _ in range(2):  # a second press posts nothing more
        assert workspace.click("ana", "general", private["ts"], "failing.post_here")["acked"]
    posted = workspace.wait_for(lambda: workspace.from_bot("general"))
    ts = workspace.say("ana", "general", QUESTION)
    answer_in(workspace, "general", ts)
    assert [one["ts"] for one in workspace.from_bot("general") if "thread_ts" not in one] == [
        posted[0]["ts"]
    ]
    assert "failing.post_here" not in button_ids(posted[0])


def test_a_post_that_slack_refuses_is_told_to_who_asked(
    workspace: Workspace, bot: RunningBot
) -> None:
    del bot
    workspace.new_channel("elsewhere", bot=False)
    assert workspace.slash("ana", "elsewhere", "/failing")["acked"]
    private = workspace.wait_for(lambda: workspace.ephemerals("ana"))[0]
    assert workspace.click("ana", "elsewhere", private["ts"], "failing.post_here")["acked"]
    told = workspace.wait_for(lambda: workspace.from_bot("dm", user="ana"))
    assert "not_in_channel" in told[0]["text"]
    assert "Invite me" in told[0]["text"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("failing in prod", "invoice-sync"),
        ("help", "/failing"),
        ("", "/failing"),
        ("what's failing?", "invoice-sync"),
        ("faling", "Nearest: failing"),
        ("deploy everything", "is no verb"),
        ("diff", "nothing to compare"),
        ("diff yesterday", "invoice-sync"),
    ],
)
def test_the_long_command_knows_its_verbs(
    workspace: Workspace, bot: RunningBot, text: str, said: str
) -> None:
    del bot
    assert workspace.slash("ben", "ops", "/faultbook", text)["acked"]
    assert said in workspace.wait_for(lambda: workspace.ephemerals("ben"))[0]["text"]


def test_details_open_at_once_and_lead_to_the_timeline(
    workspace: Workspace, bot: RunningBot
) -> None:
    del bot
    ts = workspace.say("ana", "general", QUESTION)
    answer = answer_in(workspace, "general", ts)
    assert workspace.click("ana", "general", answer["ts"], "failing.details")["acked"]
    details = workspace.wait_for(lambda: workspace.modals("ana"))[0]
    assert details["title"]["text"] == "Details"
    assert workspace.click_view("ana", "timeline.open", view_id=details["id"])["acked"]
    workspace.wait_for(lambda: len(workspace.modals("ana")) == 2)
    assert workspace.modals("ana")[1]["title"]["text"] == "Timeline"


def test_every_series_is_shown_page_by_page(workspace: Workspace, bot: RunningBot) -> None:
    now = system_clock()
    runs = [whole_run(Verdict.FAILED, at=now - n, workflow=f"job-{n:02}") for n in range(45)]
    bot.house.store.write(record_runs, runs)
    ts = workspace.say("ana", "general", QUESTION)
    answer = answer_in(workspace, "general", ts)
    workspace.click("ana", "general", answer["ts"], "failing.show_all")
    first = workspace.wait_for(lambda: workspace.modals("ana"))[0]
    workspace.click_view("ana", "failing.next_page", view_id=first["id"])
    workspace.wait_for(lambda: "Page 2 of 3" in str(workspace.modals("ana")[0]))
    assert len(workspace.modals("ana")) == 1
    workspace.click_view("ana", "failing.previous_page", view_id=first["id"])
    workspace.wait_for(lambda: "Page 1 of 3" in str(workspace.modals("ana")[0]))


def test_other_branches_open_on_demand(workspace: Workspace, bot: RunningBot) -> None:
    record_failing(bot.house.store, "price-feed", branch="release/2")
    ts = workspace.say("ana", "general", QUESTION)
    answer = answer_in(workspace, "general", ts)
    workspace.click("ana", "general", answer["ts"], "failing.branches")
    modal = workspace.wait_for(lambda: workspace.modals("ana"))[0]
    assert "price-feed" in str(modal)


def test_home_shows_what_is_failing_and_opens_details(
    workspace: Workspace, bot: RunningBot
) -> None:
    del bot
    workspace.open_home("ana")
    view = workspace.wait_for(lambda: workspace.home_view("ana"))
    assert "invoice-sync" in str(view)
    workspace.click_view("ana", "failing.details")
    workspace.wait_for(lambda: workspace.modals("ana"))
    workspace.close_modal("ana", everything=True)
    workspace.click_view("ana", "ask.help")
    help_modal = workspace.wait_for(lambda: workspace.modals("ana"))[0]
    assert "/failing" in str(help_modal)
    workspace.click_view("ana", "ask.failing", view_id=help_modal["id"])
    workspace.wait_for(lambda: len(workspace.modals("ana")) == 2)


def test_a_new_channel_is_greeted_once(workspace: Workspace, bot: RunningBot) -> None:
    del bot
    channel = workspace.new_channel("quiet", bot=False)
    me = workspace.bot_user_id
    workspace.post("join", user=me, channel=channel, by="ana")
    greeting = workspace.wait_for(lambda: workspace.from_bot("quiet"))[0]
    assert "I'm Faultbook" in greeting["text"]

    workspace.post("leave", user=me, channel=channel)
    workspace.post("join", user=me, channel=channel, by="ana")
    workspace.click("ana", "quiet", greeting["ts"], "ask.failing")
    workspace.wait_for(lambda: workspace.ephemerals("ana"))
    assert len(workspace.from_bot("quiet")) == 1
    assert "invoice-sync" in workspace.ephemerals("ana")[0]["text"]


def test_a_button_of_another_version_is_answered_politely(
    workspace: Workspace, bot: RunningBot
) -> None:
    del bot
    block = {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "text": {"type": "plain_text", "text": "Old"},
                "action_id": "gone.action",
            },
            {
                "type": "button",
                "text": {"type": "plain_text", "text": "Details"},
                "action_id": "failing.details",
                "value": "[not ours",
            },
        ],
    }
    channel = workspace.channel_id("general")
    ts = workspace.api("chat.postMessage", channel=channel, text="old", blocks=[block])["ts"]
    assert workspace.click("ana", "general", ts, "gone.action")["acked"]
    assert "another version" in workspace.wait_for(lambda: workspace.ephemerals("ana"))[0]["text"]
    assert workspace.click("ana", "general", ts, "failing.details")["acked"]
    workspace.wait_for(lambda: len(workspace.ephemerals("ana")) == 2)


def test_text_from_outside_stays_inert(workspace: Workspace, bot: RunningBot) -> None:
    now = system_clock()
    name = "<!channel> <https://evil.example|safe> `x`"
    bot.house.store.write(record_runs, [whole_run(Verdict.FAILED, at=now, workflow=name)])
    ts = workspace.say("ana", "general", QUESTION)
    answer = answer_in(workspace, "general", ts)
    for shown in texts(answer["blocks"]):
        assert "<!channel>" not in shown["text"]
    assert "<!channel>" not in answer["text"]
    assert "&lt;!channel&gt;" in answer["text"]


def _count_notices(tx: Transaction) -> int:
    return len(tx.execute(notices.select()).all())


def _everything_stored(bot: RunningBot) -> str:
    def read(tx: Transaction) -> str:
        return str([tx.execute(select(table)).all() for table in metadata.sorted_tables])

    return bot.house.store.read(read)
