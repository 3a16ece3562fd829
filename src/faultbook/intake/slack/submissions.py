"""Submitted modals: checked at once, owed in one transaction, refused inside the modal."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict

from faultbook.base.clock import to_datetime
from faultbook.base.errors import ConflictError, FaultbookError, InvalidError, NotFoundError
from faultbook.base.text import cut
from faultbook.intake.slack.approval_forms import submit_outcome, submit_review, submit_vote
from faultbook.intake.slack.desk import Desk
from faultbook.intake.slack.forms import FormError, read_field, read_incident_form
from faultbook.intake.slack.home import repaint_after_submission
from faultbook.intake.slack.ledger_clicks import digest_of, read_closing_place, read_edited_rule
from faultbook.intake.slack.payloads import Json, Submission, read_submission
from faultbook.intake.slack.task_forms import submit_done, submit_new_task
from faultbook.ledger.rows import Column
from faultbook.ledger.rule import check_rule
from faultbook.ledger.snapshot import LedgerSnapshot
from faultbook.model.draft import (
    IncidentForm,
)
from faultbook.model.incident import Enforcement
from faultbook.model.ledger_operation import LedgerVerb, NewLedgerOperation
from faultbook.model.person import Person
from faultbook.operations.incidents import (
    Opening,
    open_incident,
    owe_once,
    read_closing,
    verification_by_run,
)
from faultbook.operations.ledger import prepare_operation
from faultbook.store.engine import Store
from faultbook.view.actions import (
    APPROVAL_RECORD_FORM,
    APPROVAL_REVIEW_FORM,
    APPROVAL_VOTE_FORM,
    INCIDENT_CLOSE_FORM,
    INCIDENT_FORM,
    LESSON_EDIT_FORM,
    TASK_DONE_FORM,
    TASK_NEW_FORM,
)
from faultbook.view.series_values import Beginning, read_beginning

_ERROR = 400
_RUN = re.compile(
    r"(run\s+)?([0-9a-f]{8}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.?", re.IGNORECASE
)
# A path, a page, a file's name or a commit: something that can be looked at.
_ARTIFACT = re.compile(r"\S+[/.#:]\S+|\b[0-9a-f]{7,40}\b", re.IGNORECASE)
_NEEDED = {
    "title": "Say in a few words what happened.",
    "what_failed": "Say what failed.",
    "area": "Name the area: a workflow, a team's part, a system.",
    "why_linked": "Say in one sentence what its detail changes next time.",
}


async def take_submission(desk: Desk, body: Json) -> Json | None:
    """Take a submitted modal, once; durable when it returns None, which closes the modal.

    A modal that is shown in its place says itself how far things are.

    Raises:
        FaultbookError: nothing was recorded.
    """
    submission = read_submission(body, desk.me)
    handle = _HANDLERS.get(submission.callback_id)
    if handle is None:
        return None  # a modal that only shows something
    try:
        answer = await handle(desk, submission)
    except FormError as error:
        return error.as_answer()
    repaint_after_submission(desk, submission)
    return answer


async def _open(desk: Desk, submission: Submission) -> Json | None:
    ledger = desk.need_ledger()
    beginning = read_beginning(submission.metadata)
    form = read_incident_form(submission.values, submission.user)
    author = await desk.people.person(submission.user, submission.user_name)
    owner = author
    if form.owner_id not in ("", author.id):
        owner = await desk.people.person(form.owner_id)
    # Many lessons are compared with the rule: beside the event loop.
    repeats = await desk.store.in_thread(_checked, form, author, ledger.snapshot())
    day = beginning.facts.since or desk.store.clock()
    payload = _payload(form, beginning, day=to_datetime(day).date().isoformat())
    payload |= {"owner": owner.name, "rule_author": author.name, "repeats": repeats}
    place = [beginning.origin.channel, beginning.origin.thread_ts]
    operation = _operation(LedgerVerb.OPEN_INCIDENT, payload, submission, author, place)
    opening = Opening(operation, submission.keys, beginning.draft_id, repeats)
    try:
        await desk.store.write_async(open_incident, opening)
    except (ConflictError, NotFoundError) as error:
        raise FormError({"rule": _sentences(error)}) from error
    ledger.wake()
    return None


def _checked(form: IncidentForm, author: Person, snapshot: LedgerSnapshot) -> int | None:
    """Check an incident's form against the ledger, and give the lesson it repeats.

    Raises:
        FormError: it can't be taken so.
    """
    values = asdict(form)
    errors = {name: words for name, words in _NEEDED.items() if not values[name]}
    repeats = _repeated(form, snapshot, errors)
    if form.enforcement != Enforcement.NONE.value and not form.enforcement_ref:
        errors["enforcement_ref"] = f"Name the {form.enforcement or 'place'} that holds it."
    _check_rule(form, author, snapshot, repeats, errors)
    if errors:
        raise FormError(errors)
    return repeats


def _repeated(form: IncidentForm, snapshot: LedgerSnapshot, errors: dict[str, str]) -> int | None:
    if not form.repeats:
        return None
    number = int(form.repeats) if form.repeats.isdecimal() else 0
    if snapshot.commit is None:
        errors["repeats"] = "I have read no ledger from git yet. Send it again in a minute."
        return None
    if snapshot.lesson(number) is None:
        known = [lesson.number for lesson in snapshot.lessons if lesson.number is not None]
        there = f"its numbers go up to {max(known)}" if known else "it has none yet"
        errors["repeats"] = f"The ledger has no lesson {form.repeats}; {there}."
        return None
    if not form.enforcement_change:
        errors["enforcement_change"] = (
            f"Say what holds the rule better now: lesson {number} was not enough."
        )
    return number


def _check_rule(
    form: IncidentForm,
    author: Person,
    snapshot: LedgerSnapshot,
    repeats: int | None,
    errors: dict[str, str],
) -> None:
    try:
        check_rule(
            form.rule,
            author=author.name,
            template_words=snapshot.template,
            lessons=snapshot.lessons,
            repeats=repeats,
            enforcement_change=form.enforcement_change or None,
        )
    except InvalidError as error:
        place = "enforcement_change" if error.where == "enforcement_change" else "rule"
        errors.setdefault(place, _sentences(error))


def _payload(form: IncidentForm, beginning: Beginning, day: str) -> dict[str, object]:
    facts = beginning.facts
    series = facts.series
    return {
        "title": form.title,
        "date": day,
        "severity": form.severity,
        "area": form.area,
        "prevention_rule": form.rule,
        "what_failed": form.what_failed,
        "enforcement": form.enforcement,
        "enforcement_ref": form.enforcement_ref,
        "enforcement_change": form.enforcement_change or None,
        "related": [facts.permalink] if facts.permalink else [],
        "fingerprint": facts.fingerprint,
        "why_linked": form.why_linked,
        "impact": form.impact,
        "root_cause": form.root_cause,
        "fix": form.fix,
        # What closing it will ask about; no part of the file.
        "series": [series.workflow, series.environment, series.branch] if series else None,
        "run_id": facts.run_id,
    }


async def _close(desk: Desk, submission: Submission) -> Json | None:
    ledger = desk.need_ledger()
    operation_id, place = read_closing_place(submission.metadata)
    verification = await desk.store.in_thread(
        _verification, desk.store, operation_id, submission.values
    )
    closing = await desk.store.in_thread(read_closing, desk.store, operation_id)
    person = await desk.people.person(submission.user, submission.user_name)
    told = closing.operation.payload
    payload = {"path": closing.path, "verification": verification, "title": told.get("title")}
    operation = _operation(LedgerVerb.CLOSE_INCIDENT, payload, submission, person, place)
    await desk.store.write_async(owe_once, submission.keys, operation)
    ledger.wake()
    return None


def _verification(store: Store, operation_id: str, values: Json) -> str:
    """Read what verifies that an incident is over.

    Raises:
        FormError: nothing does.
    """
    incident = read_closing(store, operation_id).operation
    chosen, said = read_field(values, "run"), read_field(values, "artifact")
    if not chosen and not said:
        words = "Name a run that passed after the fix, or what shows that it works."
        raise FormError({"artifact": words})
    named = _RUN.fullmatch(said)
    run_id = named[2].lower() if named else ("" if said else chosen)
    if run_id:
        try:
            return store.read(verification_by_run, run_id, incident)
        except NotFoundError as error:
            if not said or (named and named[1]):
                raise FormError({"artifact": _sentences(error)}) from error
        except FaultbookError as error:
            raise FormError({"artifact": _sentences(error)}) from error
    if not _ARTIFACT.search(said):
        words = (
            f"“{cut(said, 100)}” names no run and no artifact. Give a run's id, a file or a link."
        )
        raise FormError({"artifact": words})
    return said


async def _edit(desk: Desk, submission: Submission) -> Json | None:
    ledger = desk.need_ledger()
    edited = read_edited_rule(submission.metadata)
    rule = read_field(submission.values, "rule")
    author = await desk.people.person(submission.user, submission.user_name)
    expected = await desk.store.in_thread(
        _checked_edit, rule, author, edited.number, edited.shown, ledger.snapshot()
    )
    payload = {"number": edited.number, "column": Column.RULE.value}
    operation = _operation(
        LedgerVerb.SET_CELL,
        payload | {"expected": expected, "text": rule},
        submission,
        author,
        edited.place,
    )
    await desk.store.write_async(owe_once, submission.keys, operation)
    ledger.wake()
    return None


def _checked_edit(
    rule: str, author: Person, number: int, shown: str, snapshot: LedgerSnapshot
) -> str:
    """Check a lesson's new rule, and give the old one that it takes the place of.

    Raises:
        FormError: it can't be taken so.
    """
    lesson = snapshot.lesson(number)
    if lesson is None:
        raise FormError({"rule": f"The ledger has no lesson {number} any more."})
    if digest_of(lesson.rule) != shown:
        now = cut(lesson.rule, 250)
        raise FormError({"rule": f"Lesson {number} was changed meanwhile. It says now: “{now}”"})
    if rule == lesson.rule:
        raise FormError({"rule": "That is the rule as it is."})
    others = [one for one in snapshot.lessons if one.number != number]
    try:
        check_rule(rule, author=author.name, template_words=snapshot.template, lessons=others)
    except InvalidError as error:
        raise FormError({"rule": _sentences(error)}) from error
    return lesson.rule


def _operation(
    verb: LedgerVerb,
    payload: Mapping[str, object],
    submission: Submission,
    person: Person,
    place: list[str],
) -> NewLedgerOperation:
    channel, thread_ts = place
    return prepare_operation(
        verb,
        payload,
        requester_id=person.id,
        requester_name=person.name,
        channel=channel,
        thread_ts=thread_ts,
        key=submission.keys[0],
    )


def _sentences(error: FaultbookError) -> str:
    """Say an error where an input shows it: what is wrong, what to do; Slack cuts long ones."""
    return cut(f"{error.message} {error.next_step}".strip(), _ERROR)


_HANDLERS: dict[str, Callable[[Desk, Submission], Awaitable[Json | None]]] = {
    INCIDENT_FORM: _open,
    INCIDENT_CLOSE_FORM: _close,
    LESSON_EDIT_FORM: _edit,
    TASK_NEW_FORM: submit_new_task,
    TASK_DONE_FORM: submit_done,
    APPROVAL_VOTE_FORM: submit_vote,
    APPROVAL_RECORD_FORM: submit_outcome,
    APPROVAL_REVIEW_FORM: submit_review,
}
