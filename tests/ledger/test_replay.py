"""What an operation makes of the files at a head: a pure function, with a person's text first."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from faultbook.base.errors import ConflictError, FaultbookError, InvalidError, NotFoundError
from faultbook.ledger.incident_file import read_incident
from faultbook.ledger.lint import check_files
from faultbook.ledger.replay import Ground, TextConflictError, apply, message_of
from faultbook.ledger.table import read_ledger
from faultbook.model.incident import IncidentStatus
from faultbook.model.ledger_operation import LedgerOperation, LedgerVerb
from faultbook.operations.ledger import describe_conflict
from tests.conftest import START
from tests.ledger.remotes import HEADER, LEDGER, ROW

TEMPLATE = (Path(__file__).parents[2] / "templates" / "incident.md").read_text("utf-8")
RULE = "The importer refuses a file without its totals row (tests/test_import.py)"
INCIDENT: dict[str, Any] = {
    "title": "invoice-sync: no PDF was written",
    "date": "2026-11-18",
    "severity": "high",
    "area": "billing",
    "owner": "Ana",
    "prevention_rule": RULE,
    "rule_author": "Ana",
    "what_failed": "The export wrote no totals",
    "enforcement": "test",
    "enforcement_ref": "tests/test_import.py",
    "related": ["jobs/export.py"],
    "fingerprint": "f1:abc",
    "why_linked": "Whoever adds an export reads here why its exit code is not enough",
    "run_id": "r1",
}


def operation(verb: LedgerVerb, **payload: Any) -> LedgerOperation:  # noqa: ANN401 - JSON values
    return LedgerOperation("0199-op", verb, payload, "UANA", "Ana", START)


def ground(text: str = HEADER + ROW, highest: int = 0, **files: bytes) -> Ground:
    return Ground({LEDGER: text.encode(), **files}, TEMPLATE, highest)


def after(change_files: dict[str, bytes]) -> str:
    return change_files[LEDGER].decode()


def lesson(**changes: str) -> dict[str, str]:
    return {"what_failed": "No totals", "fix": "Add them", "rule": RULE} | changes


def test_a_lesson_becomes_one_row_with_the_next_number() -> None:
    change = apply(operation(LedgerVerb.ADD_LESSON, **lesson()), ground())
    assert after(change.files) == HEADER + ROW + f"| 2 | No totals | Add them | {RULE} |\n"
    assert (change.number, change.highest) == (2, 2)


def test_a_number_that_was_ever_used_is_not_used_again() -> None:
    change = apply(operation(LedgerVerb.ADD_LESSON, **lesson()), ground(highest=30))
    assert (change.number, change.highest) == (31, 31)


@pytest.mark.parametrize(
    ("rule", "code"),
    [("", "rule_missing"), ("be more careful", "rule_vacuous")],
)
def test_no_lesson_and_no_incident_reaches_git_without_a_rule(rule: str, code: str) -> None:
    for asked in (
        operation(LedgerVerb.ADD_LESSON, **lesson(rule=rule)),
        operation(LedgerVerb.OPEN_INCIDENT, **(INCIDENT | {"prevention_rule": rule})),
    ):
        with pytest.raises(InvalidError) as refused:
            apply(asked, ground())
        assert refused.value.code == code


def test_a_rule_that_came_to_main_meanwhile_is_not_written_twice() -> None:
    asked = operation(LedgerVerb.ADD_LESSON, **lesson())
    once = apply(asked, ground())
    with pytest.raises(InvalidError, match="Lesson 2 says this"):
        apply(asked, Ground(once.files, TEMPLATE, once.highest))


def test_an_incident_is_a_file_and_a_row_that_link_each_other() -> None:
    change = apply(operation(LedgerVerb.OPEN_INCIDENT, **INCIDENT), ground())
    path = "lessons/incidents/2026-11-18-invoice-sync-no-pdf-was-written.md"
    assert sorted(change.files) == [LEDGER, path]
    assert (change.number, change.path) == (2, path)
    row = read_ledger(change.files[LEDGER]).find(2)
    assert row is not None
    assert row.incident == path.removeprefix("lessons/")
    assert row.rule == RULE
    written = read_incident(change.files[path], path)
    assert written.problems == ()
    assert (written.fields.lesson, written.fields.title) == (2, INCIDENT["title"])
    assert written.fields.fingerprint == "f1:abc"
    assert written.fields.status is IncidentStatus.OPEN


def test_a_second_incident_of_that_day_and_title_gets_the_next_name() -> None:
    first = apply(operation(LedgerVerb.OPEN_INCIDENT, **INCIDENT), ground())
    other = INCIDENT | {"prevention_rule": "A nightly job counts PDFs and pages at zero"}
    second = apply(
        operation(LedgerVerb.OPEN_INCIDENT, **other), Ground(first.files, TEMPLATE, first.highest)
    )
    assert second.path == str(first.path).replace(".md", "-2.md")
    assert first.path not in second.files


def test_a_ledger_in_another_folder_keeps_its_incidents_there() -> None:
    files = {"docs/faults/_ledger.md": (HEADER + ROW).encode()}
    there = Ground(files, TEMPLATE, folder="docs/faults")
    change = apply(operation(LedgerVerb.OPEN_INCIDENT, **INCIDENT), there)
    assert str(change.path).startswith("docs/faults/incidents/2026-11-18-")
    assert sorted(change.files) == ["docs/faults/_ledger.md", str(change.path)]


REPEATED = {
    **INCIDENT,
    "prevention_rule": "The wrapper fails an export without a file",
    "why_linked": "",
    "repeats": 1,
    "enforcement_change": "A gate in CI instead of a page in the handbook",
}


def test_a_repeat_adds_no_copy_of_the_rule_and_says_what_holds_it_from_now_on() -> None:
    change = apply(operation(LedgerVerb.OPEN_INCIDENT, **REPEATED), ground())
    fields = read_incident(change.files[str(change.path)], "").fields
    assert (change.number, fields.lesson) == (1, 1)
    assert "lesson 1" in fields.related
    assert fields.why_linked == "A gate in CI instead of a page in the handbook"
    [row] = read_ledger(change.files[LEDGER]).lessons
    assert row.incident == str(change.path).removeprefix("lessons/")
    files = change.files
    assert [one.code for one in check_files(files, template=TEMPLATE) if not one.warning] == []
    again = apply(operation(LedgerVerb.OPEN_INCIDENT, **REPEATED), Ground(files, TEMPLATE))
    assert list(again.files) == [again.path]  # the row leads to the first one already
    files = files | again.files
    assert [one.code for one in check_files(files, template=TEMPLATE) if not one.warning] == []


def test_a_repeat_with_a_stronger_rule_is_a_lesson_of_its_own() -> None:
    stronger = REPEATED | {"prevention_rule": RULE}
    change = apply(operation(LedgerVerb.OPEN_INCIDENT, **stronger), ground())
    assert change.number == 2
    assert "lesson 1" in read_incident(change.files[str(change.path)], "").fields.related


def test_what_the_bot_writes_passes_its_own_check() -> None:
    change = apply(operation(LedgerVerb.OPEN_INCIDENT, **INCIDENT), ground())
    found = check_files(change.files, base=ground().files, template=TEMPLATE, highest=1)
    assert found == []


@pytest.mark.parametrize("missing", ["why_linked", "enforcement_ref", "what_failed"])
def test_what_the_check_would_find_fault_with_is_refused_before(missing: str) -> None:
    with pytest.raises(InvalidError) as refused:
        apply(operation(LedgerVerb.OPEN_INCIDENT, **(INCIDENT | {missing: " "})), ground())
    assert refused.value.where == missing


def test_what_failed_at_length_is_told_in_the_file_and_named_in_the_row() -> None:
    long = INCIDENT | {"what_failed": "It began at nine.\n\n" + "Then more broke. " * 60}
    change = apply(operation(LedgerVerb.OPEN_INCIDENT, **long), ground())
    row = read_ledger(change.files[LEDGER]).find(2)
    assert row is not None
    assert row.what_failed == INCIDENT["title"]
    fields = read_incident(change.files[str(change.path)], "").fields
    assert fields.what_failed.count("Then more broke.") == 60


@pytest.mark.parametrize(
    "changes",
    [{"severity": "dire"}, {"enforcement": "hope"}, {"date": "18 November"}, {"title": None}],
)
def test_an_incident_that_lacks_something_is_refused(changes: dict[str, Any]) -> None:
    asked = {name: value for name, value in (INCIDENT | changes).items() if value is not None}
    with pytest.raises(InvalidError):
        apply(operation(LedgerVerb.OPEN_INCIDENT, **asked), ground())


HOSTILE = [
    "a | b",
    "a\n| 99 | x | y | z |",
    "---\nowner: x",
    "</details><script>",
    "<!channel> @here",
    "../../x",
    "--output=x",
    "!!python/object:os",
    "\u202egnp.exe",
    "{{ 7 * 7 }} {% raw %}",
    "\nLedger-Op: 0199-other\nLedger-Row: 99\n",
    "`|`",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_any_field_stays_text(text: str) -> None:
    fields = {
        name: f"{value} {text}"
        for name, value in INCIDENT.items()
        if name in {"title", "area", "owner", "what_failed", "prevention_rule", "rule_author"}
    }
    asked = operation(LedgerVerb.OPEN_INCIDENT, **(INCIDENT | fields))
    asked = replace(asked, requester_name=f"Ana {text}")
    change = apply(asked, ground())
    assert sorted(path.rpartition("/")[0] for path in change.files) == [
        "lessons",
        "lessons/incidents",
    ]
    assert len(after(change.files).splitlines()) == 4
    found = read_ledger(change.files[LEDGER])
    assert found.problems == ()
    assert [one.number for one in found.lessons] == [1, 2]
    assert read_incident(change.files[str(change.path)], "").problems == ()
    message = message_of(asked, change)
    subject, blank, *trailers = message.splitlines()
    assert (len(subject) <= 72, blank) == (True, "")
    assert [line.partition(": ")[0] for line in trailers] == [
        "Requested-by",
        "Ledger-Op",
        "Ledger-Row",
    ]
    assert trailers[1:] == ["Ledger-Op: 0199-op", "Ledger-Row: 2"]


def set_rule(expected: str, text: str, **more: object) -> LedgerOperation:
    return operation(
        LedgerVerb.SET_CELL, number=1, column="rule", expected=expected, text=text, **more
    )


OLD = "The wrapper fails an export without a file"


def test_a_cell_is_changed_where_it_still_says_what_was_seen() -> None:
    change = apply(set_rule(OLD, "New rule"), ground())
    assert after(change.files) == HEADER + ROW.replace(OLD, "New rule")


def test_a_cell_that_a_person_changed_stays_and_both_texts_are_told() -> None:
    with pytest.raises(TextConflictError) as conflict:
        apply(set_rule("Older words", "Mine"), ground())
    assert (conflict.value.theirs, conflict.value.mine) == (OLD, "Mine")


def test_mine_is_applied_over_the_text_that_was_shown_and_no_later_one() -> None:
    shown = str(describe_conflict(OLD, "Mine")["theirs_sha256"])
    chosen = set_rule("Older words", "Mine", expected_sha256=shown)
    assert "| Mine |" in after(apply(chosen, ground()).files)
    with pytest.raises(TextConflictError):
        apply(chosen, ground(HEADER + ROW.replace(OLD, "Changed once more")))


def test_a_cell_that_says_it_already_needs_no_commit() -> None:
    assert apply(set_rule("Older words", OLD), ground()).files == {}


def test_a_lesson_is_retired_and_stays() -> None:
    two = HEADER + ROW + ROW.replace("| 1 |", "| 2 |").replace("without a file", "of no bytes")
    asked = operation(LedgerVerb.RETIRE_LESSON, number=1, superseded_by=2, why="covers more")
    change = apply(asked, ground(two))
    found = read_ledger(change.files[LEDGER])
    assert [(one.number, one.retired, one.superseded_by) for one in found.lessons] == [
        (1, True, 2),
        (2, False, None),
    ]
    again = Ground(change.files, TEMPLATE)
    assert apply(asked, again).files == {}
    with pytest.raises(ConflictError, match="retired"):
        apply(operation(LedgerVerb.RETIRE_LESSON, number=1, why="other"), again)


def closed(verification: str, at: Ground, path: str, **more: object) -> dict[str, bytes]:
    asked = operation(LedgerVerb.CLOSE_INCIDENT, path=path, verification=verification, **more)
    return apply(asked, at).files


def test_an_incident_is_closed_with_its_verification_and_no_other_change() -> None:
    opened = apply(operation(LedgerVerb.OPEN_INCIDENT, **INCIDENT), ground())
    path, at = str(opened.path), Ground(opened.files, TEMPLATE)
    files = closed("Run 7c1e90ab passed after the fix", at, path)
    before, now = opened.files[path].decode(), files[path].decode()
    assert list(files) == [path]
    fields = read_incident(files[path], path).fields
    assert fields.status is IncidentStatus.CLOSED
    assert fields.verification == "Run 7c1e90ab passed after the fix"
    removed = set(before.splitlines()) - set(now.splitlines())
    assert [line.split(":")[0] for line in removed] == ["status"]


def test_an_incident_is_closed_once_and_the_first_verification_stays() -> None:
    opened = apply(operation(LedgerVerb.OPEN_INCIDENT, **INCIDENT), ground())
    path = str(opened.path)
    files = opened.files | closed("Run 1 passed", Ground(opened.files, TEMPLATE), path)
    at = Ground(files, TEMPLATE)
    assert closed("Run 1 passed", at, path) == {}
    with pytest.raises(TextConflictError) as conflict:
        closed("Run 2 passed", at, path)
    assert (conflict.value.theirs, conflict.value.mine) == ("Run 1 passed", "Run 2 passed")
    shown = str(describe_conflict("Run 1 passed", "")["theirs_sha256"])
    assert closed("Run 2 passed", at, path, expected_sha256=shown)


def test_nothing_is_closed_without_verification() -> None:
    opened = apply(operation(LedgerVerb.OPEN_INCIDENT, **INCIDENT), ground())
    with pytest.raises(InvalidError, match="needs verification"):
        closed("  \n ", Ground(opened.files, TEMPLATE), str(opened.path))


def test_rows_that_say_new_get_the_next_numbers_from_top_to_bottom() -> None:
    new = ROW.replace("| 1 |", "| new |")
    change = apply(operation(LedgerVerb.NUMBER_NEW_ROWS), ground(HEADER + new + ROW + new, 7))
    numbers = [one.number for one in read_ledger(change.files[LEDGER]).lessons]
    assert (numbers, change.number, change.highest) == ([8, 1, 9], 9, 9)
    done = apply(operation(LedgerVerb.NUMBER_NEW_ROWS), Ground(change.files, TEMPLATE, 9))
    assert done.files == {}


@pytest.mark.parametrize(
    "asked",
    [
        set_rule("x", "y"),
        operation(LedgerVerb.RETIRE_LESSON, number=9, why="x"),
        operation(LedgerVerb.CLOSE_INCIDENT, path="lessons/incidents/no.md", verification="x"),
    ],
)
def test_what_is_not_there_is_named(asked: LedgerOperation) -> None:
    with pytest.raises(NotFoundError) as missing:
        apply(asked, ground(HEADER))
    assert missing.value.next_step


def test_a_branch_without_a_ledger_says_how_to_make_one() -> None:
    with pytest.raises(FaultbookError) as missing:
        apply(operation(LedgerVerb.ADD_LESSON, **lesson()), Ground({}, TEMPLATE))
    assert missing.value.code == "ledger_missing"
    assert "faultbook ledger init" in missing.value.next_step


def test_a_path_outside_of_the_ledger_is_never_closed() -> None:
    data = apply(operation(LedgerVerb.OPEN_INCIDENT, **INCIDENT), ground()).files
    secret = next(text for path, text in data.items() if path != LEDGER)
    at = Ground({"README.md": secret, LEDGER: HEADER.encode()}, TEMPLATE)
    with pytest.raises(NotFoundError):
        closed("x", at, "README.md")
