"""Other ways to a task: an unclear message, a command, a shortcut, Home; and asking for them."""

from faultbook.model.task import TaskSource
from tests.journeys.running import RunningBot
from tests.journeys.tasking import TEXT, all_tasks, card_in, private, reactions, the_task
from tests.sandbox.driver import Workspace


def test_what_is_unclear_becomes_a_task_by_its_button_once(
    workspace: Workspace, bot: RunningBot
) -> None:
    ts = workspace.say("ana", "general", "@faultbook could the purple ledger go to Ben?")
    answer = card_in(workspace, "general", ts, said="question or a task")
    for _ in range(2):
        assert workspace.click("ben", "general", answer["ts"], "task.make")["acked"]
    task = the_task(workspace, bot)
    assert (task.text, task.source) == (
        "could the purple ledger go to Ben?",
        TaskSource.BUTTON,
    )
    assert task.requester.id == workspace.user_id("ana")
    private(workspace, "ben", f"is {task.id} already")
    workspace.wait_for(lambda: reactions(workspace, "general", ts) == ["eyes"])
    assert len(all_tasks(bot)) == 1


def test_an_unclear_message_that_is_gone_makes_no_task(
    workspace: Workspace, bot: RunningBot
) -> None:
    ts = workspace.say("ana", "dm", "could the purple ledger go to Ben?")
    answer = workspace.wait_for(lambda: workspace.from_bot("dm", user="ana"))[0]
    workspace.delete("ana", "dm", ts)
    assert workspace.click("ana", "dm", answer["ts"], "task.make")["acked"]
    private(workspace, "ana", "message_gone")
    assert all_tasks(bot) == []


def test_a_command_gives_a_task_and_lists_those_that_are_open(
    workspace: Workspace, bot: RunningBot
) -> None:
    assert workspace.slash("ana", "general", "/faultbook", f"task {TEXT}")["acked"]
    task = the_task(workspace, bot)
    private(workspace, "ana", f"Got it: {task.id}")
    assert (task.text, task.source, task.origin.ts) == (TEXT, TaskSource.COMMAND, "")
    assert task.id in workspace.wait_for(lambda: workspace.from_bot("general"))[0]["text"]
    assert workspace.slash("ben", "general", "/faultbook", "tasks")["acked"]
    assert task.id in private(workspace, "ben", "task is open")["text"]
    for asked in (f"status of {task.id}", f"task {task.id}"):
        assert workspace.slash("chris", "general", "/faultbook", asked)["acked"]
    workspace.wait_for(lambda: len(workspace.ephemerals("chris")) == 2)
    assert all("waits for a taker" in one["text"] for one in workspace.ephemerals("chris"))
    assert workspace.slash("ben", "general", "/faultbook", "task")["acked"]
    private(workspace, "ben", "task_empty")


def test_a_mistyped_verb_is_no_task(workspace: Workspace, bot: RunningBot) -> None:
    assert workspace.slash("ana", "general", "/faultbook", "export everything")["acked"]
    private(workspace, "ana", "is no verb")
    assert workspace.slash("ana", "general", "/failing", "export everything")["acked"]
    unclear = private(workspace, "ana", "question or a task")
    assert "task.make" not in str(unclear["blocks"])
    assert all_tasks(bot) == []


def test_the_shortcut_makes_a_message_a_task_of_who_used_it(
    workspace: Workspace, bot: RunningBot
) -> None:
    ts = workspace.say("ana", "general", "the November invoices are still missing")
    for _ in range(2):
        assert workspace.shortcut("ben", "make_task", "general", ts)["acked"]
    task = the_task(workspace, bot)
    assert (task.source, task.requester.name) == (TaskSource.SHORTCUT, "Ben Okafor")
    assert task.text == "the November invoices are still missing"
    card_in(workspace, "general", ts)
    private(workspace, "ben", f"is {task.id} already")


def test_status_and_list_are_answered_where_they_are_asked(
    workspace: Workspace, bot: RunningBot
) -> None:
    workspace.say("ana", "dm", TEXT)
    task = the_task(workspace, bot)
    ts = workspace.say("ben", "general", f"@faultbook status of {task.id}")
    assert TEXT in card_in(workspace, "general", ts, said=task.id)["text"]
    ts = workspace.say("ben", "general", "@faultbook what are you doing?")
    card_in(workspace, "general", ts, said="1 task is open")
    ts = workspace.say("ben", "general", "@faultbook status of T-404")
    card_in(workspace, "general", ts, said="task_not_found")


def test_home_lists_my_tasks_and_gives_new_ones(workspace: Workspace, bot: RunningBot) -> None:
    workspace.open_home("ana")
    workspace.wait_for(lambda: "You have no open task." in str(workspace.home_view("ana")))
    assert workspace.click_view("ana", "task.new")["acked"]
    workspace.wait_for(lambda: workspace.modals("ana"))
    assert workspace.submit("ana", {"text": TEXT})["outcome"] == "closed"
    task = the_task(workspace, bot)
    assert task.origin.channel == workspace.channel_id("dm", "ana")
    workspace.wait_for(lambda: workspace.from_bot("dm", user="ana"))

    workspace.open_home("ana")
    workspace.wait_for(lambda: task.id in str(workspace.home_view("ana")))
    assert workspace.click_view("ana", "task.details")["acked"]
    workspace.wait_for(lambda: workspace.modals("ana"))


def test_a_new_task_goes_to_channels_only_that_the_bot_is_in(
    workspace: Workspace, bot: RunningBot
) -> None:
    elsewhere = workspace.new_channel("elsewhere", bot=False)
    workspace.open_home("ana")
    workspace.wait_for(lambda: workspace.home_view("ana"))
    workspace.click_view("ana", "task.new")
    workspace.wait_for(lambda: workspace.modals("ana"))
    refused = workspace.submit("ana", {"text": TEXT, "channel": elsewhere})
    assert "I am not in that channel" in refused["errors"]["channel"]
    assert workspace.submit("ana", {"channel": workspace.channel_id("ops")})["outcome"] == "closed"
    task = the_task(workspace, bot)
    assert task.origin.channel == workspace.channel_id("ops")
    assert task.id in workspace.wait_for(lambda: workspace.from_bot("ops"))[0]["text"]


def test_a_task_given_where_the_bot_is_not_has_its_card_in_the_direct_conversation(
    workspace: Workspace, bot: RunningBot
) -> None:
    workspace.new_channel("elsewhere", bot=False)
    direct = workspace.channel_id("dm", "ana")
    assert workspace.slash("ana", "elsewhere", "/faultbook", f"task {TEXT}")["acked"]
    assert the_task(workspace, bot).origin.channel == direct
    private(workspace, "ana", "in our direct conversation")
    workspace.wait_for(lambda: len(workspace.from_bot("dm", user="ana")) == 1)

    ts = workspace.say("ben", "elsewhere", "the November invoices are missing")
    for _ in range(2):
        assert workspace.shortcut("ana", "make_task", "elsewhere", ts)["acked"]
    workspace.wait_for(lambda: len(workspace.from_bot("dm", user="ana")) == 2)
    private(workspace, "ana", "That came before")
    assert [task.origin.channel for task in all_tasks(bot)] == [direct, direct]
