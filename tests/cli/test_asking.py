"""`faultbook failing`, `diff` and `timeline` as real processes, on a store and on a server."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from faultbook.base.clock import DAY, HOUR, MINUTE, system_clock
from faultbook.base.settings import Settings
from faultbook.intake.http.app import build_app
from faultbook.model.policy import Policy
from faultbook.model.run import RunEvent, WholeRun
from faultbook.model.verdict import Verdict
from faultbook.operations import recording
from faultbook.store.engine import Store, open_store, sqlite_url
from tests.builders import whole_run
from tests.intake.http.conftest import make_token, serving

OLD, NEW = "a" * 40, "b" * 40


@dataclass
class Place:
    """A home with a store, and commands that are run there."""

    folder: Path
    store: Store

    def record(self, *runs: WholeRun) -> list[str]:
        return self.store.write(recording.record_runs, list(runs))

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "FAULTBOOK_HOME": str(self.folder / "home"),
            "PYTHONUTF8": "1",
            **more,
        }

    def run(self, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "faultbook", *words],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=60,
            cwd=self.folder,
            env=self.environment(**environment),
        )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    opened = open_store(sqlite_url(tmp_path / "home"))
    yield Place(tmp_path, opened)
    opened.close()


def some_runs() -> list[WholeRun]:
    now = system_clock()
    return [
        whole_run(at=now - 3 * HOUR, code_version=OLD),
        whole_run(Verdict.FAILED, at=now - HOUR, code_version=NEW),
        whole_run(at=now - MINUTE, workflow="fine", environment="staging"),
    ]


def test_failing_names_what_fails_and_exits_1(place: Place) -> None:
    place.record(*some_runs())
    done = place.run("failing")
    assert done.returncode == 1
    assert done.stdout.startswith(
        "1 failing on main\n\n✗ failing  invoice-sync  production   1 run"
    )
    assert done.stderr == ""
    as_json = json.loads(place.run("failing", "--json").stdout)
    assert as_json["headline"] == "failing"
    assert as_json["series"][0]["first_bad_run"]["code_version"] == NEW


def test_failing_over_fresh_passing_data_exits_0(place: Place) -> None:
    place.record(*some_runs())
    done = place.run("failing", "--environment", "staging")
    assert done.returncode == 0
    assert done.stdout.startswith("Nothing is failing on main in staging. 1 series passing.\n")
    since = place.run("failing", "--since", "30 minutes ago")
    assert since.returncode == 1
    assert since.stdout.startswith("Nothing new is failing on main since ")


def test_failing_over_nothing_exits_2_and_says_what_to_do(place: Place) -> None:
    done = place.run("failing")
    assert done.returncode == 2
    assert done.stdout.startswith("I can't tell: no run is recorded yet. Record one: faultbook run")
    place.record(*some_runs())
    missed = place.run("failing", "--environment", "stagin", "--json")
    assert missed.returncode == 2
    assert json.loads(missed.stdout)["nearest"] == "staging"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("failing", "--since", "yesterdy"), "Nearest: `yesterday`."),
        (("failing", "--branch", "x", "--all-branches"), "--branch or --all-branches, not both"),
        (("diff", "nonsense"), "names no commit and no moment"),
        (("diff", "abcdef0"), "No run carries the commit `abcdef0`."),
        (("timeline", "7c1e90ab"), "There is no run `7c1e90ab`."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_use_is_explained_on_stderr_and_exits_2(
    place: Place, words: tuple[str, ...], message: str
) -> None:
    done = place.run(*words)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_diff_compares_moments_and_commits(place: Place) -> None:
    place.record(*some_runs())
    moments = place.run("diff", "2 hours ago")
    assert moments.returncode == 1
    assert moments.stdout.startswith("1 newly failing on main since ")
    commits = json.loads(place.run("diff", OLD[:7], NEW[:7], "--json").stdout)
    assert [change["workflow"] for change in commits["newly_failing"]] == ["invoice-sync"]
    place.record(whole_run(at=system_clock() - MINUTE))
    assert place.run("diff", "2 hours ago").returncode == 0


def test_diff_never_answers_from_here_what_was_asked_of_a_server(place: Place) -> None:
    done = place.run("diff", "yesterday", FAULTBOOK_URL="http://127.0.0.1:1")
    assert done.returncode == 2
    assert "FAULTBOOK_URL names a server" in done.stderr


def test_timeline_finds_a_run_by_the_end_of_its_id(place: Place) -> None:
    run_id = place.record(*some_runs())[1]
    done = place.run("timeline", run_id[-8:])
    assert done.returncode == 0
    assert done.stdout.startswith("invoice-sync · production · main bbbbbbb · attempt 1 · ")
    assert "closed   failed: nonzero_exit, exit code 1" in done.stdout
    assert json.loads(place.run("timeline", run_id, "--json").stdout)["run_id"] == run_id


def test_output_is_ascii_where_the_encoding_holds_no_more(place: Place) -> None:
    place.record(*some_runs(), whole_run(Verdict.FAILED, at=system_clock(), workflow="préfix"))
    plain = place.run("failing", PYTHONUTF8="0", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert plain.stdout.isascii()
    assert "x failing  pr\\xe9fix" in plain.stdout
    as_json = place.run("failing", "--json", PYTHONIOENCODING="ascii")
    assert json.loads(as_json.stdout)["series"][0]["workflow"] == "préfix"


def on_a_terminal(place: Place, *words: str, columns: int, **environment: str) -> str:
    """Run a command with a terminal as its output, and give what it wrote there."""
    ours, theirs = pty.openpty()
    started = subprocess.Popen(
        [sys.executable, "-m", "faultbook", *words],
        stdout=theirs,
        stdin=subprocess.DEVNULL,
        cwd=place.folder,
        env=place.environment(COLUMNS=str(columns), **environment),
    )
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65_536):
            shown += chunk
    except OSError:  # the terminal's other end was closed
        pass
    finally:
        os.close(ours)
        started.wait(30)
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("environment", "words", "coloured"),
    [
        ({"TERM": "xterm"}, (), True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, (), False),
        ({"TERM": "dumb"}, (), False),
        ({"TERM": "dumb", "NO_COLOR": "1"}, ("--color",), True),
    ],
)
def test_a_terminal_gets_colour_unless_it_says_otherwise(
    place: Place, environment: dict[str, str], words: tuple[str, ...], *, coloured: bool
) -> None:
    place.record(whole_run(Verdict.FAILED, at=system_clock(), workflow="w" * 40, branch="main"))
    shown = on_a_terminal(place, "failing", *words, columns=70, **environment)
    assert ("\x1b[31m✗ failing\x1b[0m" in shown) == coloured
    seen = re.sub(r"\x1b\[\d+m", "", shown).splitlines()
    assert max(map(len, seen)) == 70
    assert any(line.endswith("…") for line in seen)


def test_with_a_url_the_server_is_asked_and_its_answer_shown_as_a_local_one(place: Place) -> None:
    runs = some_runs()
    event = RunEvent("tool", "stripe.list", "40 invoices", None, system_clock(), None, 1100.0)
    with_event = recording.prepare_whole(runs[1].start, runs[1].end, Policy(), [event])
    run_id = place.record(runs[0], with_event, runs[2])[1]
    token = make_token(place.store, "runs:read")
    with serving(build_app(place.store, Policy(), Settings())) as url:
        remote = {
            "FAULTBOOK_URL": url,
            "FAULTBOOK_TOKEN": token,
            # What is stored where the command runs must not be what answers.
            "FAULTBOOK_HOME": str(place.folder / "none"),
        }
        asked = place.run("failing", **remote)
        assert asked.stdout.startswith("1 failing on main\n\n✗ failing  invoice-sync  production")
        assert asked.returncode == 1
        limited = place.run("failing", "--environment", "staging", "--json", **remote)
        assert json.loads(limited.stdout)["headline"] == "nothing_failing"
        assert limited.returncode == 0
        timeline = place.run("timeline", run_id[-8:], **remote)
        assert "stripe.list: 40 invoices (1.10 s)" in timeline.stdout
        refused = place.run("failing", **{**remote, "FAULTBOOK_TOKEN": "fb_none"})
        assert refused.returncode == 2
        assert "auth_rejected" in refused.stderr
    down = place.run("failing", **remote)
    assert down.returncode == 2
    assert "The server does not answer" in down.stderr
    assert not (place.folder / "none").exists()


def test_old_records_exit_2(place: Place) -> None:
    place.record(whole_run(at=system_clock() - 2 * DAY))
    done = place.run("failing")
    assert done.returncode == 2
    assert re.match(r"I can't tell: my newest record is 4[78] h\b", done.stdout)
