"""The ledger checked: every finding with its place, what is wrong, and what to do about it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from faultbook.base.text import cut
from faultbook.ledger.front_matter import set_field
from faultbook.ledger.incident_checks import incident_problems
from faultbook.ledger.incident_file import IncidentFile, read_incident
from faultbook.ledger.inert import words
from faultbook.ledger.rows import LEDGER_NAME, LedgerFile
from faultbook.ledger.similar import KnownRules
from faultbook.ledger.source import Problem
from faultbook.ledger.table import read_ledger
from faultbook.ledger.table_checks import FIX, added_rows, table_problems
from faultbook.ledger.template import TEMPLATE_PATH, template_problems
from faultbook.model.lesson import Lesson

_DEFAULT_FOLDER = "lessons"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One problem of one file; lines and columns are counted from 1.

    Attributes:
        code: stable, in kebab case, as the check prints it.
        fixable: `fix_files` mends it.
        warning: worth a look, but no reason to fail.
    """

    path: str
    line: int
    column: int
    code: str
    message: str
    next_step: str
    fixable: bool = False
    warning: bool = False


def check_files(
    files: Mapping[str, bytes],
    *,
    base: Mapping[str, bytes] | None = None,
    template: str,
    highest: int = 0,
) -> list[Finding]:
    """Check a ledger, its incident files and its template.

    Args:
        files: by their paths from the repository's root; what is neither is not looked at.
        base: the same files where they left the main branch; without them nothing is said of
            numbers that vanished, were reused, or mean something else.
        template: the incident template.
        highest: the highest number that a lesson ever had on the main branch.

    Returns:
        Findings by path, line and column.
    """
    found = [_finding(TEMPLATE_PATH, problem) for problem in template_problems(template)]
    for folder in _folders(files):
        found += _check_folder(folder, files, base or {}, template, highest)
    return sorted(found)


def fix_files(
    files: Mapping[str, bytes], *, base: Mapping[str, bytes] | None = None, highest: int = 0
) -> Mapping[str, bytes]:
    """Mend what can be mended without a choice; what is not fixable stays for a person.

    A byte order mark goes; a row gets its outer pipes; a row that took a number which the base
    gives to another failure says `new` again; an incident names the lesson that links to it.

    Args:
        files: as for `check_files`.
        base: as for `check_files`; without it no number is changed.
        highest: as for `check_files`.

    Returns:
        The new bytes of those files that change.
    """
    mended = dict(files)
    for path in files:
        if path == TEMPLATE_PATH or _is_ours(path):
            mended[path] = mended[path].removeprefix(b"\xef\xbb\xbf")
    for folder in _folders(files):
        path = f"{folder}/{LEDGER_NAME}"
        if path in mended:
            mended[path] = _with_pipes(mended[path])
            old = (base or {}).get(path)
            if old is not None:
                mended |= _renumbered(mended, folder, old, highest)
            mended |= _named_in_incidents(mended, folder)
    return {path: data for path, data in mended.items() if data != files[path]}


def _check_folder(
    folder: str,
    files: Mapping[str, bytes],
    base: Mapping[str, bytes],
    template: str,
    highest: int,
) -> Iterator[Finding]:
    path = f"{folder}/{LEDGER_NAME}"
    data = files.get(path)
    lessons: tuple[Lesson, ...] = ()
    incidents = _incidents(folder, files)
    if data is None:
        missing = Problem(
            1, 1, "ledger-missing", "There is no ledger.", "Make one: faultbook ledger init"
        )
        yield _finding(path, missing)
    else:
        ledger = read_ledger(data)
        lessons = ledger.lessons
        for problem in table_problems(ledger, base.get(path), highest):
            yield _finding(path, problem)
        for problem in _row_links(ledger, folder, incidents):
            yield _finding(path, problem)
    known = KnownRules(lessons if incidents else ())
    linked = defaultdict(list)
    for lesson in lessons:
        if lesson.incident:
            linked[f"{folder}/{lesson.incident}"].append(lesson)
    for name, incident in incidents.items():
        for problem in incident_problems(incident, known, template, linked[name]):
            yield _finding(name, problem)


def _row_links(
    ledger: LedgerFile, folder: str, incidents: Mapping[str, IncidentFile]
) -> Iterator[Problem]:
    """Check that what the rows link to is there, and names the row."""
    for row, lesson in zip(ledger.rows, ledger.lessons, strict=True):
        if lesson.incident is None:
            continue
        column = row.cells[0].start - row.line.start + 1
        target = cut(words(lesson.incident), 120)
        incident = incidents.get(f"{folder}/{lesson.incident}")
        if incident is None:
            yield Problem(
                row.line.number,
                column,
                "link-missing",
                f"There is no {target}.",
                "Link to a file in `incidents/`, or leave the number alone.",
            )
        elif not incident.problems and incident.fields.lesson != lesson.number:
            said = cut(words(incident.matter.text("lesson")), 20)
            fixable = not said and lesson.number is not None
            if said or fixable:
                yield Problem(
                    row.line.number,
                    column,
                    "link-disagrees",
                    f"{target} names lesson {said}." if said else f"{target} names no lesson.",
                    FIX if fixable else "Let both sides name each other.",
                    fixable=fixable,
                )


def _with_pipes(data: bytes) -> bytes:
    ledger = read_ledger(data)
    pieces = []
    for row in ledger.rows:
        text = row.line.text
        if row.piped or len(row.cells) != ledger.columns:
            continue
        bare = text.strip()
        start = row.line.start + text.index(bare)
        if not bare.startswith("|"):
            pieces.append((start, start, "| "))
        if not bare.endswith("|") or bare.endswith("\\|"):
            pieces.append((start + len(bare), start + len(bare), " |"))
    mended = ledger.source.splice(*pieces)
    said = [_said(lesson) for lesson in read_ledger(mended).lessons]
    return mended if said == [_said(lesson) for lesson in ledger.lessons] else data


def _said(lesson: Lesson) -> tuple[object, ...]:
    return lesson.number, lesson.what_failed, lesson.fix, lesson.rule, lesson.area


def _renumbered(
    files: Mapping[str, bytes], folder: str, base: bytes, highest: int
) -> dict[str, bytes]:
    """Let rows that took a taken number say `new` again, and their incident files nothing."""
    path = f"{folder}/{LEDGER_NAME}"
    ledger = read_ledger(files[path])
    old = read_ledger(base)
    taken = {lesson.number for lesson in old.lessons}
    used = max(highest, old.highest)
    changed: dict[str, bytes] = {}
    pieces = []
    for index in sorted(added_rows(ledger, base)):
        row, lesson = ledger.rows[index], ledger.lessons[index]
        number = lesson.number
        doubled = sum(other.number == number for other in ledger.lessons) > 1
        if number is None or not (doubled if number in taken else number <= used):
            continue
        start = ledger.source.text.index(str(number), row.cells[0].start)
        pieces.append((start, start + len(str(number)), "new"))
        target = f"{folder}/{lesson.incident}"
        if lesson.incident and target in files:
            incident = read_incident(files[target], target)
            if not incident.problems and incident.fields.lesson == number:
                changed[target] = set_field(files[target], "lesson", None)
    changed[path] = ledger.source.splice(*pieces)
    return changed


def _named_in_incidents(files: Mapping[str, bytes], folder: str) -> dict[str, bytes]:
    """Let incidents name the lesson that links to them, where they name none."""
    changed: dict[str, bytes] = {}
    for lesson in read_ledger(files[f"{folder}/{LEDGER_NAME}"]).lessons:
        path = f"{folder}/{lesson.incident}"
        if lesson.incident is None or lesson.number is None or path not in files:
            continue
        incident = read_incident(files[path], path)
        if not incident.problems and not incident.matter.text("lesson") and path not in changed:
            changed[path] = set_field(files[path], "lesson", lesson.number)
    return changed


def _incidents(folder: str, files: Mapping[str, bytes]) -> dict[str, IncidentFile]:
    inside = f"{folder}/incidents/"
    return {
        path: read_incident(files[path], path)
        for path in sorted(files)
        if path.startswith(inside) and path.endswith(".md") and "/" not in path[len(inside) :]
    }


def _is_ours(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return name == LEDGER_NAME or (folder.endswith("/incidents") and name.endswith(".md"))


def _folders(files: Iterable[str]) -> list[str]:
    """Find the folders that hold a ledger; where none does, the one that should."""
    found = {path.rpartition("/")[0] for path in files if path.endswith(f"/{LEDGER_NAME}")}
    if found:
        return sorted(found)
    besides = {path.partition("/incidents/")[0] for path in files if "/incidents/" in path}
    return sorted(besides) or [_DEFAULT_FOLDER]


def _finding(path: str, problem: Problem) -> Finding:
    return Finding(
        path,
        problem.line,
        problem.column,
        problem.code,
        problem.message,
        problem.next_step,
        fixable=problem.fixable,
        warning=problem.warning,
    )
