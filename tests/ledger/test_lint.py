"""The check: each problem at its place with a next step, and fixes where nothing is chosen."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultbook.assembly.templates import template
from faultbook.ledger.lint import Finding, check_files, fix_files
from faultbook.ledger.template import TEMPLATE_PATH, render_incident
from tests.ledger.test_incident_file import INCIDENT

TEMPLATE = template("incident.md").read_text("utf-8")
LEDGER = "lessons/_ledger.md"
FILE = "lessons/incidents/2026-11-18-no-pdf.md"
HEAD = "# Lessons\n\n| # | What failed | Fix | One-rule lesson |\n|---|---|---|---|\n"
ONE = "| 1 | The export wrote nothing | Write first | Fail exports without rows |\n"
TWO = "| 2 | The disk was full | A bigger one | Page at 90 % of any disk |\n"
PLAIN = f"{HEAD}{ONE}{TWO}"
LINKED = PLAIN.replace("| 2 |", "| [2](incidents/2026-11-18-no-pdf.md) |")
GOOD = render_incident(INCIDENT, TEMPLATE).decode().replace("lesson: 14", "lesson: 2")


def check(
    ledger: str = LINKED,
    incident: str | None = GOOD,
    *,
    base: str | None = None,
    highest: int = 0,
) -> list[Finding]:
    files = {LEDGER: ledger.encode("utf-8", "surrogateescape")}
    if incident is not None:
        files[FILE] = incident.encode()
    old = None if base is None else {LEDGER: base.encode()}
    return check_files(files, base=old, template=TEMPLATE, highest=highest)


def places(findings: list[Finding]) -> list[tuple[str, int, int]]:
    return [(finding.code, finding.line, finding.column) for finding in findings]


def test_a_sound_ledger_has_no_problem() -> None:
    assert check() == []
    assert check(PLAIN, None, base=PLAIN, highest=2) == []
    assert check(f"{PLAIN}| 3 | a | b | Lock the state file |\n", None, base=PLAIN) == []


def test_our_own_ledger_has_no_problem() -> None:
    root = Path(__file__).parents[2]
    found = [root / LEDGER, *(root / "lessons/incidents").glob("*.md")]
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in found}
    assert [one for one in check_files(files, template=TEMPLATE) if not one.warning] == []


@pytest.mark.parametrize(
    ("ledger", "found"),
    [
        ("", [("ledger-missing", 1, 1)]),
        ("# Lessons\n", [("ledger-missing", 1, 1)]),
        (HEAD.replace("|---|---|---|---|", "|---|"), [("ledger-missing", 3, 1)]),
        (f"<!--\n{PLAIN}-->\n", [("ledger-missing", 4, 1)]),
        ("- " + PLAIN[11:].replace("\n", "\n  "), [("ledger-missing", 1, 1)]),
        ("> " + PLAIN[11:].replace("\n", "\n> "), [("ledger-missing", 1, 1)]),
        (f"{PLAIN}\n{PLAIN}", [("ledger-ambiguous", 10, 1)]),
        (PLAIN.replace("# Lessons", "\ufeff# Lessons"), [("bom", 1, 1)]),
        (PLAIN.replace("rows |\n", "rows |\r\n"), [("mixed-line-endings", 5, 75)]),
        (PLAIN.replace("disk was", "disk \udcff was"), [("not-utf-8", 6, 16)]),
        (
            f"{HEAD}<<<<<<< HEAD\n{ONE}=======\n{TWO}>>>>>>> main\n",
            [("conflict-marker", 5, 1), ("conflict-marker", 9, 1)],
        ),
        (f"{HEAD}1 | a | b | Lock it by flock |\n", [("outer-pipes", 5, 1)]),
        (f"{HEAD}| 1 | a | b | Lock it by flock\n", [("outer-pipes", 5, 1)]),
        (f"{HEAD}| 1 | a | b |\n", [("row-too-short", 5, 1)]),
        (f"{HEAD}| 1 | a | `b|c` | Lock it by flock |\n", [("row-too-long", 5, 19)]),
        (f"{PLAIN}a line of text\n", [("stray-line", 7, 1)]),
        (f"{HEAD}{ONE}\n{TWO}", [("orphaned-row", 7, 1)]),
        (
            f"{HEAD}{ONE}\n{TWO}{TWO}\ntext\n\n{TWO}",
            [("orphaned-row", 7, 1), ("orphaned-row", 12, 1)],
        ),
        (f"{HEAD}{ONE}<!-- new -->\n{TWO}", [("orphaned-row", 7, 1)]),
        (f"{HEAD}{ONE}<div>\n{TWO}</div>\n", [("orphaned-row", 7, 1)]),
        (PLAIN.replace("| 2 |", "| x |"), [("bad-number", 6, 3)]),
        (PLAIN.replace("| 2 |", "| 0 |"), [("bad-number", 6, 3)]),
        (PLAIN.replace("| 2 |", "| #2 |"), [("bad-number", 6, 3)]),
        (PLAIN.replace("| 2 |", "|  |"), [("bad-number", 6, 2)]),
        (PLAIN.replace("| 2 |", "| \u0662 |"), [("bad-number", 6, 3)]),
        (PLAIN.replace("| 2 |", "| new |"), [("new-number", 6, 3)]),
        (PLAIN.replace("| 2 |", "| 1 |"), [("duplicate-number", 6, 3)]),
        (PLAIN.replace("Page at 90 % of any disk", ""), [("rule-missing", 6, 41)]),
        (PLAIN.replace("Page at 90 % of any disk", "be careful"), [("rule-vacuous", 6, 42)]),
        (PLAIN.replace("any disk", "a disk. Then sleep"), [("rule-sentences", 6, 42)]),
        (PLAIN.replace("any disk", "any<br>disk"), [("line-break", 6, 61)]),
        (
            PLAIN.replace("Page at 90 % of any disk", "Fail exports without rows."),
            [("rule-copy", 6, 42)],
        ),
        (PLAIN.replace("Page", "Retired: see 9. Was: Page"), [("superseded-by-unknown", 6, 42)]),
        (PLAIN.replace("| 2 |", "| [2](incidents/x.md) |"), [("link-missing", 6, 3)]),
        (PLAIN.replace("| 2 |", "| [2](../../etc/x.md) |"), [("link-missing", 6, 3)]),
    ],
)
def test_each_problem_of_the_table_is_found_at_its_place(
    ledger: str, found: list[tuple[str, int, int]]
) -> None:
    findings = check(ledger, None)
    assert places(findings) == found
    for finding in findings:
        assert finding.path == LEDGER
        assert finding.message.endswith(".")
        assert finding.next_step


def test_what_is_harmless_is_not_reported() -> None:
    fence = f"```\n{PLAIN}```\n"
    other = "\n| name | x |\n|---|---|\n| 1 | 2 |\n\n> | 1 | a | b | c |\n\nA | b | c\n"
    rule = "When `a. B` comes, e.g. from Dr. `x`, or via a.b.test, exit 78 (see tests/test_x.py)"
    assert check(f"{fence}\n{PLAIN}{other}", None) == []
    assert check(PLAIN.replace("Page at 90 % of any disk", rule), None) == []
    assert check(PLAIN.replace("any disk", r"any \<br> disk"), None) == []
    retired = "Retired: see 1. Was: be careful"
    assert check(PLAIN.replace("Page at 90 % of any disk", retired), None) == []


def test_numbers_are_held_against_the_main_branch() -> None:
    gone = check(f"{HEAD}{ONE}", None, base=PLAIN)
    assert [(one.code, one.line, one.message) for one in gone] == [
        ("number-vanished", 3, "Lesson 2 is on the main branch, but not here.")
    ]
    other = "| 2 | Cron ran twice | Unique insert | Claim each slot once |\n"
    assert places(check(f"{HEAD}{ONE}{other}", None, base=PLAIN)) == [("number-repurposed", 6, 1)]
    reused = f"{PLAIN}| 7 | Cron ran twice | Unique insert | Claim each slot once |\n"
    assert places(check(reused, None, base=PLAIN, highest=9)) == [("number-reused", 7, 3)]
    assert check(reused, None, base=PLAIN, highest=6) == []
    reworded = PLAIN.replace("The disk was full", "The data disk had no room")
    assert check(reworded, None, base=PLAIN) == []
    retired = PLAIN.replace("Page", "Retired: see 1. Was: Page")
    assert check(retired, None, base=PLAIN) == []


def test_of_two_rows_with_one_number_the_newer_is_told() -> None:
    new = "| 2 | Cron ran twice | Unique insert | Claim each slot once |\n"
    above = f"{HEAD}{ONE}{new}{TWO}"
    assert places(check(above, None)) == [("duplicate-number", 7, 3)]
    found = check(above, None, base=PLAIN)
    assert places(found) == [("duplicate-number", 6, 3)]
    assert (found[0].message, found[0].next_step, found[0].fixable) == (
        "2 is also on line 7.",
        "faultbook ledger check --fix",
        True,
    )


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        (GOOD, "# no front matter\n", "front-matter-missing", 1),
        ("\n---\n\n# invoice", "\n\n# invoice", "front-matter-unclosed", 1),
        ("area: ", "date: x\narea: ", "duplicate-key", 5),
        ('owner: "Ana"', "owner: @ana", "yaml", 6),
        ('owner: "Ana"', "owner: !!str ana", "yaml-tag", 6),
        ('title: "invoice-sync wrote no PDF"\n', "", "key-missing", 1),
        ('owner: "Ana"', "owner:", "key-empty", 6),
        ("severity: high", "severity: huge", "bad-severity", 4),
        ("severity:", "severty:", "key-missing", 1),
        ("date: 2026-11-18", "date: 18.11.2026", "bad-date", 3),
        ("date: 2026-11-18", "date: 2026-02-30", "bad-date", 3),
        ("date: 2026-11-18", "date: 2026-11-19", "file-name", 3),
        ("enforcement: test", "enforcement: hope", "bad-enforcement", 10),
        (
            'enforcement_ref: "tests/test_export.py"',
            "enforcement_ref:",
            "enforcement-ref-missing",
            10,
        ),
        ("status: open", "status: done", "bad-status", 14),
        ("status: open", "status: closed", "closed-unverified", 41),
        (
            'rule: "The wrapper fails any export without report.pdf"',
            'rule: "be careful"',
            "rule-vacuous",
            8,
        ),
        ('rule: "The wrapper fails any export without report.pdf"', "rule:", "rule-missing", 8),
        (
            'rule: "The wrapper fails any export without report.pdf"',
            'rule: "Written by the named person"',
            "rule-template",
            8,
        ),
        (
            'rule: "The wrapper fails any export without report.pdf"',
            'rule: "Fail exports without rows"',
            "rule-copy",
            8,
        ),
        ('rule_author: "Ana"', 'rule_author: "team"', "rule-author-missing", 9),
        ('rule_author: "Ana"\n', "", "rule-author-missing", 1),
        ("## Root cause\n", "", "section-missing", 42),
        ("It ended with 0.\n\nThe file was not there.", "", "section-empty", 22),
        ("lesson: 2", "lesson: two", "bad-lesson", 13),
        ("lesson: 2", "lesson: 9", "lesson-unknown", 13),
        (
            'why_linked: "Whoever writes an export writes the file first"',
            "why_linked:",
            "why-linked-missing",
            17,
        ),
    ],
)
def test_each_problem_of_an_incident_is_found_at_its_line(
    old: str, new: str, code: str, line: int
) -> None:
    assert old in GOOD
    findings = [one for one in check(incident=GOOD.replace(old, new)) if one.path == FILE]
    assert (findings[0].code, findings[0].line) == (code, line)
    assert all(one.next_step and one.message.endswith(".") for one in findings)


def test_both_sides_of_a_link_must_agree() -> None:
    disagreeing = check(incident=GOOD.replace("lesson: 2", "lesson: 1"))
    assert [(one.path, one.code, one.fixable) for one in disagreeing] == [
        (LEDGER, "link-disagrees", False)
    ]
    silent = check(incident=GOOD.replace("lesson: 2", "lesson:"))
    assert [(one.path, one.code, one.fixable) for one in silent] == [
        (LEDGER, "link-disagrees", True)
    ]
    one_sided = check(PLAIN)
    assert [(one.path, one.code, one.warning) for one in one_sided] == [
        (FILE, "link-one-sided", True)
    ]
    alone = check(PLAIN, GOOD.replace("lesson: 2", "lesson:"))
    assert [(one.path, one.code, one.warning) for one in alone] == [(FILE, "lesson-missing", True)]


def test_a_second_incident_of_a_lesson_is_a_repeat_and_no_problem() -> None:
    repeat = GOOD.replace("2026-11-18", "2026-11-20").encode()
    files = {LEDGER: LINKED.encode(), FILE: GOOD.encode()}
    files["lessons/incidents/2026-11-20-no-pdf.md"] = repeat
    assert check_files(files, template=TEMPLATE) == []


def test_an_incident_that_repeats_a_lesson_may_say_its_rule() -> None:
    rule = "The wrapper fails any export without report.pdf"
    copied = GOOD.replace(rule, "Fail exports without rows")
    assert [one.code for one in check(incident=copied)] == ["rule-copy"]
    named = copied.replace('"a tool"', '"Lesson 1"')
    assert check(incident=named) == []


def test_a_template_is_checked_too() -> None:
    broken = TEMPLATE.replace("{{ fix |", "{{ fixx |")
    found = check_files({LEDGER: PLAIN.encode()}, template=broken)
    line = broken.splitlines().index("{{ fixx | markdown }}") + 1
    assert [(one.path, one.line, one.code) for one in found] == [
        (TEMPLATE_PATH, line, "template-variable")
    ]


def test_without_a_ledger_that_is_the_problem() -> None:
    assert [(one.path, one.code) for one in check_files({}, template=TEMPLATE)] == [
        (LEDGER, "ledger-missing")
    ]
    elsewhere = check_files({"docs/x/incidents/2026-11-18-a.md": b""}, template=TEMPLATE)
    assert [(one.path, one.code) for one in elsewhere] == [
        ("docs/x/_ledger.md", "ledger-missing"),
        ("docs/x/incidents/2026-11-18-a.md", "front-matter-missing"),
    ]


def test_hostile_text_is_shown_on_one_line() -> None:
    bad = "\u202e" + "x" * 500
    findings = check(PLAIN.replace("| 2 |", f"| {bad} |"), GOOD.replace("high", f'"a\\n{bad}"'))
    assert len(findings) >= 2
    for finding in findings:
        assert "\u202e" not in finding.message
        assert "\n" not in finding.message
        assert len(finding.message) < 250


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet="|-#\\` \n\r12new[](i)ax.:", max_size=120),
    st.text(alphabet="ab:-#|>[]{}&*!\"', \n\r\t\\", max_size=120),
)
def test_whatever_the_files_hold_they_are_checked(rows: str, fields: str) -> None:
    ledger = f"{HEAD}{rows}".encode()
    files = {LEDGER: ledger, FILE: f"---\n{fields}\n---\n{rows}".encode()}
    findings = check_files(files, base={LEDGER: PLAIN.encode()}, template=TEMPLATE, highest=5)
    lines = max(data.replace(b"\r", b"\n").count(b"\n") + 1 for data in files.values())
    assert all(1 <= one.line <= lines and one.column >= 1 for one in findings)
    fixed = fix_files(files, base={LEDGER: PLAIN.encode()}, highest=5)
    assert fix_files({**files, **fixed}, base={LEDGER: PLAIN.encode()}, highest=5) == {}


def test_fixes_mend_what_needs_no_choice_and_nothing_else() -> None:
    new = (
        "| [2](incidents/2026-11-19-twice.md) | Cron ran twice | Unique insert | Claim each slot |"
    )
    ledger = f"\ufeff{HEAD}{ONE}{TWO}{new}\n3 | a \\| b | c | Lock the state file\n"
    twice = GOOD.replace("2026-11-18", "2026-11-19")
    path = "lessons/incidents/2026-11-19-twice.md"
    files = {LEDGER: ledger.encode(), path: twice.encode(), "README.md": b"\xef\xbb\xbf"}
    base = {LEDGER: PLAIN.encode()}
    before = check_files(files, base=base, template=TEMPLATE)
    assert {one.code for one in before if one.fixable} == {"bom", "duplicate-number", "outer-pipes"}
    fixed = fix_files(files, base=base)
    rest = f"{new.replace('[2]', '[new]')}\n| 3 | a \\| b | c | Lock the state file |\n"
    assert dict(fixed) == {
        LEDGER: f"{HEAD}{ONE}{TWO}{rest}".encode(),
        path: twice.replace("lesson: 2", "lesson: ").encode(),
    }
    after = check_files({**files, **fixed}, base=base, template=TEMPLATE)
    assert [one.code for one in after] == ["new-number"]
    assert fix_files({**files, **fixed}, base=base) == {}


def test_a_silent_side_of_a_link_is_filled_in() -> None:
    silent = GOOD.replace("lesson: 2", "lesson:")
    fixed = fix_files({LEDGER: LINKED.encode(), FILE: silent.encode()})
    assert dict(fixed) == {FILE: GOOD.encode()}


def test_a_number_that_was_taken_before_becomes_new() -> None:
    reused = f"{PLAIN}| 7 | Cron ran twice | Unique insert | Claim each slot once |\n"
    fixed = fix_files({LEDGER: reused.encode()}, base={LEDGER: PLAIN.encode()}, highest=9)
    assert fixed == {LEDGER: reused.replace("| 7 |", "| new |").encode()}


@pytest.mark.parametrize(
    "ledger",
    [
        PLAIN.replace("| 2 |", "| 1 |"),
        f"{HEAD}a line of text\n",
        f"{HEAD}| 1 | a | b\n",
        f"{PLAIN}\n{PLAIN}",
        "",
    ],
)
def test_what_needs_a_choice_is_left_alone(ledger: str) -> None:
    assert fix_files({LEDGER: ledger.encode()}) == {}


_ROW = (
    "| {n} | The export number {n} wrote no file although it said so, and nobody noticed for a day"
    " | Write the file first, then say so in job {n}"
    " | The wrapper fails any export {n} without its report when job {n} says so in its log |\n"
)
_BARE = """
import sys, time
from markdown_it import MarkdownIt
text = open(sys.argv[1], encoding="utf-8").read()
MarkdownIt("commonmark").enable("table").disable("inline").parse(text)
print(time.process_time())
"""
_CHECK = """
import sys, time
from faultbook.ledger.lint import check_files
data = open(sys.argv[1], "rb").read()
found = check_files({"lessons/_ledger.md": data}, template=open(sys.argv[2]).read())
assert found == [], found[:3]
print(time.process_time())
"""


def test_ten_thousand_rows_take_at_most_twice_the_time_of_a_bare_parse(tmp_path: Path) -> None:
    ledger = tmp_path / "_ledger.md"
    ledger.write_text(HEAD + "".join(_ROW.format(n=n) for n in range(1, 10_001)), "utf-8")

    def seconds(code: str) -> float:
        command = [sys.executable, "-c", code, str(ledger), str(template("incident.md"))]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    # The least of a few is what the work takes; the rest is the machine's other work.
    bare = min(seconds(_BARE) for _ in range(2))
    assert min(seconds(_CHECK) for _ in range(2)) <= 2 * bare
