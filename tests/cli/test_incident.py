"""`faultbook incident`, and what `faultbook ledger check` says of incident files."""

import os
import stat
from pathlib import Path

import pytest

from faultbook.ledger.incident_file import read_incident
from faultbook.ledger.table import read_ledger
from faultbook.model.incident import Enforcement, IncidentStatus, Severity
from tests.cli.ledgers import LEDGER, RULE, Team, Terminal

OPEN = (
    *("incident", "open", "--title", "Vendor renamed a field", "--severity", "high"),
    *("--area", "billing", "--owner", "Ben", "--what-failed", "The import kept 0 of 40 rows."),
    *("--rule", RULE, "--why-linked", "Look at the rows kept, not at the exit code"),
    *("--date", "2026-11-18"),
)
PATH = "lessons/incidents/2026-11-18-vendor-renamed-a-field.md"


def test_an_incident_is_a_file_a_row_and_a_link(team: Team) -> None:
    done = team.run(*OPEN, "--enforcement", "test", "--enforcement-ref", "tests/test_vendor.py")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"Incident opened, lesson 3, in lessons/_ledger.md, {PATH}.\n"
    fields = read_incident((team.root / PATH).read_bytes(), PATH).fields
    assert (fields.title, fields.severity, fields.owner) == (
        "Vendor renamed a field",
        Severity.HIGH,
        "Ben",
    )
    assert (fields.rule_author, fields.lesson, fields.prevention_rule) == ("Ana", 3, RULE)
    assert (fields.enforcement, fields.enforcement_ref) == (
        Enforcement.TEST,
        "tests/test_vendor.py",
    )
    row = read_ledger(team.ledger).lessons[2]
    assert (row.number, row.incident, row.rule) == (3, PATH.removeprefix("lessons/"), RULE)
    assert team.ledger.startswith(LEDGER)
    assert team.run("ledger", "check").code == 0
    assert "held by      test: tests/test_vendor.py" in team.run("ledger", "show", "3").out


def test_an_incident_can_be_committed_alone(team: Team) -> None:
    team.write(b"print('changed')\n", "app.py")
    done = team.run(*OPEN, "--commit", "--json").document
    assert done["incident"] == PATH
    names = team.git("show", "--format=", "--name-only", done["commit"])
    assert names.split() == ["lessons/_ledger.md", PATH]
    assert team.git("status", "--porcelain") == " M app.py\n"


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("be more careful", "rule_vacuous"),
        ("One sentence a stranger can check: when X, do Y, held by Z.", "rule_template"),
        ("Cache keys name the commit (tests/test_cache.py)", "rule_copy"),
    ],
)
def test_without_a_rule_of_its_own_nothing_is_written(team: Team, rule: str, code: str) -> None:
    words = list(OPEN)
    words[words.index(RULE)] = rule
    done = team.run(*words)
    assert (done.code, f"[{code}]" in done.err) == (2, True)
    assert team.git("status", "--porcelain") == ""


def test_a_repeat_takes_the_rule_up_again_and_says_what_changes(team: Team) -> None:
    words = list(OPEN)
    words[words.index(RULE)] = "Cache keys name the commit (tests/test_cache.py)"
    assert "[rule_copy]" in team.run(*words, "--repeats", "2").err
    change = ("--repeats", "2", "--enforcement-change", "A gate in CI instead of a test by hand")
    assert team.run(*words, *change).code == 0


def test_what_is_missing_is_named_where_nobody_can_be_asked(team: Team) -> None:
    done = team.run("incident", "open", "--title", "x", "--severity", "low")
    assert done.code == 2
    named = "--area, --owner, --what-failed, --rule, --why-linked"
    assert f"Missing: {named}. [missing_options]" in done.err
    assert "[incident_date]" in team.run(*OPEN[:-1], "18.11.2026").err
    assert team.git("status", "--porcelain") == ""


def test_an_incident_is_closed_by_what_proves_the_fix(team: Team) -> None:
    team.run(*OPEN)
    missing = team.run("incident", "close", "3")
    assert (missing.code, "Missing: --verification." in missing.err) == (2, True)
    done = team.run("incident", "close", "3", "--verification", "run 7c1e90ab passed")
    assert (done.code, done.out) == (0, f"Incident closed in {PATH}.\n")
    fields = read_incident((team.root / PATH).read_bytes(), PATH).fields
    assert fields.status is IncidentStatus.CLOSED
    assert fields.verification == "run 7c1e90ab passed"
    again = team.run("incident", "close", PATH, "--verification", "run 7c1e90ab passed")
    assert again.out == "The incident was closed before.\n"
    unknown = team.run("incident", "close", "../../etc/passwd", "--verification", "x")
    assert (unknown.code, "[incident_not_found]" in unknown.err) == (2, True)


def test_incidents_are_listed_the_newest_first(team: Team) -> None:
    team.run(*OPEN)
    older = [*OPEN[:-1], "2026-10-01"]
    older[older.index(RULE)] = "Jobs take a lock before they start (tests/test_lock.py)"
    team.run(*older)
    team.run("incident", "close", "3", "--verification", "run 7c1e90ab passed")
    listed = team.run("incident", "list").out.splitlines()
    assert [line.split()[:5] for line in listed] == [
        ["2026-11-18", "closed", "high", "lesson", "3"],
        ["2026-10-01", "open", "high", "lesson", "4"],
    ]
    only = team.run("incident", "list", "--status", "open", "--json").document["incidents"]
    assert [one["lesson"] for one in only] == [4]


def test_a_broken_file_is_told_with_its_line_and_the_next_step(team: Team) -> None:
    team.run(*OPEN)
    file = team.root / PATH
    file.write_bytes(file.read_bytes().replace(b"severity: high", b"severity: dreadful"))
    done = team.run("incident", "check")
    assert done.code == 1
    first, second, last = done.out.splitlines()
    assert first.startswith(f"{PATH}:4:")
    assert second.startswith("    next: ")
    assert last == "1 problem in 3 rows, 1 incident file"
    told = team.run("ledger", "check", "--json").document
    assert (told["rows"], told["incidents"], len(told["problems"])) == (3, 1, 1)
    assert (told["problems"][0]["path"], told["problems"][0]["line"]) == (PATH, 4)


def test_problems_of_the_table_are_not_those_of_the_incidents(team: Team) -> None:
    team.write(LEDGER.replace(b"| 2 |", b"| 1 |"))
    done = team.run("ledger", "check")
    assert done.code == 1
    assert done.out.splitlines()[0].startswith("lessons/_ledger.md:6:3 duplicate-number  ")
    assert team.run("incident", "check").code == 0


def test_a_base_that_is_none_can_not_be_compared_with(team: Team) -> None:
    done = team.run("ledger", "check", "--base", "nonsense")
    assert (done.code, "[unknown_revision]" in done.err) == (2, True)
    hostile = team.run("ledger", "check", "--base=--output=/tmp/x")
    assert (hostile.code, "[unknown_revision]" in hostile.err) == (2, True)


def test_a_row_that_vanished_since_the_base_is_told(team: Team) -> None:
    lines = LEDGER.splitlines(keepends=True)
    team.write(b"".join(lines[:-1]))
    assert team.run("ledger", "check").code == 0
    done = team.run("ledger", "check", "--base", "HEAD")
    assert done.code == 1
    assert "2" in done.out.splitlines()[0]


def test_hostile_fields_stay_inert_and_inside(team: Team) -> None:
    words = list(OPEN)
    words[words.index("Vendor renamed a field")] = "../../x | --- </details> <!channel> \u202e"
    words[words.index("Ben")] = "!!python/object:os.system {{ 7*7 }}"
    words[words.index("The import kept 0 of 40 rows.")] = "---\n# heading\n| 9 | a | b | c |\n<!--"
    done = team.run(*words, "--json").document
    path = Path(done["incident"])
    assert path.parent == Path("lessons/incidents")
    fields = read_incident((team.root / path).read_bytes(), str(path)).fields
    assert fields.owner == "!!python/object:os.system {{ 7*7 }}"
    assert fields.what_failed.startswith("---\n# heading")
    assert [lesson.number for lesson in read_ledger(team.ledger).lessons] == [1, 2, 3]
    assert team.run("ledger", "check").code == 0


def test_statistics_tell_areas_repeats_lag_and_what_holds_the_rules(team: Team) -> None:
    team.run(*OPEN, "--enforcement", "test", "--enforcement-ref", "t.py", "--commit")
    told = team.run("ledger", "stats", "--json").document
    assert (told["in_force"], told["held_by_test_or_gate"]) == (3, 1)
    assert {area["area"]: area["in_force"] for area in told["areas"]} == {"billing": 2, "ci": 1}
    (lag,) = told["lags"]
    assert (lag["path"], lag["lesson"]) == (PATH, 3)
    assert lag["seconds"] is not None
    text = team.run("ledger", "stats").out
    assert text.startswith("3 lessons in force, 0 retired\n\nBy area\n  billing: 2\n  ci: 1\n")
    assert "Held by a test or a gate: 1 of 3\n" in text
    team.write(b"", "tests/test_cache.py")  # the rule of lesson 2 names it
    assert "Held by a test or a gate: 2 of 3\n" in team.run("ledger", "stats").out


def test_on_a_terminal_the_long_text_is_written_in_the_editor(team: Team, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nprintf 'It kept 0 of 40 rows.\\n\\nNobody saw.\\n' > \"$1.new\"\n"
                      'cat "$1" >> "$1.new"; mv "$1.new" "$1"\n')  # fmt: skip
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    given = ("incident", "open", "--title", "Vendor", "--area", "billing", "--date", "2026-11-18")
    terminal = Terminal(team, *given, EDITOR=str(editor), VISUAL=str(editor))
    terminal.answer("Severity", "high")
    terminal.answer("Owner [Ana]: ", "")
    terminal.answer("held by Z: ", RULE)
    terminal.answer("next time?: ", "Look at the rows kept")
    code, out = terminal.end()
    assert (code, out.startswith("Incident opened, lesson 3,")) == (0, True)
    (path,) = (team.root / "lessons/incidents").iterdir()
    fields = read_incident(path.read_bytes(), path.name).fields
    assert fields.what_failed == "It kept 0 of 40 rows.\n\nNobody saw."
    assert (fields.severity, fields.owner) == (Severity.HIGH, "Ana")
    assert os.access(path, os.R_OK)
