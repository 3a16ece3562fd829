"""Whole messages and views: counts, and the rules that go across blocks."""

import json
from collections.abc import Iterator

from faultbook.sandbox.blockkit import blocks as bl
from faultbook.sandbox.blockkit import elements as el
from faultbook.sandbox.blockkit.report import (
    Check,
    Problem,
    array,
    boolean,
    by_type,
    record,
    report,
    string,
)
from faultbook.sandbox.kinds import Json, as_dict, as_list

_MARKDOWN_MOST = 12_000
_VIEW_BLOCKS = 100
_MESSAGE = array(bl.MESSAGE, most=50)


def check_message(blocks: object, pointer: str = "/blocks") -> list[Problem]:
    """Checks the blocks of a message."""
    problems: list[Problem] = []
    _MESSAGE(blocks, pointer, problems)
    _across(as_list(blocks), pointer, problems)
    kinds = [as_dict(block).get("type") for block in as_list(blocks)]
    for kind, most in (("table", 1), ("data_visualization", 2)):
        if kinds.count(kind) > most:
            report(problems, pointer, f"no more than {most} {kind} allowed", "max_items", most)
    written = sum(len(str(one.get("text", ""))) for one in _of_type(blocks, "markdown"))
    if written > _MARKDOWN_MOST:
        words = f"markdown must be less than {_MARKDOWN_MOST + 1} characters in all"
        report(problems, pointer, words, "max_length", _MARKDOWN_MOST)
    return problems


def _of_type(blocks: object, kind: str) -> list[Json]:
    return [one for one in map(as_dict, as_list(blocks)) if one.get("type") == kind]


def _view(block: Check, *, modal: bool) -> Check:
    needed: dict[str, Check] = {"blocks": array(block, most=_VIEW_BLOCKS)}
    title: dict[str, Check] = {"title": el.plain(24)}
    allowed: dict[str, Check] = {
        "submit": el.plain(24),
        "close": el.plain(24),
        "private_metadata": string(most=3000),
        "callback_id": el.ID,
        "external_id": el.ID,
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    }
    if modal:
        return record({**needed, **title}, allowed)
    return record(needed, {**title, **allowed})


_VIEW = {"modal": _view(bl.MODAL, modal=True), "home": _view(bl.HOME, modal=False)}


def check_view(view: object, pointer: str = "/view", kinds: tuple[str, ...] = ()) -> list[Problem]:
    """Checks a modal or Home view.

    Args:
        view: The view.
        pointer: Where it stands.
        kinds: The view types that are allowed here; all without any.
    """
    problems: list[Problem] = []
    by_type({kind: _VIEW[kind] for kind in kinds or _VIEW})(view, pointer, problems)
    blocks = as_list(as_dict(view).get("blocks"))
    _across(blocks, f"{pointer}/blocks", problems)
    has_input = bool(_of_type(blocks, "input"))
    if as_dict(view).get("type") == "modal" and has_input and not as_dict(view).get("submit"):
        report(problems, pointer, "missing required field: submit", "required", "submit")
    return problems


def _across(blocks: list[object], pointer: str, problems: list[Problem]) -> None:
    seen: set[str] = set()
    focused = 0
    for number, block in enumerate(map(as_dict, blocks)):
        block_id = block.get("block_id")
        if isinstance(block_id, str) and block_id in seen:
            words = f"`block_id` already exists: {block_id}"
            report(problems, f"{pointer}/{number}/block_id", words, "unique", "block_id")
        if isinstance(block_id, str):
            seen.add(block_id)
        actions: set[str] = set()
        for where, element in _elements(block):
            focused += element.get("focus_on_load") is True
            action_id = element.get("action_id")
            if isinstance(action_id, str) and action_id in actions:
                words = f"`action_id` already exists: {action_id}"
                report(problems, f"{pointer}/{number}{where}", words, "unique", "action_id")
            if isinstance(action_id, str):
                actions.add(action_id)
    if focused > 1:
        report(problems, pointer, "only one focus_on_load allowed", "unique", "focus_on_load")


def _elements(block: Json) -> Iterator[tuple[str, Json]]:
    for number, one in enumerate(as_list(block.get("elements"))):
        yield f"/elements/{number}", as_dict(one)
    for name in ("accessory", "element"):
        if name in block:
            yield f"/{name}", as_dict(block[name])


def text_length(blocks: object) -> int:
    """Counts the characters a reader sees in blocks."""
    total = 0
    for block in as_list(blocks):
        total += sum(len(words) for words in _words(block))
    return total


def _words(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _words(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name == "text" and isinstance(one, str):
                yield one
            else:
                yield from _words(one)


def size(view: Json) -> int:
    """Measures a view in bytes."""
    return len(json.dumps(view, ensure_ascii=False).encode())
