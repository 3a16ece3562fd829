"""Which mode the settings choose, and what is said when they do not fit."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from faultbook.assembly.bot import choose_mode, start_bot
from faultbook.assembly.house import open_house
from faultbook.base.errors import InvalidError
from faultbook.base.settings import Settings, SlackSettings
from tests.journeys.running import settings_for
from tests.sandbox.driver import Workspace

BOT, APP, SECRET = SecretStr("xoxb-1"), SecretStr("xapp-1"), SecretStr("s")


def settings(mode: str = "auto", **tokens: Any) -> Settings:  # noqa: ANN401 - as Settings takes them
    return Settings(slack=SlackSettings(mode=mode), **tokens)


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        (settings(slack_bot_token=BOT, slack_app_token=APP), "socket"),
        (settings(slack_bot_token=BOT, slack_signing_secret=SECRET), "http"),
        (settings(slack_bot_token=BOT, slack_app_token=APP, slack_signing_secret=SECRET), "socket"),
        (
            settings("http", slack_bot_token=BOT, slack_app_token=APP, slack_signing_secret=SECRET),
            "http",
        ),
        (settings("socket", slack_bot_token=BOT, slack_app_token=APP), "socket"),
    ],
)
def test_the_mode_follows_from_what_is_set(given: Settings, mode: str) -> None:
    assert choose_mode(given) == mode


@pytest.mark.parametrize(
    ("given", "variable"),
    [
        (settings(), "SLACK_BOT_TOKEN"),
        (settings(slack_app_token=APP), "SLACK_BOT_TOKEN"),
        (settings(slack_bot_token=BOT), "SLACK_APP_TOKEN"),
        (settings("socket", slack_bot_token=BOT, slack_signing_secret=SECRET), "SLACK_APP_TOKEN"),
        (settings("http", slack_bot_token=BOT, slack_app_token=APP), "SLACK_SIGNING_SECRET"),
        (settings(slack_bot_token=SecretStr(" "), slack_app_token=APP), "SLACK_BOT_TOKEN"),
    ],
)
def test_what_is_missing_is_named(given: Settings, variable: str) -> None:
    with pytest.raises(InvalidError) as refused:
        choose_mode(given)
    assert refused.value.where == variable
    assert variable in refused.value.message
    assert refused.value.next_step


async def test_a_token_that_slack_refuses_ends_the_start(tmp_path: Path) -> None:
    with Workspace.start(tmp_path / "slack") as workspace:
        given = settings_for(workspace, tmp_path / "home")
        house = open_house(given.model_copy(update={"slack_bot_token": SecretStr("xoxb-wrong")}))
        try:
            with pytest.raises(InvalidError) as refused:
                await start_bot(house)
        finally:
            house.close()
    assert refused.value.where == "SLACK_BOT_TOKEN"
    assert "invalid_auth" in refused.value.message


async def test_an_app_token_that_slack_refuses_is_said_in_the_status(tmp_path: Path) -> None:
    with Workspace.start(tmp_path / "slack") as workspace:
        given = settings_for(workspace, tmp_path / "home")
        house = open_house(given.model_copy(update={"slack_app_token": SecretStr("xapp-wrong")}))
        bot = await start_bot(house)
        try:
            assert not bot.status().connected
            assert "SLACK_APP_TOKEN" in bot.status().words
        finally:
            await bot.stop()
            house.close()
