"""Text objects, composition objects and block elements."""

from faultbook.sandbox.blockkit.report import (
    Check,
    anything,
    array,
    boolean,
    by_type,
    either,
    enum,
    integer,
    record,
    string,
)

ID = string(most=255)
URL = string(most=3000, least=1)
_FLAG = boolean


def plain(most: int) -> Check:
    """A `plain_text` object."""
    return by_type({"plain_text": record({"text": string(most=most, least=1)}, {"emoji": _FLAG})})


def text(most: int = 3000) -> Check:
    """A `plain_text` or `mrkdwn` object."""
    words = string(most=most, least=1)
    return by_type(
        {
            "plain_text": record({"text": words}, {"emoji": _FLAG}),
            "mrkdwn": record({"text": words}, {"verbatim": _FLAG}),
        }
    )


CONFIRM = record(
    {"title": plain(100), "text": text(300)},
    {"confirm": plain(30), "deny": plain(30), "style": enum("primary", "danger")},
)


def _option(words: Check, description: Check) -> Check:
    return record(
        {"text": words, "value": string(most=150)}, {"description": description, "url": URL}
    )


_OPTION = _option(plain(75), plain(75))
_MARKED_OPTION = _option(text(75), text(75))
_GROUP = record({"label": plain(75), "options": array(_OPTION, least=1, most=100)})
_FILTER = record(
    {},
    {
        "include": array(enum("im", "mpim", "private", "public"), least=1),
        "exclude_external_shared_channels": _FLAG,
        "exclude_bot_users": _FLAG,
    },
)
_DISPATCH = record(
    {},
    {"trigger_actions_on": array(enum("on_enter_pressed", "on_character_entered"), least=1)},
)
_DATE = string(pattern=r"\d{4}-\d{2}-\d{2}")
_TIME = string(pattern=r"\d{2}:\d{2}")
_COMMON: dict[str, Check] = {"action_id": ID, "confirm": CONFIRM, "focus_on_load": _FLAG}
_PLACED: dict[str, Check] = {**_COMMON, "placeholder": plain(150)}
_TYPED: dict[str, Check] = {
    "action_id": ID,
    "focus_on_load": _FLAG,
    "placeholder": plain(150),
    "dispatch_action_config": _DISPATCH,
}
_LISTED: dict[str, Check] = {
    "options": array(_OPTION, least=1, most=100),
    "option_groups": array(_GROUP, least=1, most=100),
}
_MANY: dict[str, Check] = {"max_selected_items": integer(1)}
_CHANNELS: dict[str, Check] = {
    "default_to_current_conversation": _FLAG,
    "response_url_enabled": _FLAG,
    "filter": _FILTER,
}


def _static(**more: Check) -> Check:
    return either("options", "option_groups", record({}, {**_PLACED, **_LISTED, **more}))


IMAGE = either(
    "image_url",
    "slack_file",
    record(
        {"alt_text": string(most=2000)},
        {"image_url": URL, "slack_file": record({}, {"id": ID, "url": URL})},
    ),
)
BUTTON = record(
    {"text": plain(75)},
    {
        "action_id": ID,
        "url": string(most=3000),
        "value": string(most=2000),
        "style": enum("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": string(most=75),
    },
)
SELECTS: dict[str, Check] = {
    "static_select": _static(initial_option=_OPTION),
    "external_select": record(
        {}, {**_PLACED, "initial_option": _OPTION, "min_query_length": integer(0)}
    ),
    "users_select": record({}, {**_PLACED, "initial_user": ID}),
    "conversations_select": record({}, {**_PLACED, **_CHANNELS, "initial_conversation": ID}),
    "channels_select": record(
        {}, {**_PLACED, "initial_channel": ID, "response_url_enabled": _FLAG}
    ),
    "multi_static_select": _static(**_MANY, initial_options=array(_OPTION, least=1)),
    "multi_external_select": record(
        {},
        {
            **_PLACED,
            **_MANY,
            "initial_options": array(_OPTION, least=1),
            "min_query_length": integer(0),
        },
    ),
    "multi_users_select": record({}, {**_PLACED, **_MANY, "initial_users": array(ID)}),
    "multi_conversations_select": record(
        {}, {**_PLACED, **_MANY, **_CHANNELS, "initial_conversations": array(ID)}
    ),
    "multi_channels_select": record({}, {**_PLACED, **_MANY, "initial_channels": array(ID)}),
}
PICKERS: dict[str, Check] = {
    "datepicker": record({}, {**_PLACED, "initial_date": _DATE}),
    "timepicker": record({}, {**_PLACED, "initial_time": _TIME, "timezone": string(most=100)}),
    "datetimepicker": record({}, {**_COMMON, "initial_date_time": integer(0)}),
}
CHOICES: dict[str, Check] = {
    "checkboxes": record(
        {"options": array(_MARKED_OPTION, least=1, most=10)},
        {**_COMMON, "initial_options": array(_MARKED_OPTION, least=1)},
    ),
    "radio_buttons": record(
        {"options": array(_MARKED_OPTION, least=1, most=10)},
        {**_COMMON, "initial_option": _MARKED_OPTION},
    ),
}
OVERFLOW = record(
    {"options": array(_OPTION, least=1, most=5)}, {"action_id": ID, "confirm": CONFIRM}
)
TEXT_INPUT = record(
    {},
    {
        **_TYPED,
        "multiline": _FLAG,
        "initial_value": string(most=3000),
        "min_length": integer(0, 3000),
        "max_length": integer(1, 3000),
    },
)
MODAL_INPUTS: dict[str, Check] = {
    "email_text_input": record({}, {**_TYPED, "initial_value": string(most=3000)}),
    "url_text_input": record({}, {**_TYPED, "initial_value": string(most=3000)}),
    "number_input": record(
        {"is_decimal_allowed": _FLAG},
        {**_TYPED, "initial_value": string(), "min_value": string(), "max_value": string()},
    ),
    "file_input": record(
        {}, {"action_id": ID, "filetypes": array(string(), least=1), "max_files": integer(1, 10)}
    ),
}
RICH_INPUT = record({}, {**_TYPED, "initial_value": anything})
_FEEDBACK = record(
    {"text": plain(75), "value": string(most=2000)}, {"accessibility_label": string(most=75)}
)
CONTEXT_ACTIONS: dict[str, Check] = {
    "feedback_buttons": record(
        {"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}, {"action_id": ID}
    ),
    "icon_button": record(
        {"icon": string(most=100), "text": plain(75)},
        {
            "action_id": ID,
            "value": string(most=2000),
            "confirm": CONFIRM,
            "accessibility_label": string(most=75),
            "visible_to_user_ids": array(ID),
        },
    ),
}
