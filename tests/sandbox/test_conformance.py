"""What the workspace answers stays within what Slack answers."""

import re
from pathlib import Path

import faultbook.sandbox
from faultbook.sandbox.api import dispatch
from faultbook.sandbox.api.call import METHODS

SOURCE = Path(faultbook.sandbox.__file__).parent

# Error codes of Slack's method reference, as far as the methods here need them.
REFERENCE = {
    "already_reacted",
    "bad_timestamp",
    "bot_not_found",
    "cannot_reply_to_message",
    "cant_delete_message",
    "cant_update_message",
    "channel_not_found",
    "duplicate_external_id",
    "exchanged_trigger_id",
    "expired_trigger_id",
    "file_not_found",
    "hash_conflict",
    "internal_error",
    "invalid_arguments",
    "invalid_auth",
    "invalid_attachments",
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_cursor",
    "invalid_limit",
    "invalid_metadata_format",
    "invalid_metadata_schema",
    "invalid_name",
    "invalid_thread_ts",
    "invalid_trigger_id",
    "invalid_ts_latest",
    "invalid_ts_oldest",
    "invalid_types",
    "is_archived",
    "markdown_text_conflict",
    "message_not_found",
    "metadata_too_large",
    "method_not_supported_for_channel_type",
    "missing_argument",
    "missing_scope",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_item_specified",
    "no_reaction",
    "no_such_subteam",
    "no_text",
    "not_allowed_token_type",
    "not_enabled",
    "not_found",
    "not_in_channel",
    "push_limit_reached",
    "ratelimited",
    "team_not_found",
    "thread_not_found",
    "too_many_attachments",
    "user_not_found",
    "user_not_in_channel",
    "users_list_not_supplied",
    "users_not_found",
    "view_too_large",
}
# Codes that any method may answer with, and those of response URLs.
COMMON = {
    "invalid_form_data",
    "invalid_json",
    "json_not_object",
    "not_authed",
    "unknown_method",
    "expired_url",
    "invalid_url",
    "used_url",
}
# Codes of the control API, which Slack has none of.
CONTROL = {"element_not_found", "unknown_command"}

TIERS = {
    "auth.test": "t5",
    "apps.connections.open": "t3",
    "assistant.threads.setStatus": "t5",
    "assistant.threads.setSuggestedPrompts": "t4",
    "assistant.threads.setTitle": "t4",
    "bots.info": "t3",
    "chat.delete": "t3",
    "chat.getPermalink": "t5",
    "chat.postEphemeral": "t4",
    "chat.postMessage": "t5",
    "chat.update": "t3",
    "conversations.history": "t3",
    "conversations.info": "t3",
    "conversations.join": "t3",
    "conversations.list": "t2",
    "conversations.members": "t4",
    "conversations.open": "t3",
    "conversations.replies": "t3",
    "emoji.list": "t2",
    "files.completeUploadExternal": "t4",
    "files.getUploadURLExternal": "t4",
    "reactions.add": "t3",
    "reactions.get": "t3",
    "reactions.remove": "t2",
    "team.info": "t3",
    "usergroups.list": "t2",
    "usergroups.users.list": "t2",
    "users.info": "t4",
    "users.list": "t2",
    "users.lookupByEmail": "t3",
    "views.open": "t4",
    "views.publish": "t4",
    "views.push": "t4",
    "views.update": "t4",
}
EXTRA = {"api.test", "blocks.validate", "files.info"}


def test_every_error_code_is_one_of_slacks() -> None:
    used: set[str] = set()
    for file in SOURCE.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        used |= set(re.findall(r'SlackError\(\s*"(\w+)"', text))
        used |= set(re.findall(r'(?:structure|stamp)\("\w+", "(\w+)"\)', text))
    assert len(used) > 40
    assert used - REFERENCE - COMMON - CONTROL == set()


def test_the_methods_and_their_tiers_are_those_of_the_reference() -> None:
    assert dispatch.MODULES
    assert set(METHODS) == set(TIERS) | EXTRA
    assert {name: METHODS[name].tier for name in TIERS} == TIERS


def test_every_scope_that_is_asked_for_exists() -> None:
    asked = {scope for one in METHODS.values() for scope in one.scopes}
    known = {
        "assistant:write",
        "channels:history",
        "channels:join",
        "channels:manage",
        "channels:read",
        "chat:write",
        "emoji:read",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "groups:write",
        "im:history",
        "im:read",
        "im:write",
        "mpim:history",
        "mpim:read",
        "mpim:write",
        "reactions:read",
        "reactions:write",
        "team:read",
        "usergroups:read",
        "users:read",
        "users:read.email",
    }
    assert asked <= known
