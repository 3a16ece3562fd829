"""Incidents from chat: what is known is read, what was written becomes an operation, once."""

from collections.abc import Sequence
from dataclasses import dataclass

from faultbook.base.clock import iso
from faultbook.base.errors import InvalidError, NotFoundError
from faultbook.base.text import one_line
from faultbook.model.answer import FailingQuery, SeriesAnswer
from faultbook.model.draft import (
    IncidentFacts,
)
from faultbook.model.ledger_operation import LedgerOperation, LedgerVerb, NewLedgerOperation
from faultbook.model.person import Person
from faultbook.model.policy import Policy
from faultbook.model.run import SeriesKey
from faultbook.model.standing import RunMark
from faultbook.model.verdict import Verdict
from faultbook.operations.drafts import settle_draft
from faultbook.operations.failing import ask_failing
from faultbook.operations.known_failures import count_repeat
from faultbook.operations.ledger import Choice, choose, owe, read_operation
from faultbook.operations.lessons import said_repeat, series_named_in
from faultbook.operations.recording import read_run
from faultbook.store import seen
from faultbook.store.engine import Store
from faultbook.store.standings import read_last_good
from faultbook.store.transaction import Transaction

_DETAIL = 300


def facts_of(series: SeriesAnswer) -> IncidentFacts:
    """Take what is known of a failing series as an incident's facts."""
    return IncidentFacts(
        workflow=series.key.workflow,
        environment=series.key.environment,
        branch=series.key.branch,
        since=series.since,
        streak=series.streak,
        reason=series.reason.value if series.reason else "",
        detail=one_line(series.detail)[:_DETAIL],
        fingerprint=series.fingerprint if series.is_failure else "",
        run_id=series.basis_run.run_id if series.basis_run else "",
    )


def read_facts(store: Store, policy: Policy, key: SeriesKey) -> IncidentFacts:
    """Read what is known of a series now; of one that passes again, its name alone."""
    query = FailingQuery(environment=key.environment, workflow=key.workflow, branch=key.branch)
    answer = ask_failing(store, query, policy)
    found = next((one for one in answer.series if one.key == key), None)
    if found is not None:
        return facts_of(found)
    return IncidentFacts(key.workflow, key.environment, key.branch)


def read_facts_of_text(store: Store, policy: Policy, text: str) -> IncidentFacts:
    """Read what is known of the first failing series that a text names, if it names one."""
    answer = ask_failing(store, FailingQuery(), policy)
    found = series_named_in(answer, text)
    if found is None:
        found = series_named_in(ask_failing(store, FailingQuery(all_branches=True), policy), text)
    return IncidentFacts() if found is None else facts_of(found)


@dataclass(frozen=True, slots=True)
class Opening:
    """What an incident's opening comes to.

    Attributes:
        keys: recognise the delivery; the first that comes counts.
        draft_id: the draft that it was written from.
        repeats: the lesson that it says it repeats.
    """

    operation: NewLedgerOperation
    keys: Sequence[str]
    draft_id: str = ""
    repeats: int | None = None


def open_incident(tx: Transaction, opening: Opening) -> bool:
    """Owe an incident, once for each modal; tells whether this delivery did.

    Raises:
        ConflictError: its draft has become an incident meanwhile.
    """
    if not seen.take_all(tx, opening.keys):
        return False
    operation = opening.operation
    if opening.draft_id:
        settle_draft(tx, opening.draft_id, operation.id)
    owe(tx, operation)
    if opening.repeats is not None:
        run_id = str(operation.payload.get("run_id") or operation.id)
        fingerprint = str(operation.payload.get("fingerprint") or "")
        count_repeat(
            tx, opening.repeats, run_id, fingerprint=fingerprint, by=operation.requester_name
        )
        seen.take(tx, said_repeat(opening.repeats, run_id))  # the incident itself says it
    return True


def owe_once(tx: Transaction, keys: Sequence[str], operation: NewLedgerOperation) -> bool:
    """Owe a change of the ledger, once for each modal; tells whether this delivery did."""
    if not seen.take_all(tx, keys):
        return False
    owe(tx, operation)
    return True


def choose_once(
    tx: Transaction, keys: Sequence[str], operation_id: str, choice: Choice, by: Person
) -> bool:
    """Take a person's choice about a conflict, once for each click; tells whether this one did.

    Raises:
        ConflictError: somebody chose before; the message names them.
    """
    if not seen.take_all(tx, keys):
        return False
    choose(tx, operation_id, choice, by.id, by.name)
    return True


@dataclass(frozen=True, slots=True)
class Closing:
    """An incident that may be closed.

    Attributes:
        passed: the runs that passed since it was opened, the newest first.
    """

    operation: LedgerOperation
    passed: tuple[RunMark, ...] = ()

    @property
    def path(self) -> str:
        """Its file."""
        return str(self.operation.result.get("path") or "")


def read_closing(store: Store, operation_id: str) -> Closing:
    """Read an incident that was opened here, and what may verify that it is over.

    Raises:
        NotFoundError: there is no such incident in the ledger.
    """
    operation = store.read(read_operation, operation_id)
    closing = Closing(operation)
    if operation.verb is not LedgerVerb.OPEN_INCIDENT or not closing.path:
        raise NotFoundError(
            "This incident is not in the ledger yet.",
            code="incident_not_found",
            next_step="Wait until it is pushed.",
        )
    named = operation.payload.get("series")
    if not named:
        return closing
    last = store.read(read_last_good, SeriesKey(*named))
    if last is None or last.started_at <= operation.created_at:
        return closing
    return Closing(operation, (last,))


def verification_by_run(tx: Transaction, run_id: str, incident: LedgerOperation) -> str:
    """Say that a run verifies that an incident is over.

    Raises:
        InvalidError: it is of something else, did not pass, or ran before the incident was opened.
        NotFoundError: there is no such run.
        ConflictError: several runs end so.
    """
    run = read_run(tx, run_id)
    short = run.run_id[-8:]
    if run.verdict is not Verdict.PASSED:
        came_out = run.verdict.value if run.verdict else "not closed yet"
        raise InvalidError(
            f"Run {short} did not pass: {came_out}.",
            code="run_not_passed",
            next_step="Name one that passed after the fix.",
        )
    named = incident.payload.get("series")
    series = run.start.series
    if named and SeriesKey(*named) != series:
        raise InvalidError(
            f"Run {short} is of {one_line(series.workflow)}, not of what failed.",
            code="run_of_another_series",
            next_step=f"Name one of {one_line(named[0])} in {one_line(named[1])}.",
        )
    if run.start.started_at <= incident.created_at:
        raise InvalidError(
            f"Run {short} passed before the incident was opened.",
            code="run_too_old",
            next_step="Name one that passed after the fix.",
        )
    return f"Run {run.run_id} of {series.workflow} passed, {iso(run.start.started_at)}."
