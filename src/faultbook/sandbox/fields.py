"""Interactive elements: finding them, reading what a person chose, and the state they make."""

import re
from collections.abc import Iterator

from faultbook.sandbox.errors import SlackError, bad_arguments
from faultbook.sandbox.kinds import Json, as_dict, as_list

_TEXTS = {"plain_text_input", "email_text_input", "url_text_input", "number_input"}
_ONE_OPTION = {"static_select", "external_select", "radio_buttons"}
_MANY_OPTIONS = {"multi_static_select", "multi_external_select", "checkboxes"}
_PLAIN = {
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "file_input": ("files", ""),
}
_STATEFUL = _TEXTS | _ONE_OPTION | _MANY_OPTIONS | set(_PLAIN)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_URL = re.compile(r"https?://\S+")


def elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Walks over every element with an action id, with its block."""
    for block in blocks:
        inner = [*as_list(block.get("elements")), block.get("accessory"), block.get("element")]
        for element in map(as_dict, inner):
            if "action_id" in element:
                yield block, element


def locate(blocks: list[Json], action_id: str, block_id: str = "") -> tuple[Json, Json]:
    """Finds an element.

    Raises:
        SlackError: `element_not_found`, naming the elements there are.
    """
    for block, element in elements(blocks):
        if element["action_id"] == action_id and block_id in {"", block["block_id"]}:
            return block, element
    known = ", ".join(element["action_id"] for _, element in elements(blocks)) or "none"
    words = f"no element has action_id {action_id}; here: {known}"
    raise SlackError("element_not_found", response_metadata={"messages": [f"[ERROR] {words}"]})


def _options(element: Json) -> list[Json]:
    grouped = [one for group in as_list(element.get("option_groups")) for one in group["options"]]
    return [*as_list(element.get("options")), *grouped]


def _option(element: Json, value: object) -> Json | None:
    if isinstance(value, dict):
        return value
    for one in _options(element):
        if one.get("value") == value:
            return dict(one)
    if value is None:
        return None
    known = ", ".join(str(one.get("value")) for one in _options(element))
    raise bad_arguments(f"no option has the value {value}; known: {known}")


def entry(element: Json, raw: object) -> Json:
    """Gives an element's state for what a person entered.

    Args:
        element: The element.
        raw: A string, an option's value, or a list of values.

    Raises:
        SlackError: `invalid_arguments` for an option that is not there.
    """
    kind = element["type"]
    if kind in _TEXTS:
        return {"type": kind, "value": raw if raw != "" else None}
    if kind in _ONE_OPTION:
        return {"type": kind, "selected_option": _option(element, raw)}
    if kind in _MANY_OPTIONS:
        chosen = [_option(element, one) for one in as_list(raw)]
        return {"type": kind, "selected_options": chosen}
    return {"type": kind, _PLAIN[kind][0]: raw}


def _initial(element: Json) -> object:
    kind = element["type"]
    if kind in _TEXTS:
        return element.get("initial_value")
    if kind in _ONE_OPTION:
        return element.get("initial_option")
    if kind in _MANY_OPTIONS:
        return element.get("initial_options", [])
    default: object = [] if kind.startswith("multi_") else None
    return element.get(_PLAIN[kind][1], default)


def state(blocks: list[Json], entered: Json) -> Json:
    """Builds `state.values` from what was entered and the initial values."""
    values: Json = {}
    for block, element in elements(blocks):
        if element["type"] in _STATEFUL:
            mine = as_dict(entered.get(block["block_id"]))
            raw = mine.get(element["action_id"], _initial(element))
            values.setdefault(block["block_id"], {})[element["action_id"]] = entry(element, raw)
    return values


def spread(blocks: list[Json], given: Json) -> Json:
    """Reads entered values: by block and action id, or by either alone.

    Raises:
        SlackError: `invalid_arguments` for a field that is not there.
    """
    entered: Json = {}
    for name, value in given.items():
        found = [(b["block_id"], e["action_id"]) for b, e in elements(blocks)]
        if isinstance(value, dict) and any(block == name for block, _ in found):
            entered.setdefault(name, {}).update(value)
            continue
        match = next((pair for pair in found if name in pair), None)
        if match is None:
            known = ", ".join(f"{block}/{action}" for block, action in found)
            raise bad_arguments(f"no field is called {name}; here: {known}")
        entered.setdefault(match[0], {})[match[1]] = value
    return entered


def merge(into: Json, entered: Json) -> Json:
    """Lays newly entered values over earlier ones."""
    for block_id, actions in entered.items():
        into.setdefault(block_id, {}).update(as_dict(actions))
    return into


def complaints(blocks: list[Json], values: Json) -> Json:
    """Finds what Slack's client itself refuses to submit, by block id."""
    found: Json = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        given = as_dict(as_dict(values.get(block["block_id"])).get(element["action_id"]))
        content = next((value for key, value in given.items() if key != "type"), None)
        if content in (None, "", []):
            if not block.get("optional"):
                found[block["block_id"]] = "Please complete this required field."
            continue
        words = _misfit(element, content)
        if words:
            found[block["block_id"]] = words
    return found


def _misfit(element: Json, content: object) -> str:
    kind = element["type"]
    if not isinstance(content, str):
        return ""
    if len(content) < element.get("min_length", 0):
        return f"Must be at least {element['min_length']} characters."
    if len(content) > element.get("max_length", 3000):
        return f"Must be at most {element.get('max_length', 3000)} characters."
    forms = {
        "email_text_input": (_EMAIL, "Enter an email address."),
        "url_text_input": (_URL, "Enter a URL."),
        "number_input": (_NUMBER, "Enter a number."),
    }
    if kind in forms and not forms[kind][0].fullmatch(content):
        return forms[kind][1]
    return ""


def action(block: Json, element: Json, raw: object, ts: str) -> Json:
    """Builds the entry of `actions` for an element that was used."""
    kind = element["type"]
    base: Json = {"action_id": element["action_id"], "block_id": block["block_id"]}
    if kind == "button":
        kept: Json = {k: element[k] for k in ("text", "value", "style", "url") if k in element}
        return {**base, **kept, "type": kind, "action_ts": ts}
    if kind == "overflow":
        return {**base, "type": kind, "selected_option": _option(element, raw), "action_ts": ts}
    if kind not in _STATEFUL:
        chosen = {"value": raw} if raw is not None else {}
        return {**base, "type": kind, **chosen, "action_ts": ts}
    used = {**base, **entry(element, raw), "action_ts": ts}
    if "placeholder" in element:
        used["placeholder"] = element["placeholder"]
    return used
