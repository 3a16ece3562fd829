"""Settings: the file, the environment over it, and what is refused."""

from pathlib import Path

import pytest

from faultbook.base.errors import InvalidError
from faultbook.base.settings import load_settings


def _write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "faultbook.toml").write_text(text, "utf-8")
    return folder


def test_without_a_file_the_home_is_the_users_state_directory(tmp_path: Path) -> None:
    settings = load_settings({"XDG_STATE_HOME": str(tmp_path / "state")}, tmp_path)
    assert settings.home == tmp_path / "state" / "faultbook"
    assert settings.main_branch == "main"


def test_the_nearest_file_upward_decides_where_the_home_is(tmp_path: Path) -> None:
    root = _write(tmp_path / "repository", 'main_branch = "trunk"')
    deep = root / "a" / "b"
    deep.mkdir(parents=True)
    settings = load_settings({}, deep)
    assert settings.home == root / ".faultbook"
    assert settings.main_branch == "trunk"
    assert settings.config_path == root / "faultbook.toml"


def test_the_environment_goes_over_the_file(tmp_path: Path) -> None:
    root = _write(tmp_path, 'main_branch = "trunk"\n[http]\nport = 9000\nhost = "127.0.0.2"')
    environ = {"FAULTBOOK_MAIN_BRANCH": "main", "FAULTBOOK_HTTP__PORT": "9100"}
    settings = load_settings(environ, root)
    assert settings.main_branch == "main"
    assert (settings.http.host, settings.http.port) == ("127.0.0.2", 9100)


def test_a_workflow_may_accept_heartbeats(tmp_path: Path) -> None:
    root = _write(tmp_path, '[workflows."price-feed"]\nevidence = "heartbeat"\ncritical = true')
    settings = load_settings({}, root)
    assert settings.workflows["price-feed"].evidence == "heartbeat"


@pytest.mark.parametrize(
    ("text", "where", "nearest"),
    [
        ('main_brnch = "x"', "main_brnch", "main_branch"),
        ("[http]\nprot = 1", "http.prot", "port"),
        ('[workflows.x]\nevidense = "heartbeat"', "workflows.x.evidense", "evidence"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(
    tmp_path: Path, text: str, where: str, nearest: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        load_settings({}, _write(tmp_path, text))
    assert caught.value.where == where
    assert nearest in caught.value.next_step
    assert "faultbook.toml" in caught.value.message


def test_an_unknown_variable_is_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidError) as caught:
        load_settings({"FAULTBOOK_MAIN_BRNCH": "x"}, tmp_path)
    assert caught.value.where == "FAULTBOOK_MAIN_BRNCH"
    assert "FAULTBOOK_MAIN_BRANCH" in caught.value.next_step


@pytest.mark.parametrize(
    "text",
    ['slack_bot_token = "xoxb-1"', 'token = "fb_x"', 'slack_signing_secret = "s"'],
)
def test_a_secret_in_the_file_is_refused_with_the_variable_to_set(
    tmp_path: Path, text: str
) -> None:
    with pytest.raises(InvalidError, match="is a secret") as caught:
        load_settings({}, _write(tmp_path, text))
    assert "_FILE" in caught.value.next_step


@pytest.mark.parametrize(
    "text",
    ["main_branch = ", "stale_after_seconds = 0", "[http]\nport = 70000", 'workflows = "x"'],
)
def test_a_value_that_does_not_fit_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        load_settings({}, _write(tmp_path, text))
    assert "faultbook.toml" in caught.value.message
    assert caught.value.next_step


def test_secrets_come_from_files_too_and_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "bot").write_text("xoxb-secret\n", "utf-8")
    environ = {"SLACK_BOT_TOKEN_FILE": str(tmp_path / "bot"), "SLACK_APP_TOKEN": "xapp-1"}
    settings = load_settings(environ, tmp_path)
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value() == "xoxb-secret"
    assert "xoxb-secret" not in repr(settings)


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="SLACK_APP_TOKEN_FILE"):
        load_settings({"SLACK_APP_TOKEN_FILE": str(tmp_path / "none")}, tmp_path)


def test_the_token_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("fb_abc\n", "utf-8")
    settings = load_settings({"FAULTBOOK_TOKEN_FILE": str(tmp_path / "token")}, tmp_path)
    assert settings.token is not None
    assert settings.token.get_secret_value() == "fb_abc"


def test_slacks_own_variable_names_the_api(tmp_path: Path) -> None:
    settings = load_settings({"SLACK_API_URL": "http://127.0.0.1:9/api/"}, tmp_path)
    assert settings.slack.api_url == "http://127.0.0.1:9/api/"


def test_a_home_in_the_file_is_beside_the_file(tmp_path: Path) -> None:
    root = _write(tmp_path / "repository", 'home = "state"')
    assert load_settings({}, root / "..").home != root / "state"
    assert load_settings({}, root).home == root / "state"
    assert load_settings({"FAULTBOOK_HOME": "/elsewhere"}, root).home == Path("/elsewhere")
