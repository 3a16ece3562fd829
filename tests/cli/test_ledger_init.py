"""How a team's ledger begins: with what the team has, or with what it is asked for."""

from pathlib import Path

import pytest

from faultbook.ledger.table import read_ledger
from tests.cli.ledgers import RULE, Team, Terminal, new_repository


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
