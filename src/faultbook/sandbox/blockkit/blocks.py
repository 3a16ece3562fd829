"""The blocks: what each must and may hold, and on which surface it may stand."""

from collections.abc import Mapping

from faultbook.sandbox.blockkit import elements as el
from faultbook.sandbox.blockkit.report import (
    Check,
    Problem,
    anything,
    array,
    boolean,
    by_type,
    either,
    enum,
    integer,
    record,
    report,
    string,
)

_BUTTONS: dict[str, Check] = {"button": el.BUTTON, "workflow_button": anything}
_INTERACTIVE: dict[str, Check] = {
    **_BUTTONS,
    **el.SELECTS,
    **el.PICKERS,
    **el.CHOICES,
    "overflow": el.OVERFLOW,
}
_INPUTS: dict[str, Check] = {
    **el.SELECTS,
    **el.PICKERS,
    **el.CHOICES,
    "plain_text_input": el.TEXT_INPUT,
    "rich_text_input": el.RICH_INPUT,
}
_CONTEXT: dict[str, Check] = {
    "image": el.IMAGE,
    "plain_text": el.plain(3000),
    "mrkdwn": el.text(3000),
}
_RICH = by_type(
    {
        kind: record({"elements": array(record({}, more=True))}, more=True)
        for kind in (
            "rich_text_section",
            "rich_text_list",
            "rich_text_preformatted",
            "rich_text_quote",
        )
    }
)


def _block(needed: Mapping[str, Check], allowed: Mapping[str, Check] | None = None) -> Check:
    return record(needed, {**(allowed or {}), "block_id": el.ID})


def _loose(**needed: Check) -> Check:
    return record(needed, {"block_id": el.ID}, more=True)


def _section(value: object, pointer: str, problems: list[Problem]) -> None:
    _SECTION(value, pointer, problems)
    if isinstance(value, dict) and not value.get("text") and not value.get("fields"):
        report(problems, pointer, "must define either text or fields", "required", "text")


_SECTION = _block(
    {},
    {
        "text": el.text(3000),
        "fields": array(el.text(2000), least=1, most=10),
        "accessory": by_type({**_INTERACTIVE, "image": el.IMAGE}),
        "expand": boolean,
    },
)
_IMAGE = either(
    "image_url",
    "slack_file",
    _block(
        {"alt_text": string(most=2000)},
        {
            "image_url": el.URL,
            "slack_file": record({}, {"id": el.ID, "url": el.URL}),
            "title": el.plain(2000),
        },
    ),
)


def _input(inputs: Mapping[str, Check]) -> Check:
    return _block(
        {"label": el.plain(2000), "element": by_type(inputs)},
        {"hint": el.plain(2000), "optional": boolean, "dispatch_action": boolean},
    )


_EVERYWHERE: dict[str, Check] = {
    "section": _section,
    "divider": _block({}),
    "header": _block({"text": el.plain(150)}, {"level": integer(1, 4)}),
    "context": _block({"elements": array(by_type(_CONTEXT), least=1, most=10)}),
    "actions": _block({"elements": array(by_type(_INTERACTIVE), least=1, most=25)}),
    "image": _IMAGE,
    "input": _input(_INPUTS),
    "rich_text": _block({"elements": array(_RICH)}),
    "video": _loose(video_url=el.URL, thumbnail_url=el.URL, alt_text=string(), title=el.plain(200)),
}
_CARD = _loose()
_MESSAGE_ONLY: dict[str, Check] = {
    "markdown": _block({"text": string(most=12_000, least=1)}),
    "table": _loose(rows=array(array(anything, most=20), least=1, most=100)),
    "data_table": _loose(caption=string(), rows=array(anything, least=1, most=101)),
    "context_actions": _block(
        {"elements": array(by_type(el.CONTEXT_ACTIONS), least=1, most=5)},
    ),
    "task_card": _loose(
        task_id=string(),
        title=string(),
        status=enum("pending", "in_progress", "complete", "error"),
    ),
    "plan": _loose(title=string()),
    "file": _loose(external_id=string(), source=string()),
}
_NOT_IN_MODALS: dict[str, Check] = {
    "card": _CARD,
    "carousel": _loose(elements=array(_CARD, least=1, most=10)),
    "container": _loose(children=array(anything, most=10)),
    "data_visualization": _loose(),
}

MESSAGE = by_type({**_EVERYWHERE, **_MESSAGE_ONLY, **_NOT_IN_MODALS})
HOME = by_type({**_EVERYWHERE, **_NOT_IN_MODALS})
MODAL = by_type({**_EVERYWHERE, "input": _input({**_INPUTS, **el.MODAL_INPUTS}), "alert": _loose()})
