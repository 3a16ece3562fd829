"""The ledger that `faultbook up` works on: the one that is set, or the samples' own."""

from pathlib import Path

import pytest

from faultbook.assembly.ledger import make_sample_remote, remote_of
from faultbook.assembly.templates import template
from faultbook.base.settings import LedgerSettings, Settings, load_settings
from faultbook.ledger.lint import check_files
from faultbook.ledger.table import read_ledger
from tests.assembly.test_up import refused, up
from tests.ledger.remotes import LEDGER, BareRemote, git


def test_the_samples_get_a_real_remote_with_a_small_ledger_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = Settings(home=home)
    remote = make_sample_remote(settings)
    assert remote.url == str(home / "ledger.git")
    there = BareRemote(home / "ledger.git")
    lessons = read_ledger(there.read().encode()).lessons
    assert len(lessons) >= 3
    assert [lesson for lesson in lessons if lesson.incident]
    there.person().push({LEDGER: there.read() + "\nBy hand.\n"})
    head = there.head()
    make_sample_remote(settings)
    assert there.head() == head


def test_the_samples_ledger_passes_the_check() -> None:
    folder = template("samples/ledger")
    files = {
        f"lessons/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in folder.rglob("*.md")
    }
    words = template("incident.md").read_text("utf-8")
    assert check_files(files, template=words) == []


def test_up_with_samples_says_where_its_ledger_is_and_keeps_it_up_to_date(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home, "--samples", "--no-slack") as running:
        place = Path(running.said.split("Ledger", 1)[1].split()[0])
        assert place == home / "ledger.git"
        assert "_ledger.md" in git(place, "ls-tree", "-r", "--name-only", "main")
    assert running.process.returncode == 0


def test_up_without_a_remote_and_samples_has_no_ledger(tmp_path: Path) -> None:
    with up(tmp_path / "home", "--no-slack") as running:
        assert "Ledger" not in running.said
    assert not (tmp_path / "home" / "git").exists()


def test_a_remote_that_runs_commands_keeps_up_from_starting(tmp_path: Path) -> None:
    url = f"ext::sh -c touch% {tmp_path}/owned"
    done = refused(tmp_path / "home", "--no-slack", "--port", "0", FAULTBOOK_LEDGER__REMOTE=url)
    assert done.returncode == 2
    assert "is none that I use" in done.stderr
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("../ledger.git", "{config}/../ledger.git"),
        ("/srv/ledger.git", "/srv/ledger.git"),
        ("git@host:team/ledger.git", "git@host:team/ledger.git"),
        ("https://host/ledger.git", "https://host/ledger.git"),
    ],
)
def test_a_relative_remote_is_one_from_the_settings_folder(
    tmp_path: Path, written: str, expected: str
) -> None:
    (tmp_path / "faultbook.toml").write_text(f'[ledger]\nremote = "{written}"\n')
    inside = tmp_path / "deep" / "inside"
    inside.mkdir(parents=True)
    found = remote_of(load_settings({}, inside))
    assert found is not None
    assert found.url == expected.format(config=tmp_path)


def test_what_the_settings_say_of_the_ledger_is_taken(tmp_path: Path) -> None:
    told = LedgerSettings(
        remote="/srv/x.git", branch="trunk", folder="docs/faults", author_name="Bot"
    )
    found = remote_of(Settings(home=tmp_path, ledger=told))
    assert found is not None
    assert (found.branch, found.folder, found.author_name) == ("trunk", "docs/faults", "Bot")
    assert remote_of(Settings(home=tmp_path)) is None
