"""What several commands stand on: a team's repository, and a folder with policies."""

import os
from pathlib import Path

import pytest

from tests.cli.approvals import Place, new_place
from tests.cli.ledgers import LEDGER, Team, Told, call_main, new_repository


@pytest.fixture
def empty_team(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Team:
    """Make a repository without a ledger; no setting or record of this machine reaches it."""
    for known in [one for one in os.environ if one.startswith(("FAULTBOOK", "GIT_"))]:
        monkeypatch.delenv(known)
    home = tmp_path / "person"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(home))
    root = tmp_path / "team"
    new_repository(root)

    def call(folder: Path, words: tuple[str, ...]) -> Told:
        monkeypatch.chdir(folder)
        capfd.readouterr()
        code = call_main(words)
        told = capfd.readouterr()
        return Told(code, told.out, told.err)

    return Team(root, call)


@pytest.fixture
def team(empty_team: Team) -> Team:
    """Make a repository with two lessons, committed."""
    empty_team.write(LEDGER)
    empty_team.write(b"print('hello')\n", "app.py")
    empty_team.commit("Start")
    return empty_team


@pytest.fixture
def local(tmp_path: Path) -> Place:
    """Give the command line on a local store."""
    place, house = new_place(tmp_path)
    house.close()
    return place
