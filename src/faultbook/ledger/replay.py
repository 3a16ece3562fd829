"""What an operation on the ledger makes of the files at a head: a pure function.

It is applied anew to every head that a push is tried on, so its preconditions are checked against
the very text that it would change. A person's text stays; whoever asked is shown both.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from faultbook.base.errors import ConflictError, InvalidError, NotFoundError
from faultbook.base.text import cut, one_line
from faultbook.ledger.history import OPERATION, REQUESTER, ROW
from faultbook.ledger.incident_file import (
    incident_path,
    read_incident,
    render_incident,
    set_field,
    set_section,
)
from faultbook.ledger.inert import paragraphs, words
from faultbook.ledger.rows import LEDGER_NAME, Column
from faultbook.ledger.rule import check_rule
from faultbook.ledger.similar import KnownRules
from faultbook.ledger.table import (
    append_row,
    link_incident,
    number_new_rows,
    read_ledger,
    retire_row,
    set_cell,
)
from faultbook.model.incident import Enforcement, IncidentFields, IncidentStatus, Severity
from faultbook.model.ledger_operation import LedgerOperation, LedgerVerb
from faultbook.model.lesson import Lesson

_SUBJECT = 72
_CELL = 300


class TextConflictError(ConflictError):
    """A person changed what an operation would change.

    Attributes:
        theirs: the text that is there.
        mine: the text that was asked for.
    """

    code = "text_changed"

    def __init__(self, message: str, *, theirs: str, mine: str, where: str) -> None:
        super().__init__(message, where=where, next_step="Choose which text shall stand.")
        self.theirs = theirs
        self.mine = mine


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be committed.

    Attributes:
        files: the new bytes of each file that changes; empty when all is as asked for already.
        summary: the commit's subject.
        number: the lesson it brings or is about.
        path: the incident file it brings or is about.
        highest: the highest number ever, with it.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    summary: str = ""
    number: int | None = None
    path: str | None = None
    highest: int = 0


@dataclass(frozen=True, slots=True)
class Ground:
    """What an operation is applied to.

    Attributes:
        files: markdown files at the head, by their paths.
        template: for new incident files.
        highest: the highest number that a lesson ever had.
        folder: the ledger's.
    """

    files: Mapping[str, bytes]
    template: str
    highest: int = 0
    folder: str = "lessons"

    @property
    def ledger_path(self) -> str:
        """Give the path of the ledger's file."""
        return f"{self.folder}/{LEDGER_NAME}"

    @property
    def ledger(self) -> bytes:
        """Give the ledger's bytes.

        Raises:
            NotFoundError: the branch has no ledger.
        """
        found = self.files.get(self.ledger_path)
        if found is None:
            raise NotFoundError(
                f"There is no {self.ledger_path} on the branch.",
                code="ledger_missing",
                next_step="Make one: faultbook ledger init, then commit and push it.",
                where=self.ledger_path,
            )
        return found

    def lesson(self, number: int) -> Lesson:
        """Find a lesson by its number.

        Raises:
            NotFoundError: there is none.
        """
        found = read_ledger(self.ledger).find(number)
        if found is None:
            raise NotFoundError(
                f"The ledger has no lesson {number}.",
                code="lesson_unknown",
                next_step="Search for it: `faultbook ledger search WORDS`.",
                where=self.ledger_path,
            )
        return found


def apply(operation: LedgerOperation, ground: Ground) -> Change:
    """Tell what an operation changes on this ground.

    Raises:
        TextConflictError: a person changed the text that it would change.
        InvalidError: it breaks a rule of the ledger, such as the required prevention rule.
        NotFoundError: what it names is not there.
    """
    made = _VERBS[operation.verb](operation, ground)
    return replace(made, highest=max(made.highest, ground.highest))


def message_of(operation: LedgerOperation, change: Change) -> str:
    """Write the commit's message: the subject, who asked, and the trailers that recognise it."""
    trailers = []
    if operation.requester_name or operation.requester_id:
        who = one_line(operation.requester_name) or "someone"
        trailers.append(f"{REQUESTER}: {who} ({one_line(operation.requester_id)})")
    trailers.append(f"{OPERATION}: {operation.id}")
    if change.number is not None:
        trailers.append(f"{ROW}: {change.number}")
    return "\n".join([cut(one_line(change.summary), _SUBJECT), "", *trailers, ""])


def _add_lesson(operation: LedgerOperation, ground: Ground) -> Change:
    told = operation.payload
    lessons = read_ledger(ground.ledger).lessons
    check_rule(
        told["rule"],
        author=operation.requester_name,
        template_words=ground.template,
        lessons=lessons,
        repeats=None,
        enforcement_change=None,
    )
    return _new_row(ground, told["what_failed"], told["fix"], told["rule"], told.get("area"))


def _new_row(
    ground: Ground, what: str, fix: str, rule: str, area: str | None, incident: str | None = None
) -> Change:
    number = max(ground.highest, read_ledger(ground.ledger).highest) + 1
    edited = append_row(ground.ledger, what, fix, rule, area=area, incident=incident, number=number)
    return Change(
        {ground.ledger_path: edited.data},
        f"Add lesson {edited.number}: {what}",
        number=edited.number,
        highest=edited.number,
    )


def _set_cell(operation: LedgerOperation, ground: Ground) -> Change:
    told = operation.payload
    number, column, mine = int(told["number"]), str(told["column"]), words(str(told["text"]))
    theirs = _cell_of(ground.lesson(number), column)
    if theirs == mine:
        return Change(number=number)
    if not _is_expected(told, theirs):
        raise TextConflictError(
            f"Lesson {number} was changed meanwhile; that text stays.",
            theirs=theirs,
            mine=mine,
            where=f"lesson {number}",
        )
    data = set_cell(ground.ledger, number, column, mine)
    return Change({ground.ledger_path: data}, f"Edit lesson {number}: {mine}", number=number)


def _cell_of(lesson: Lesson, column: str) -> str:
    """Give a cell's text; whether there is such a column is for `set_cell` to say."""
    cells = {Column.WHAT_FAILED: lesson.what_failed, Column.FIX: lesson.fix}
    cells |= {Column.RULE: lesson.rule, Column.AREA: lesson.area or ""}
    return next((text for name, text in cells.items() if name == column), "")


def _is_expected(told: Mapping[str, Any], theirs: str) -> bool:
    chosen = told.get("expected_sha256")
    if chosen:
        return hashlib.sha256(theirs.encode()).hexdigest() == str(chosen)
    return theirs == words(str(told.get("expected") or ""))


def _retire_lesson(operation: LedgerOperation, ground: Ground) -> Change:
    told = operation.payload
    number, why = int(told["number"]), str(told.get("why") or "")
    superseded_by = told.get("superseded_by")
    lesson = ground.lesson(number)
    if lesson.retired and lesson.superseded_by == superseded_by:
        return Change(number=number)
    data = retire_row(ground.ledger, number, superseded_by, why)
    said = f", see {superseded_by}" if superseded_by is not None else f": {why}"
    return Change({ground.ledger_path: data}, f"Retire lesson {number}{said}", number=number)


_FIELDS = {one.name for one in fields(IncidentFields)}


def read_fields(payload: Mapping[str, Any]) -> IncidentFields:
    """Take an incident's fields from an operation's payload.

    Raises:
        InvalidError: one is missing or unknown.
    """
    values = {name: value for name, value in payload.items() if name in _FIELDS}
    try:
        values["severity"] = Severity(values["severity"])
        values["enforcement"] = Enforcement(values.get("enforcement") or Enforcement.NONE)
        values["status"] = IncidentStatus(values.get("status") or IncidentStatus.OPEN)
        values["related"] = tuple(values.get("related") or ())
        return IncidentFields(**values)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidError(
            f"The incident can't be written: {error}.",
            code="incident_fields",
            next_step="Fill in what is missing, and open it again.",
        ) from error


def _open_incident(operation: LedgerOperation, ground: Ground) -> Change:
    told = operation.payload
    asked, repeats = read_fields(told), told.get("repeats")
    lessons = read_ledger(ground.ledger).lessons
    check_rule(
        asked.prevention_rule,
        author=asked.rule_author,
        template_words=ground.template,
        lessons=lessons,
        repeats=repeats,
        enforcement_change=told.get("enforcement_change"),
    )
    if repeats is not None:
        # How this one changes what somebody does next time: by what holds the rule from now on.
        change = asked.why_linked or str(told.get("enforcement_change") or "")
        asked = replace(asked, why_linked=change, related=(*asked.related, f"lesson {repeats}"))
    _check_whole(asked)
    path = incident_path(asked.date, asked.title, folder=ground.folder, taken=ground.files)
    if repeats is not None and KnownRules(lessons).says(repeats, asked.prevention_rule):
        row = _linked_row(ground, repeats, path)  # the rule is there: a second row would be a copy
    else:
        row = _new_row(
            ground,
            _in_a_row(asked.what_failed, asked.title),
            cut(words(asked.fix), _CELL),
            asked.prevention_rule,
            asked.area or None,
            path.removeprefix(f"{ground.folder}/"),
        )
    data = render_incident(replace(asked, lesson=row.number), ground.template)
    summary = f"Open incident, lesson {row.number}: {asked.title}"
    return replace(row, files=row.files | {path: data}, summary=summary, path=path)


def _check_whole(asked: IncidentFields) -> None:
    """Refuse what `faultbook ledger check` would find fault with as soon as it is on main."""
    if not words(asked.what_failed):
        raise InvalidError(
            "Nothing says what failed.",
            code="what_failed_missing",
            next_step="Say it in a sentence or two.",
            where="what_failed",
        )
    if not words(asked.why_linked):
        raise InvalidError(
            "Nothing says why the ledger links to this incident.",
            code="why_linked_missing",
            next_step="Say in one sentence what its detail changes next time.",
            where="why_linked",
        )
    if asked.enforcement is not Enforcement.NONE and not words(asked.enforcement_ref):
        raise InvalidError(
            f"Nothing says where this {asked.enforcement} is.",
            code="enforcement_ref_missing",
            next_step="Name it: a path, or a check's name.",
            where="enforcement_ref",
        )


def _linked_row(ground: Ground, number: int, path: str) -> Change:
    """Let a lesson lead to the incident that repeats it, unless it leads to an earlier one."""
    if ground.lesson(number).incident is not None:
        return Change(number=number)
    data = link_incident(ground.ledger, number, path.removeprefix(f"{ground.folder}/"))
    return Change({ground.ledger_path: data}, number=number)


def _in_a_row(what_failed: str, title: str) -> str:
    """Give what failed as a row tells it: at a glance; the file has it whole."""
    told = words(what_failed)
    return told if len(told) <= _CELL else words(title)


def _close_incident(operation: LedgerOperation, ground: Ground) -> Change:
    path = str(operation.payload["path"])
    mine = paragraphs(str(operation.payload["verification"]))
    inside = path.startswith(f"{ground.folder}/incidents/")
    data = ground.files.get(path) if inside else None
    if data is None:
        raise NotFoundError(
            f"There is no {path} on the branch.",
            code="incident_not_found",
            next_step="List them: faultbook incident list.",
            where=path,
        )
    if not mine.strip():
        raise InvalidError(
            "Closing needs verification: a run that passed after the fix, or an artifact.",
            code="verification_missing",
            next_step="Name the run or the file that shows it.",
            where=path,
        )
    fields_now = read_incident(data, path).fields
    theirs, closed = fields_now.verification, fields_now.status is IncidentStatus.CLOSED
    if closed and theirs == mine:
        return Change(number=fields_now.lesson, path=path)
    if closed and not _is_expected(operation.payload, theirs):
        raise TextConflictError(
            "The incident was closed meanwhile; that verification stays.",
            theirs=theirs,
            mine=mine,
            where=path,
        )
    if not closed:
        data = set_field(data, "status", IncidentStatus.CLOSED.value)
    data = set_section(data, "verification", mine)
    return Change({path: data}, f"Close incident: {fields_now.title}", fields_now.lesson, path)


def _number_new_rows(operation: LedgerOperation, ground: Ground) -> Change:
    del operation
    first = max(ground.highest, read_ledger(ground.ledger).highest) + 1
    numbered = number_new_rows(ground.ledger, first)
    if not numbered.numbers:
        return Change()
    told = ", ".join(str(number) for number in numbered.numbers)
    highest = max(numbered.numbers)
    summary = f"Number new lessons: {told}"
    return Change({ground.ledger_path: numbered.data}, summary, number=highest, highest=highest)


_VERBS = {
    LedgerVerb.ADD_LESSON: _add_lesson,
    LedgerVerb.SET_CELL: _set_cell,
    LedgerVerb.RETIRE_LESSON: _retire_lesson,
    LedgerVerb.OPEN_INCIDENT: _open_incident,
    LedgerVerb.CLOSE_INCIDENT: _close_incident,
    LedgerVerb.NUMBER_NEW_ROWS: _number_new_rows,
}
