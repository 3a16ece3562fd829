"""`faultbook ledger` in a team's repository: what changes, what must not, and what is said."""

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from faultbook.base.clock import system_clock
from faultbook.ledger.table import read_ledger
from faultbook.operations import known_failures
from faultbook.store.engine import open_store, sqlite_url
from tests.cli.ledgers import LEDGER, RULE, Team, environment, git, name, new_repository

ADD = ("ledger", "add", "--what", "Vendor renamed a field", "--fix", "Map it", "--lesson", RULE)
ROW = f"| 3 | Vendor renamed a field | Map it | {RULE} |  |\n".encode()


def test_a_lesson_is_added_under_the_next_number_and_nothing_else_changes(team: Team) -> None:
    done = team.run(*ADD, "--area", "ci")
    assert (done.code, done.err) == (0, "")
    assert done.out == "Lesson 3 added in lessons/_ledger.md.\n"
    assert team.ledger == LEDGER + ROW.replace(b"|  |\n", b"| ci |\n")
    assert team.git("status", "--porcelain") == " M lessons/_ledger.md\n"


def test_the_ledger_is_found_upward_from_wherever_one_stands(team: Team) -> None:
    (team.root / "src/deep").mkdir(parents=True)
    assert team.run(*ADD, at="src/deep").code == 0
    assert team.run("ledger", "show", "3", at="lessons").code == 0
    assert len(read_ledger(team.ledger).lessons) == 3


def test_a_ledger_in_a_folder_of_a_larger_repository_is_its_own(team: Team) -> None:
    team.write(LEDGER, "services/billing/lessons/_ledger.md")
    team.commit()
    done = team.run(*ADD, "--commit", at="services/billing")
    assert done.out.startswith("Lesson 3 added in lessons/_ledger.md, commit ")
    inside = (team.root / "services/billing/lessons/_ledger.md").read_bytes()
    assert (inside, team.ledger) == (LEDGER + ROW, LEDGER)
    assert team.run("ledger", "check", "--base", "HEAD", at="services/billing").code == 0
    (team.root / "services/billing/lessons/_ledger.md").write_bytes(LEDGER)
    gone = team.run("ledger", "check", "--base", "HEAD", at="services/billing")
    assert (gone.code, "3" in gone.out.splitlines()[0]) == (1, True)


def test_a_file_keeps_its_mark_its_line_ends_and_its_missing_end(team: Team) -> None:
    odd = b"\xef\xbb\xbf" + LEDGER.replace(b"\n", b"\r\n").rstrip(b"\r\n")
    team.write(odd)
    assert team.run(*ADD).code == 0
    assert team.ledger.startswith(odd + b"\r\n")
    assert team.ledger.count(b"\n") == odd.count(b"\n") + 1


def test_a_number_that_was_ever_used_is_not_used_again(team: Team) -> None:
    assert team.run(*ADD, "--commit").code == 0
    team.write(LEDGER)
    team.commit("Take it away")
    assert team.run(*ADD, "--json").document["number"] == 4


def test_numbers_on_the_remotes_main_are_not_used_again(team: Team, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(team.root), "remote.git")
    team.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(tmp_path / "remote.git"), str(other))
    name(other, "Ben")
    (other / "lessons/_ledger.md").write_bytes(LEDGER + ROW)
    git(other, "commit", "--quiet", "-am", "Add lesson 3")
    git(other, "push", "--quiet")
    team.git("fetch", "--quiet")
    assert team.run(*ADD, "--json").document["number"] == 4


def test_a_commit_holds_this_change_alone_and_leaves_the_index(team: Team) -> None:
    team.write(b"staged\n", "staged.txt")
    team.git("add", "staged.txt")
    team.write(b"print('changed')\n", "app.py")
    done = team.run(*ADD, "--commit", "--json").document
    assert done["commit"] == team.git("rev-parse", "HEAD").strip()
    shown = team.git("show", "--format=%an%n%B", "--name-only", "HEAD")
    told = "Ana\nAdd lesson 3: Vendor renamed a field\n\nLedger-Row: 3\n\nlessons/_ledger.md"
    assert shown.split() == told.split()
    assert team.git("status", "--porcelain") == " M app.py\nA  staged.txt\n"


def test_a_commit_is_refused_while_the_ledger_has_other_edits(team: Team) -> None:
    edited = LEDGER.replace(b"Rerun", b"Run again")
    team.write(edited)
    done = team.run(*ADD, "--commit")
    assert done.code == 2
    assert "lessons/_ledger.md has edits that are not committed; nothing was changed" in done.err
    assert team.ledger == edited


def test_a_hook_that_refuses_leaves_the_file_changed_and_nothing_committed(team: Team) -> None:
    hook = team.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'not on Fridays' >&2\nexit 1\n")
    hook.chmod(0o755)
    before = team.git("rev-parse", "HEAD")
    done = team.run(*ADD, "--commit")
    assert done.code == 2
    assert "Changed, but not committed: git commit: not on Fridays" in done.err
    assert team.git("rev-parse", "HEAD") == before
    assert team.git("status", "--porcelain") == " M lessons/_ledger.md\n"


def test_what_is_missing_is_named_where_nobody_can_be_asked(team: Team) -> None:
    done = team.run("ledger", "add", "--fix", "x")
    assert done.code == 2
    assert done.err.startswith("faultbook: Missing: --what, --lesson. [missing_options]\n")
    assert team.ledger == LEDGER


def test_an_area_is_not_dropped_where_the_table_has_no_place_for_it(team: Team) -> None:
    four = b"| # | What failed | Fix | One-rule lesson |\n|---|---|---|---|\n"
    team.write(four)
    done = team.run(*ADD, "--area", "ci")
    assert (done.code, "[no_area_column]" in done.err, team.ledger) == (2, True, four)
    assert team.run(*ADD).code == 0


@pytest.mark.parametrize("rule", ["be more careful", "TBD", "Pay more attention next time!"])
def test_a_rule_that_nobody_can_check_is_refused(team: Team, rule: str) -> None:
    done = team.run("ledger", "add", "--what", "x", "--fix", "y", "--lesson", rule)
    assert done.code == 2
    assert "[rule_vacuous]" in done.err
    assert team.ledger == LEDGER


def test_hostile_text_stays_in_its_cell(team: Team) -> None:
    what = "a | b\n| 9 | x | y | z |\n</details> <!channel> ![x](http://e) ../../x"
    done = team.run("ledger", "add", "--what", what, "--fix=--output=x", "--lesson", RULE)
    assert done.code == 0
    lessons = read_ledger(team.ledger).lessons
    assert [lesson.number for lesson in lessons] == [1, 2, 3]
    assert lessons[2].what_failed == " ".join(what.split())
    assert lessons[2].fix == "--output=x"
    assert team.ledger.startswith(LEDGER)


def test_no_secret_reaches_the_file(team: Team) -> None:
    token = "ghp_" + "a" * 36
    assert team.run("ledger", "add", "--what", token, "--fix", "x", "--lesson", RULE).code == 0
    assert token.encode() not in team.ledger


def test_rows_of_one_number_are_told_apart_after_a_merge(team: Team, tmp_path: Path) -> None:
    other = clone_pair(team, tmp_path)
    push_row(other)
    mine = ("ledger", "add", "--what", "Cron ran twice", "--fix", "Lock", "--commit", "--lesson")
    assert team.run(*mine, "Jobs take a lock before they start (tests/test_lock.py)").code == 0
    team.git("fetch", "--quiet")
    merged = LEDGER + ROW + team.ledger.removeprefix(LEDGER)
    team.write(merged)
    done = team.run("ledger", "check", "--base", "origin/main")
    assert done.code == 1
    assert "lessons/_ledger.md:8:3 duplicate-number" in done.out
    assert "1 problem in 4 rows, 0 incident files" in done.out
    fixed = team.run("ledger", "check", "--base", "origin/main", "--fix")
    assert fixed.err == "Mended lessons/_ledger.md\n"
    assert team.ledger == merged.replace(b"| 3 | Cron", b"| new | Cron")


def test_many_commands_at_once_lose_no_row(team: Team) -> None:
    def add(at: int) -> None:
        words = ("ledger", "add", "--what", f"Failure {at}", "--fix", "x")
        rule = f"Step {at} fails without its file (tests/test_{at}.py)"
        subprocess.run(
            [sys.executable, "-m", "faultbook", *words, "--lesson", rule],
            cwd=team.root,
            env=environment(team.root.parent / "person"),
            check=True,
            capture_output=True,
            timeout=60,
        )

    threads = [threading.Thread(target=add, args=(at,)) for at in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lessons = read_ledger(team.ledger).lessons
    assert [lesson.number for lesson in lessons] == list(range(1, 9))
    assert {lesson.what_failed for lesson in lessons[2:]} == {f"Failure {at}" for at in range(6)}


def test_a_retired_lesson_stays_and_says_what_superseded_it(team: Team) -> None:
    done = team.run("ledger", "retire", "1", "--superseded-by", "2", "--why", "it covers this")
    assert (done.code, done.out) == (0, "Lesson 1 retired in lessons/_ledger.md.\n")
    first, second = read_ledger(team.ledger).lessons
    assert (first.retired, first.superseded_by) == (True, 2)
    assert first.rule == "The wrapper fails any export without its file"
    assert not second.retired
    again = team.run("ledger", "retire", "1", "--superseded-by", "2")
    assert (again.code, again.out) == (0, "Lesson 1 was retired before.\n")
    assert "[why_missing]" in team.run("ledger", "retire", "2").err
    assert "[lesson_unknown]" in team.run("ledger", "retire", "9", "--why", "x").err


def test_a_lesson_is_shown_whole(team: Team) -> None:
    done = team.run("ledger", "show", "1")
    assert done.out == (
        "1   The wrapper fails any export without its file\n"
        "    what failed  Export wrote no PDF\n"
        "    fix          Rerun\n"
        "    area         billing\n"
    )
    document = team.run("ledger", "show", "1", "--json").document
    assert (document["number"], document["area"], document["line"]) == (1, "billing", 5)
    missing = team.run("ledger", "show", "9")
    assert (missing.code, "The ledger has no lesson 9." in missing.err) == (2, True)


def test_lessons_are_found_by_words_retired_ones_last(team: Team) -> None:
    team.run(*ADD)
    team.run("ledger", "retire", "1", "--superseded-by", "3")
    found = team.run("ledger", "search", "pdf", "vendor", "schema")
    assert found.code == 0
    assert found.out == (
        "2 lessons match `pdf vendor schema`\n"
        f"3   {RULE}\n    Vendor renamed a field\n"
        "1   retired, see 3: The wrapper fails any export without its file\n"
        "    Export wrote no PDF · billing\n"
    )
    none = team.run("ledger", "search", "kubernetes")
    assert (none.code, none.out) == (1, "No lesson matches. Try fewer words.\n")
    matches = team.run("ledger", "search", "cache", "--area", "ci", "--json").document["matches"]
    assert [match["number"] for match in matches] == [2]


def test_repeats_that_the_bot_counted_are_told(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    home = team.root.parent / "records"
    monkeypatch.setenv("FAULTBOOK_HOME", str(home))
    store = open_store(sqlite_url(home), system_clock)
    for run in ("a", "b"):
        store.write(known_failures.count_repeat, 2, run)
    store.close()
    assert "2 repeats, last " in team.run("ledger", "search", "cache").out
    assert team.run("ledger", "stats", "--json").document["repeats"] == [{"lesson": 2, "count": 2}]


def test_reading_the_ledger_makes_no_database(team: Team) -> None:
    for words in (("search", "cache"), ("stats",), ("show", "1"), ("review", "ci")):
        assert team.run("ledger", *words).code == 0
    assert list((team.root.parent / "person").iterdir()) == []
    assert team.git("status", "--porcelain") == ""


def test_the_lessons_of_an_area_are_printed_before_something_new_starts(team: Team) -> None:
    assert team.run("ledger", "review", "CI").out == (
        "1 lesson to read before something new starts in `CI`\n"
        "2   Cache keys name the commit (tests/test_cache.py)\n"
        "    The cache was stale · ci\n"
    )
    assert team.run("ledger", "review", "biling").out == (
        "No lesson in `biling`. Nearest: `billing`.\n"
    )
    assert "Areas: `billing`, `ci`." in team.run("ledger", "review", "zzz").out
    assert [
        lesson["number"]
        for lesson in team.run("ledger", "review", "ci", "--json").document["lessons"]
    ] == [2]


def test_without_a_ledger_the_next_step_is_named(empty_team: Team, tmp_path: Path) -> None:
    for words in (("show", "1"), ("check",), ADD[1:]):
        done = empty_team.run("ledger", *words)
        assert done.code == 2
        assert "next: Make one: faultbook ledger init." in done.err
    outside = tmp_path / "outside"
    outside.mkdir()
    done = empty_team.run("ledger", "check", at=str(outside))
    assert (done.code, "nor a git repository" in done.err) == (2, True)


def test_a_ledger_that_leads_out_of_the_repository_is_not_read(team: Team, tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_bytes(LEDGER)
    (team.root / "lessons/_ledger.md").unlink()
    (team.root / "lessons/_ledger.md").symlink_to(secret)
    done = team.run(*ADD)
    assert (done.code, "leads out of the repository" in done.err) == (2, True)
    assert secret.read_bytes() == LEDGER


def clone_pair(team: Team, tmp_path: Path) -> Path:
    """Give the team's repository a remote, and make another person's clone of it."""
    git(tmp_path, "clone", "--quiet", "--bare", str(team.root), "remote.git")
    team.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    team.git("fetch", "--quiet")
    team.git("branch", "--quiet", "--set-upstream-to", "origin/main")
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(tmp_path / "remote.git"), str(other))
    name(other, "Ben")
    return other


def push_row(other: Path) -> None:
    (other / "lessons/_ledger.md").write_bytes(LEDGER + ROW)
    git(other, "commit", "--quiet", "-am", "Add lesson 3")
    git(other, "push", "--quiet")


def test_what_others_pushed_comes_in_where_that_changes_nobodys_work(
    team: Team, tmp_path: Path
) -> None:
    other = clone_pair(team, tmp_path)
    assert team.run("ledger", "sync").out == "Up to date with origin/main.\n"
    push_row(other)
    done = team.run("ledger", "sync")
    assert done.out == "Moved forward by 1 commit of origin/main. New lessons: 3.\n"
    assert (done.code, team.ledger) == (0, LEDGER + ROW)


def test_a_branch_that_went_its_own_way_is_left_alone(team: Team, tmp_path: Path) -> None:
    other = clone_pair(team, tmp_path)
    push_row(other)
    assert team.run(*ADD, "--commit").code == 0
    mine = team.git("rev-parse", "HEAD")
    done = team.run("ledger", "sync")
    assert done.code == 1
    assert "Nothing was moved. New lessons: 3." in done.out
    assert "next: git rebase origin/main" in done.err
    assert team.git("rev-parse", "HEAD") == mine


def test_a_sync_without_a_remote_says_what_to_do(team: Team) -> None:
    done = team.run("ledger", "sync")
    assert (done.code, "[no_upstream]" in done.err) == (2, True)


def test_a_ledger_begins_with_what_the_team_has_already(empty_team: Team) -> None:
    empty_team.write(
        b"Problem;Resolution;Lesson;Team\r\n"
        b'"Export wrote; no PDF";Rerun;The wrapper fails any export without its file;billing\r\n'
        b"Something;x;be careful;\r\n"
        b"\r\n"
        b"Only this;;;\r\n",
        "old.csv",
    )
    done = empty_team.run("ledger", "init", "--from", "old.csv")
    assert done.code == 1
    assert done.out == (
        "Wrote lessons/_ledger.md, 1 lesson\n"
        "Wrote templates/incident.md\n"
        "Wrote .github/workflows/faultbook-ledger.yml\n"
    )
    told = done.err.splitlines()
    assert told[0].startswith("old.csv:3 left out: “be careful” can't be checked.")
    assert told[1] == "old.csv:5 left out: it does not say a rule"
    (lesson,) = read_ledger(empty_team.ledger).lessons
    assert (lesson.what_failed, lesson.area) == ("Export wrote; no PDF", "billing")
    assert empty_team.run("ledger", "check").code == 0


def test_a_markdown_table_is_taken_too(empty_team: Team) -> None:
    empty_team.write(
        b"# Old\n\n| Team | What happened | Prevention rule |\n|---|---|---|\n"
        b"| ci | It broke \\| twice | Cache keys name the commit |\n"
        b"| ci | a|b split | x | y |\n",
        "old.md",
    )
    done = empty_team.run("ledger", "init", "--from", "old.md")
    assert (done.code, done.err.startswith("old.md:6 left out: 5 cells under")) == (1, True)
    (lesson,) = read_ledger(empty_team.ledger).lessons
    assert (lesson.what_failed, lesson.fix, lesson.area) == ("It broke | twice", "", "ci")


def test_a_file_without_lessons_changes_nothing(empty_team: Team) -> None:
    empty_team.write(b"name,age\nana,3\n", "people.csv")
    done = empty_team.run("ledger", "init", "--from", "people.csv")
    assert (done.code, "[no_lesson_table]" in done.err) == (2, True)
    assert empty_team.git("status", "--porcelain") == "?? people.csv\n"


def test_a_second_beginning_touches_nothing(team: Team) -> None:
    assert team.run("ledger", "init").code == 0
    team.write(b"mine\n", ".github/workflows/faultbook-ledger.yml")
    team.commit()
    done = team.run("ledger", "init")
    assert done.code == 0
    assert done.out == (
        "Kept lessons/_ledger.md\nKept templates/incident.md\n"
        "Kept .github/workflows/faultbook-ledger.yml\n"
    )
    assert team.git("status", "--porcelain") == ""


class Terminal:
    """A command on a terminal of its own, which is told what it asks for."""

    def __init__(self, team: Team, *words: str, **more: str) -> None:
        self.main, side = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "faultbook", *words],
            cwd=team.root,
            env=environment(team.root.parent / "person") | more,
            stdin=side,
            stdout=subprocess.PIPE,
            stderr=side,
        )
        os.close(side)
        self.said = b""

    def answer(self, question: str, text: str) -> None:
        while question.encode() not in self.said:
            self.said += os.read(self.main, 1000)
        self.said = self.said.partition(question.encode())[2]
        os.write(self.main, text.encode() + b"\n")

    def end(self) -> tuple[int, str]:
        out = self.process.communicate(timeout=30)[0]
        os.close(self.main)
        return self.process.returncode, out.decode()


def test_on_a_terminal_what_is_missing_is_asked_for(team: Team) -> None:
    terminal = Terminal(team, "ledger", "add", "--fix", "Map it")
    terminal.answer("What failed: ", "Vendor renamed a field")
    terminal.answer("held by Z: ", "be careful")
    terminal.answer("Again: ", RULE)
    assert terminal.end() == (0, "Lesson 3 added in lessons/_ledger.md.\n")
    assert team.ledger == LEDGER + ROW


def test_on_a_terminal_the_first_failures_are_asked_for(tmp_path: Path) -> None:
    new_repository(tmp_path / "team")
    (tmp_path / "person").mkdir()
    team = Team(tmp_path / "team", lambda *_: pytest.fail("not in this process"))
    terminal = Terminal(team, "ledger", "init")
    terminal.answer("1. What failed: ", "Vendor renamed a field")
    terminal.answer("Fix: ", "Map it")
    terminal.answer("held by Z: ", RULE)
    terminal.answer("Area: ", "ci")
    terminal.answer("2. What failed: ", "")
    code, out = terminal.end()
    assert (code, out.splitlines()[0]) == (0, "Wrote lessons/_ledger.md, 1 lesson")
    (lesson,) = read_ledger(team.ledger).lessons
    assert (lesson.number, lesson.rule, lesson.area) == (1, RULE, "ci")
