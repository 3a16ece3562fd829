"""Modals and Home: stacks, submissions, hashes, and the triggers that open them."""

from tests.sandbox.bots import Bot
from tests.sandbox.driver import Workspace
from tests.sandbox.recorder import RULE, Recorder, actions, button, entry, modal, post


def test_a_modal_opens_complains_and_closes(slack: Workspace, bot: Bot, recorder: Recorder) -> None:
    del bot
    ts = post(slack, actions(button("go")))
    recorder.open = RULE
    slack.click("ana", "general", ts, "go")
    recorder.open = None
    view = slack.modals("ana")[0]
    assert (view["callback_id"], view["private_metadata"]) == ("rule", "kept")
    empty = slack.submit("ana")
    assert empty["errors"] == {"rule": "Please complete this required field."}
    assert not [one for one in recorder.bodies if one["type"] == "view_submission"]
    recorder.ack = {"response_action": "errors", "errors": {"rule": "too vague"}}
    assert slack.submit("ana", {"rule": "be careful"})["outcome"] == "errors"
    assert slack.modal_errors("ana") == {"rule": "too vague"}
    body = recorder.last("view_submission")
    assert {"type", "team", "user", "api_app_id", "token", "trigger_id", "view"} <= set(body)
    assert body["response_urls"] == []
    assert set(body["view"]) >= {
        "id",
        "team_id",
        "type",
        "blocks",
        "private_metadata",
        "callback_id",
        "state",
        "hash",
        "title",
        "submit",
        "close",
        "root_view_id",
        "previous_view_id",
        "app_id",
        "external_id",
        "bot_id",
    }
    assert body["view"]["state"]["values"]["rule"]["rule_field"] == {
        "type": "plain_text_input",
        "value": "be careful",
    }
    assert body["view"]["state"]["values"]["note"]["note_field"]["value"] is None
    recorder.ack = {}
    assert slack.submit("ana", {"rule_field": "when X, do Y"})["outcome"] == "closed"
    assert slack.modals("ana") == []


def test_a_submission_can_update_push_and_clear(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    ts = post(slack, actions(button("go")))
    recorder.open = RULE
    slack.click("ana", "general", ts, "go")
    recorder.open = None
    second = modal("second", entry("more"))
    recorder.ack = {"response_action": "update", "view": second}
    before = slack.modals("ana")[0]
    assert slack.submit("ana", {"rule": "x"})["outcome"] == "updated"
    after = slack.modals("ana")[0]
    assert after["id"] == before["id"]
    assert after["hash"] != before["hash"]
    recorder.ack = {"response_action": "push", "view": modal("third", entry("x"))}
    assert slack.submit("ana", {"more": "x"})["outcome"] == "pushed"
    top = slack.modals("ana")[-1]
    assert (top["previous_view_id"], top["root_view_id"]) == (after["id"], after["id"])
    recorder.ack = {"response_action": "clear"}
    assert slack.submit("ana", {"x": "x"})["outcome"] == "cleared"
    assert slack.modals("ana") == []


def test_errors_for_fields_that_are_not_there_fail_the_submission(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    ts = post(slack, actions(button("go")))
    recorder.open = RULE
    slack.click("ana", "general", ts, "go")
    recorder.open = None
    recorder.ack = {"response_action": "errors", "errors": {"nowhere": "no"}}
    answer = slack.submit("ana", {"rule": "x"})
    assert answer["outcome"] == "failed"
    assert len(slack.modals("ana")) == 1


def test_a_stack_holds_three_modals(slack: Workspace, bot: Bot, recorder: Recorder) -> None:
    del bot
    ts = post(slack, actions(button("go")))
    recorder.open = modal("first", actions(button("deeper")), submit=None)
    slack.click("ana", "general", ts, "go")
    recorder.open, recorder.push = None, modal("next", actions(button("deeper")), submit=None)
    for _ in range(3):
        slack.click_view("ana", "deeper", view_id=slack.modals("ana")[-1]["id"])
    assert len(slack.modals("ana")) == 3
    assert "push_limit_reached" in recorder.error
    body = recorder.last("block_actions")
    assert body["container"] == {"type": "view", "view_id": slack.modals("ana")[-1]["id"]}
    assert "response_url" not in body
    assert "message" not in body


def test_a_trigger_works_once_and_for_three_seconds(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    slack.slash("ana", "general", "/failing")
    trigger = recorder.last()["trigger_id"]
    view = modal("m", entry("x"))
    assert slack.api("views.open", trigger_id=trigger, view=view)["ok"]
    again = slack.api("views.open", trigger_id=trigger, view=view)
    assert again["error"] == "exchanged_trigger_id"
    assert slack.api("views.open", trigger_id="1.2.3", view=view)["error"] == "invalid_trigger_id"
    slack.slash("ana", "general", "/failing")
    slack.advance(3.1)
    late = slack.api("views.open", trigger_id=recorder.last()["trigger_id"], view=view)
    assert late["error"] == "expired_trigger_id"


def test_a_stale_hash_and_a_closed_view_are_refused(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    slack.slash("ana", "general", "/failing")
    view = modal("m", entry("x"), external_id="only-one")
    opened = slack.api("views.open", trigger_id=recorder.last()["trigger_id"], view=view)["view"]
    updated = slack.api("views.update", view_id=opened["id"], view=view, hash=opened["hash"])
    assert updated["ok"]
    stale = slack.api("views.update", view_id=opened["id"], view=view, hash=opened["hash"])
    assert stale["error"] == "hash_conflict"
    assert slack.api("views.update", external_id="only-one", view=view)["ok"]
    slack.slash("ben", "general", "/failing")
    twice = slack.api("views.open", trigger_id=recorder.last()["trigger_id"], view=view)
    assert twice["error"] == "duplicate_external_id"
    slack.close_modal("ana")
    gone = slack.api("views.update", view_id=opened["id"], view=view)
    assert gone["error"] == "not_found"


def test_closing_is_told_only_to_those_that_asked(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    for notify in (False, True):
        slack.slash("ana", "general", "/failing")
        view = modal("m", entry("x"), notify_on_close=notify)
        slack.api("views.open", trigger_id=recorder.last()["trigger_id"], view=view)
        recorder.bodies.clear()
        slack.close_modal("ana")
        assert len(recorder.bodies) == int(notify)
    body = recorder.last("view_closed")
    assert body["is_cleared"] is False
    assert "trigger_id" not in body


def test_home_is_opened_published_and_clicked(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    ana = slack.user_id("ana")
    view = {"type": "home", "blocks": [actions(button("refresh"))]}
    first = slack.api("views.publish", user_id=ana, view=view)["view"]
    second = slack.api("views.publish", user_id=ana, view=view, hash=first["hash"])["view"]
    assert second["id"] == first["id"]
    stale = slack.api("views.publish", user_id=ana, view=view, hash=first["hash"])
    assert stale["error"] == "hash_conflict"
    slack.click_view("ana", "refresh")
    assert recorder.last("block_actions")["view"]["id"] == first["id"]
    wrong = slack.api("views.publish", user_id=ana, view=modal("m", entry("x")))
    assert wrong["error"] == "invalid_arguments"


def test_a_chosen_file_comes_with_its_record(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    ts = post(slack, actions(button("go")))
    recorder.open = modal("evidence", entry("files", "file_input", max_files=2))
    slack.click("ana", "general", ts, "go")
    recorder.open = None
    assert slack.submit("ana")["outcome"] == "errors"
    file = slack.upload("ana", "report.pdf", b"%PDF")
    assert slack.submit("ana", {"files": [file]})["outcome"] == "closed"
    values = recorder.last("view_submission")["view"]["state"]["values"]
    given = values["files"]["files_field"]
    assert given["type"] == "file_input"
    assert (given["files"][0]["id"], given["files"][0]["size"]) == (file, 4)
    assert given["files"][0]["url_private_download"].endswith("/download/report.pdf")
