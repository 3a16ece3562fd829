"""Messages that are tasks, over real sockets: taken once, changed, missed when they are gone."""

import pytest

from faultbook.base.errors import UnavailableError
from faultbook.model.person import Person
from faultbook.model.task import TaskSource, TaskState
from faultbook.operations.tasks import find_task, take_in_hand, take_task
from tests.journeys.running import RunningBot
from tests.journeys.tasking import (
    ASKED,
    TEXT,
    all_tasks,
    card_in,
    kinds,
    private,
    reactions,
    the_task,
    wait_state,
)
from tests.sandbox.driver import Json, Workspace


def test_a_mention_that_asks_for_work_is_a_task_with_a_reaction_and_a_card(
    workspace: Workspace, bot: RunningBot
) -> None:
    ts = workspace.say("ana", "general", ASKED)
    card = card_in(workspace, "general", ts)
    workspace.wait_for(lambda: reactions(workspace, "general", ts) == ["eyes"])
    task = the_task(workspace, bot)
    assert (task.text, task.source, task.state) == (TEXT, TaskSource.MENTION, TaskState.QUEUED)
    assert (task.origin.ts, task.origin.thread_ts) == (ts, ts)
    assert card["thread_ts"] == ts
    assert task.id in card["text"]
    assert workspace.deliveries() == {"ok": True, "unsettled": [], "given_up": []}


def test_whoever_gave_it_is_named_without_the_receipt_waiting_for_that(
    workspace: Workspace, bot: RunningBot
) -> None:
    nina = workspace.new_user("nina")
    workspace.fault("error", method="users.info", error="internal_error", count=1)
    workspace.say("nina", "dm", TEXT)
    workspace.wait_for(lambda: workspace.from_bot("dm", user="nina"))
    assert the_task(workspace, bot).requester == Person(nina, nina)
    # The next time Slack tells, and both are named.
    workspace.say("nina", "dm", TEXT)
    named = [Person(nina, "Nina")] * 2
    workspace.wait_for(lambda: [task.requester for task in all_tasks(bot)] == named)
    workspace.wait_for(lambda: "Nina" in workspace.from_bot("dm", user="nina")[0]["text"])


def test_a_known_name_stands_on_the_first_card(workspace: Workspace, bot: RunningBot) -> None:
    workspace.wait_for(lambda: workspace.wire("users.list"))
    workspace.say("ana", "general", ASKED)
    assert the_task(workspace, bot).requester.name == "Ana Ruiz"


def test_a_direct_message_is_a_task_with_a_plain_card(
    workspace: Workspace, bot: RunningBot
) -> None:
    ts = workspace.say("ana", "dm", TEXT)
    cards = workspace.wait_for(lambda: workspace.from_bot("dm", user="ana"))
    task = the_task(workspace, bot)
    assert (task.source, task.origin.ts, task.origin.thread_ts) == (TaskSource.DIRECT, ts, "")
    assert "thread_ts" not in cards[0]


def test_a_mention_in_a_thread_keeps_its_card_there(workspace: Workspace, bot: RunningBot) -> None:
    parent = workspace.say("ben", "general", "the export looks odd")
    workspace.say("ana", "general", ASKED, thread=parent)
    assert card_in(workspace, "general", parent)["thread_ts"] == parent
    assert the_task(workspace, bot).origin.thread_ts == parent


def test_files_and_addresses_come_with_the_task(workspace: Workspace, bot: RunningBot) -> None:
    file = workspace.upload("ana", "invoices.csv", b"1;2;3")
    said = f"{ASKED} to https://files.example/in?a=1&b=2 and tell @ben"
    workspace.say("ana", "general", said, files=[file])
    task = the_task(workspace, bot)
    assert "https://files.example/in?a=1&b=2" in task.text
    assert task.text.endswith(f"and tell @{workspace.user_id('ben')}")
    assert [link.name for link in task.links] == ["invoices.csv"]
    assert file in task.links[0].url


def test_what_looks_like_a_secret_is_not_kept(workspace: Workspace, bot: RunningBot) -> None:
    workspace.say("ana", "dm", f"{TEXT} with password=hunter2hunter2")
    assert "REDACTED" in the_task(workspace, bot).text


def test_a_message_that_comes_again_is_one_task_with_one_card(
    workspace: Workspace, bot: RunningBot
) -> None:
    workspace.fault("duplicate_events", count=1)
    ts = workspace.say("ana", "general", ASKED)
    card_in(workspace, "general", ts)
    workspace.wait_for(lambda: workspace.deliveries()["unsettled"] == [])
    second = workspace.say("ana", "general", ASKED)
    card_in(workspace, "general", second)
    assert [task.origin.ts for task in all_tasks(bot)] == [second, ts]
    assert len(workspace.from_bot("general", thread=ts)) == 1


def test_a_task_that_is_too_long_is_refused_with_words(
    workspace: Workspace, bot: RunningBot
) -> None:
    ts = workspace.say("ana", "general", f"{ASKED} {'and one more ' * 3200}")
    answer = card_in(workspace, "general", ts, said="task_too_long")
    assert "12,000 are the most" in answer["text"]
    assert all_tasks(bot) == []
    # Nothing is stuck behind it.
    second = workspace.say("ana", "general", ASKED)
    card_in(workspace, "general", second)


def test_an_edit_in_a_direct_conversation_changes_a_queued_task(
    workspace: Workspace, bot: RunningBot
) -> None:
    ts = workspace.say("ana", "dm", TEXT)
    number = the_task(workspace, bot).number
    workspace.edit("ana", "dm", ts, "export the December invoices")
    workspace.wait_for(lambda: "December" in bot.house.store.read(find_task, number).text)
    assert kinds(bot, number) == ["received", "edited"]
    assert len(all_tasks(bot)) == 1


def test_an_edit_that_is_too_long_is_told_and_changes_nothing(
    workspace: Workspace, bot: RunningBot
) -> None:
    ts = workspace.say("ana", "dm", TEXT)
    number = the_task(workspace, bot).number
    workspace.edit("ana", "dm", ts, "more " * 4000)
    assert "keeps the text it had" in private(workspace, "ana", "task_too_long")["text"]
    assert bot.house.store.read(find_task, number).text == TEXT


def test_an_edit_after_the_start_is_told_and_changes_nothing(
    workspace: Workspace, bot: RunningBot
) -> None:
    ts = workspace.say("ana", "dm", TEXT)
    number = the_task(workspace, bot).number
    ben, house = Person(workspace.user_id("ben"), "Ben Okafor"), bot.house
    house.store.write(take_in_hand, number, ben, house.policy, house.routes)
    workspace.edit("ana", "dm", ts, "export the December invoices")
    assert "Your edit was not used" in private(workspace, "ana", "runs already")["text"]
    assert house.store.read(find_task, number).text == TEXT
    assert kinds(bot, number) == ["received", "taken", "edited_too_late"]


def test_an_edited_mention_changes_a_queued_task(workspace: Workspace, bot: RunningBot) -> None:
    ts = workspace.say("ana", "general", ASKED)
    number = the_task(workspace, bot).number
    workspace.edit("ana", "general", ts, "@faultbook export the December invoices")
    workspace.wait_for(lambda: "December" in bot.house.store.read(find_task, number).text)


def test_a_channels_message_is_read_again_while_its_task_waits(
    workspace: Workspace, bot: RunningBot
) -> None:
    parent = workspace.say("ben", "general", "hello")
    ts = workspace.say("ana", "general", ASKED, thread=parent)
    number = the_task(workspace, bot).number
    workspace.edit("ana", "general", ts, "export the December invoices")  # no mention, no event
    workspace.wait_for(
        lambda: bot.house.store.read(find_task, number).text == "export the December invoices",
        timeout=15,
    )


@pytest.mark.parametrize("channel", ["dm", "general"])
def test_a_deleted_message_offers_to_cancel_its_task(
    workspace: Workspace, bot: RunningBot, channel: str
) -> None:
    ts = workspace.say("ana", channel, TEXT if channel == "dm" else ASKED)
    number = the_task(workspace, bot).number
    workspace.wait_for(lambda: bot.house.store.read(find_task, number).card)
    workspace.delete("ana", channel, ts)

    def offered() -> Json | None:
        thread = None if channel == "dm" else ts
        said = workspace.from_bot(channel, thread=thread, user="ana")
        return next((one for one in said if "was deleted" in one["text"]), None)

    offer = workspace.wait_for(offered, timeout=15)
    assert offer is not None
    assert workspace.click("ana", channel, offer["ts"], "task.keep")["acked"]
    private(workspace, "ana", f"T-{number} stays")
    assert workspace.click("ana", channel, offer["ts"], "task.cancel")["acked"]
    wait_state(workspace, bot, number, TaskState.CANCELLED)
    assert kinds(bot, number) == ["received", "message_deleted", "kept", "cancelled"]


def test_a_bug_after_the_commit_says_that_the_message_is_kept(
    workspace: Workspace, bot: RunningBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("faultbook.intake.slack.task_messages.learn_name", fail)
    ts = workspace.say("ana", "general", ASKED)
    task = the_task(workspace, bot)
    assert f"kept as {task.id}; don't resend" in private(workspace, "ana", "failed")["text"]
    card_in(workspace, "general", ts)
    assert workspace.deliveries()["unsettled"] == []


def test_while_the_store_is_away_nothing_is_acknowledged_and_then_it_is_one_task(
    workspace: Workspace, bot: RunningBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, away = bot.house.store, [1]
    write = store.write_async

    async def write_or_not(operation: object, *args: object, **kwargs: object) -> object:
        if operation is take_task and away.pop() if away else False:
            raise UnavailableError("away", code="store_unavailable")
        return await write(operation, *args, **kwargs)  # type: ignore[arg-type] # as it was called

    monkeypatch.setattr(store, "write_async", write_or_not)
    ts = workspace.say("ana", "general", ASKED)
    workspace.wait_for(lambda: not away)
    workspace.wait_for(workspace.retry_now)
    card_in(workspace, "general", ts)
    assert the_task(workspace, bot).origin.ts == ts
