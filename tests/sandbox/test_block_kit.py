"""Block Kit's limits, per surface, and the shapes of refusals."""

from typing import Any

import pytest
from tests.sandbox.driver import Json, Workspace

from faultbook.sandbox.blockkit import check_message, check_view, text_length


def words(kind: str, length: int) -> Json:
    return {"type": kind, "text": "x" * length}


def section(length: int = 1, **more: object) -> Json:
    return {"type": "section", "text": words("mrkdwn", length), **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def button(text: int = 2, **more: object) -> Json:
    return {"type": "button", "text": words("plain_text", text), **more}


def option(text: int = 2, value: int = 2) -> Json:
    return {"text": words("plain_text", text), "value": "v" * value}


def select(count: int, **more: object) -> Json:
    return {"type": "static_select", "options": [option()] * count, **more}


def context(count: int) -> Json:
    return {"type": "context", "elements": [words("mrkdwn", 1)] * count}


def entry(element: Json, label: int = 5) -> Json:
    return {"type": "input", "label": words("plain_text", label), "element": element}


TEXT = {"type": "plain_text_input"}
CONFIRM = {"title": words("plain_text", 100), "text": words("mrkdwn", 300)}

AT_THE_LIMIT: dict[str, list[Json]] = {
    "50 blocks": [section()] * 50,
    "section text 3000": [section(3000)],
    "10 fields": [{"type": "section", "fields": [words("mrkdwn", 2000)] * 10}],
    "expand": [section(expand=True)],
    "header 150": [{"type": "header", "text": words("plain_text", 150)}],
    "10 context elements": [context(10)],
    "25 actions": [actions(*[button()] * 25)],
    "button text 75": [actions(button(75, value="v" * 2000, action_id="a" * 255))],
    "accessibility label 75": [actions(button(accessibility_label="l" * 75))],
    "confirm": [actions(button(confirm=CONFIRM))],
    "100 options": [actions(select(100))],
    "overflow 5": [actions({"type": "overflow", "options": [option(75, 150)] * 5})],
    "10 radio buttons": [actions({"type": "radio_buttons", "options": [option()] * 10})],
    "image": [{"type": "image", "image_url": "https://x/" + "a" * 2990, "alt_text": "a" * 2000}],
    "input": [entry(TEXT, 2000)],
    "divider": [{"type": "divider", "block_id": "b" * 255}],
    "rich text": [{"type": "rich_text", "elements": []}],
    "markdown": [{"type": "markdown", "text": "x" * 12_000}],
}
PAST_THE_LIMIT: dict[str, tuple[list[Json], str]] = {
    "51 blocks": ([section()] * 51, "/blocks"),
    "section text 3001": ([section(3001)], "/blocks/0/text/text"),
    "empty text": ([section(0)], "/blocks/0/text/text"),
    "section without text": ([{"type": "section"}], "/blocks/0"),
    "11 fields": ([{"type": "section", "fields": [words("mrkdwn", 1)] * 11}], "/blocks/0/fields"),
    "field 2001": (
        [{"type": "section", "fields": [words("mrkdwn", 2001)]}],
        "/blocks/0/fields/0/text",
    ),
    "header 151": ([{"type": "header", "text": words("plain_text", 151)}], "/blocks/0/text/text"),
    "header in mrkdwn": ([{"type": "header", "text": words("mrkdwn", 5)}], "/blocks/0/text/type"),
    "11 context elements": ([context(11)], "/blocks/0/elements"),
    "26 actions": ([actions(*[button()] * 26)], "/blocks/0/elements"),
    "no actions": ([actions()], "/blocks/0/elements"),
    "button text 76": ([actions(button(76))], "/blocks/0/elements/0/text/text"),
    "button value 2001": ([actions(button(value="v" * 2001))], "/blocks/0/elements/0/value"),
    "button style": ([actions(button(style="green"))], "/blocks/0/elements/0/style"),
    "action id 256": ([actions(button(action_id="a" * 256))], "/blocks/0/elements/0/action_id"),
    "confirm title 101": (
        [actions(button(confirm={**CONFIRM, "title": words("plain_text", 101)}))],
        "/blocks/0/elements/0/confirm/title/text",
    ),
    "101 options": ([actions(select(101))], "/blocks/0/elements/0/options"),
    "options and groups": ([actions(select(1, option_groups=[]))], "/blocks/0/elements/0"),
    "option text 76": (
        [actions({"type": "static_select", "options": [option(76)]})],
        "/blocks/0/elements/0/options/0/text/text",
    ),
    "option value 151": (
        [actions({"type": "static_select", "options": [option(2, 151)]})],
        "/blocks/0/elements/0/options/0/value",
    ),
    "overflow 6": (
        [actions({"type": "overflow", "options": [option()] * 6})],
        "/blocks/0/elements/0/options",
    ),
    "11 checkboxes": (
        [actions({"type": "checkboxes", "options": [option()] * 11})],
        "/blocks/0/elements/0/options",
    ),
    "unknown block": ([{"type": "shout"}], "/blocks/0/type"),
    "unknown element": ([actions({"type": "lever"})], "/blocks/0/elements/0/type"),
    "unknown field": ([section(colour="red")], "/blocks/0"),
    "no type": ([{"text": "x"}], "/blocks/0"),
    "image without alt": ([{"type": "image", "image_url": "https://x/a"}], "/blocks/0"),
    "block id twice": (
        [section(block_id="a"), section(block_id="a")],
        "/blocks/1/block_id",
    ),
    "action id twice in a block": (
        [actions(button(action_id="a"), button(action_id="a"))],
        "/blocks/0/elements/1",
    ),
    "two focused": (
        [entry({**TEXT, "focus_on_load": True}), entry({**TEXT, "focus_on_load": True})],
        "/blocks",
    ),
    "modal-only input": ([entry({"type": "email_text_input"})], "/blocks/0/element/type"),
    "alert": ([{"type": "alert"}], "/blocks/0/type"),
    "two tables": ([{"type": "table", "rows": [["a"]]}] * 2, "/blocks"),
    "markdown in sum": ([{"type": "markdown", "text": "x" * 6001}] * 2, "/blocks"),
    "placeholder 151": (
        [actions(select(1, placeholder=words("plain_text", 151)))],
        "/blocks/0/elements/0/placeholder/text",
    ),
}


@pytest.mark.parametrize("name", AT_THE_LIMIT)
def test_a_message_at_the_limit_passes(name: str) -> None:
    assert check_message(AT_THE_LIMIT[name]) == []


@pytest.mark.parametrize("name", PAST_THE_LIMIT)
def test_a_message_past_the_limit_is_refused_where_it_is_wrong(name: str) -> None:
    blocks, pointer = PAST_THE_LIMIT[name]
    assert pointer in [one.pointer for one in check_message(blocks)]


def modal(*blocks: Json, **more: Any) -> Json:  # noqa: ANN401 - JSON of any kind
    return {"type": "modal", "title": words("plain_text", 24), "blocks": list(blocks), **more}


SUBMIT = {"submit": words("plain_text", 24)}
GOOD_VIEWS: dict[str, Json] = {
    "100 blocks": modal(*[section()] * 100),
    "input with submit": modal(entry(TEXT), **SUBMIT),
    "modal-only inputs": modal(entry({"type": "url_text_input"}), {"type": "alert"}, **SUBMIT),
    "private metadata": modal(private_metadata="m" * 3000, callback_id="c" * 255),
    "home": {"type": "home", "blocks": [section()] * 100},
    "empty home": {"type": "home", "blocks": []},
}
BAD_VIEWS: dict[str, tuple[Json, str]] = {
    "101 blocks": (modal(*[section()] * 101), "/view/blocks"),
    "input without submit": (modal(entry(TEXT)), "/view"),
    "title 25": ({**modal(), "title": words("plain_text", 25)}, "/view/title/text"),
    "no title": ({"type": "modal", "blocks": []}, "/view"),
    "submit 25": (modal(submit=words("plain_text", 25)), "/view/submit/text"),
    "private metadata 3001": (modal(private_metadata="m" * 3001), "/view/private_metadata"),
    "callback id 256": (modal(callback_id="c" * 256), "/view/callback_id"),
    "markdown in a modal": (modal({"type": "markdown", "text": "x"}), "/view/blocks/0/type"),
    "table in Home": (
        {"type": "home", "blocks": [{"type": "table", "rows": [["a"]]}]},
        "/view/blocks/0/type",
    ),
    "alert in Home": ({"type": "home", "blocks": [{"type": "alert"}]}, "/view/blocks/0/type"),
    "no view": ({"type": "dialog"}, "/view/type"),
}


@pytest.mark.parametrize("name", GOOD_VIEWS)
def test_a_view_at_the_limit_passes(name: str) -> None:
    assert check_view(GOOD_VIEWS[name]) == []


@pytest.mark.parametrize("name", BAD_VIEWS)
def test_a_view_past_the_limit_is_refused_where_it_is_wrong(name: str) -> None:
    view, pointer = BAD_VIEWS[name]
    assert pointer in [one.pointer for one in check_view(view)]


def test_the_characters_a_reader_sees_are_counted() -> None:
    blocks = [section(10), actions(button(5, value="not seen")), context(3)]
    assert text_length(blocks) == 18


def test_a_refusal_names_every_problem_in_words(slack: Workspace) -> None:
    blocks = [section(3001), {"type": "shout"}]
    answer = slack.api("chat.postMessage", channel="general", text="x", blocks=blocks)
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == [
        "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
        "[ERROR] unsupported type: shout [json-pointer:/blocks/1/type]",
    ]


def test_blocks_with_more_than_13000_characters_are_too_long(slack: Workspace) -> None:
    blocks = [section(2700)] * 5
    answer = slack.api("chat.postMessage", channel="general", text="x", blocks=blocks)
    assert answer["error"] == "msg_blocks_too_long"


def test_blocks_validate_answers_in_its_own_shape(slack: Workspace) -> None:
    bad = [{"type": "section", "text": {"type": "invalid", "text": "x"}}]
    answer = slack.api("blocks.validate", token="", blocks=bad)
    assert answer["error"] == "invalid_blocks"
    error = answer["errors"][0]
    assert error["code"] == "failed_constraint"
    assert error["pointer"] == "/0/text/type"
    assert error["constraint"] == {"type": "enum", "expected": ["mrkdwn", "plain_text"]}
    assert slack.api("blocks.validate", message={"blocks": [section()]}) == {"ok": True}
    assert slack.api("blocks.validate", view=modal(entry(TEXT)))["error"] == "invalid_view"
    neither = slack.api("blocks.validate")
    assert neither["error"] == "invalid_arguments"


def test_a_view_of_more_than_250_kilobytes_is_too_large(slack: Workspace) -> None:
    view = {"type": "home", "blocks": [section(3000)] * 90}
    answer = slack.api("views.publish", user_id=slack.user_id("ana"), view=view)
    assert answer["error"] == "view_too_large"
