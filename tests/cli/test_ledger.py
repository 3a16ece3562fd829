"""`faultbook ledger` in a team's repository: what changes, what must not, and what is said."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from faultbook.base.clock import system_clock
from faultbook.ledger.table import read_ledger
from faultbook.operations import known_failures
from faultbook.store.engine import open_store, sqlite_url
from tests.cli.ledgers import ADD, LEDGER, ROW, RULE, Team, Terminal, environment


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


def test_on_a_terminal_what_is_missing_is_asked_for(team: Team) -> None:
    terminal = Terminal(team, "ledger", "add", "--fix", "Map it")
    terminal.answer("What failed: ", "Vendor renamed a field")
    terminal.answer("held by Z: ", "be careful")
    terminal.answer("Again: ", RULE)
    assert terminal.end() == (0, "Lesson 3 added in lessons/_ledger.md.\n")
    assert team.ledger == LEDGER + ROW
