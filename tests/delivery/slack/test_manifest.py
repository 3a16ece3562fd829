"""The manifest that sets the real app up by paste."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from faultbook.sandbox.manifest import load

ROOT = Path(__file__).parents[3]
MANIFEST = ROOT / "templates" / "slack-manifest.yaml"
# Slack's own, https://github.com/slackapi/manifest-schema; it is not part of this repository.
SCHEMA = ROOT.parent / "shared" / "data" / "manifest.schema.2.0.0.json"


@pytest.fixture(name="manifest")
def read_manifest() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(MANIFEST.read_text("utf-8"))
    return found


@pytest.fixture(name="validator")
def slacks_validator() -> Draft7Validator:
    if not SCHEMA.is_file():
        pytest.skip(f"Slack's manifest schema is not at {SCHEMA}")
    return Draft7Validator(json.loads(SCHEMA.read_text("utf-8")))


def test_slacks_schema_takes_the_manifest(
    manifest: dict[str, Any], validator: Draft7Validator
) -> None:
    assert [error.message for error in validator.iter_errors(manifest)] == []


def test_slacks_schema_refuses_it_when_spoilt(
    manifest: dict[str, Any], validator: Draft7Validator
) -> None:
    manifest["features"]["slash_commands"][0]["command"] = "failing"
    assert list(validator.iter_errors(manifest))


def test_the_manifest_asks_for_no_more_than_is_used(manifest: dict[str, Any]) -> None:
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == {
        "app_mentions:read",  # app_mention
        "channels:history",  # conversations.history and replies
        "channels:read",  # member_joined_channel
        "chat:write",  # chat.postMessage and postEphemeral
        "commands",
        "files:read",  # url_private of a file that is evidence
        "groups:history",
        "groups:read",
        "im:history",  # message.im
        "im:write",  # conversations.open
        "reactions:write",  # reactions.add and remove
        "usergroups:read",  # usergroups.users.list
        "users:read",  # users.info
    }


def test_the_local_workspace_reads_it_too() -> None:
    read = load(MANIFEST)
    assert read.bot_name == "faultbook"
    assert {one.command for one in read.commands} == {"/failing", "/incident", "/faultbook"}
    assert read.home_tab
