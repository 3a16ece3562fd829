"""Recording straight into the store, through the same documents as a server would."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from sqlalchemy import URL

from faultbook.base.errors import ConflictError, NotFoundError
from faultbook.base.settings import Settings
from faultbook.intake.wrapper.record import Record, target_of
from faultbook.intake.wrapper.recorder import Receipt
from faultbook.intake.wrapper.watch import Found
from faultbook.model.document_runs import Reception, check_outcome_said, to_end, to_run, to_start
from faultbook.model.documents import read_close, read_record, read_start
from faultbook.model.policy import Policy
from faultbook.model.run import RunEnd, RunStart, WholeRun
from faultbook.operations.recording import (
    CloseOutcome,
    CloseResult,
    close_run,
    prepare_whole,
    record_runs,
    request_digest,
    start_run,
)
from faultbook.store import idempotency
from faultbook.store.engine import Store
from faultbook.store.transaction import Transaction

_SCOPE = "wrapper"


class HouseLike(Protocol):
    """What is needed of an opened house."""

    @property
    def settings(self) -> Settings:
        """What is set."""
        ...

    @property
    def policy(self) -> Policy:
        """What verdicts depend on."""
        ...

    @property
    def store(self) -> Store:
        """Where runs are written."""
        ...


class StoreRecorder:
    """Takes records into an open store; `on_close` is for whoever opened it."""

    def __init__(self, house: HouseLike, on_close: Callable[[], None] = lambda: None) -> None:
        self._store = house.store
        self._policy = house.policy
        self._on_close = on_close

    @property
    def place(self) -> str:
        """The database, without a password."""
        return self._store.engine.url.render_as_string(hide_password=True)

    @property
    def target(self) -> str:
        """The mark of records that belong to this database."""
        return store_target(self._store.engine.url)

    def start(self, record: Record) -> str:
        """Open the record's run, and give its id."""
        body = record.start_body()
        start = to_start(read_start(body), self._reception())
        digest = request_digest(body)
        return self._store.write(_start_once, record.start_key, digest, start, self._policy)

    def finish(self, record: Record, files: Mapping[str, Found]) -> Receipt:
        """Close the run, or record it whole; `files` were read on this host already."""
        del files
        run_id = record.run_id
        if run_id is None and record.maybe_started:
            run_id = self.start(record)
        if run_id is not None:
            try:
                return self._close_run(record, run_id)
            except NotFoundError:  # the database was made anew meanwhile
                pass
        return self._record_whole(record)

    def close(self) -> None:
        """Say that it is not needed any longer."""
        self._on_close()

    def _close_run(self, record: Record, run_id: str) -> Receipt:
        body = record.close_body()
        end = to_end(read_close(body), self._reception())
        check_outcome_said(end.outcome)
        result = self._store.write(_close, run_id, end, self._policy, request_digest(body))
        run = result.run
        if result.outcome is CloseOutcome.LATE:
            raise ConflictError(
                f"The run was closed as {run.verdict} before; this close changed nothing.",
                code="late_close",
                next_step="Give the job a longer --timeout if it may take so long.",
            )
        worst = run.findings[0] if run.findings else None
        return Receipt(
            run.run_id,
            str(run.verdict),
            worst.reason.value if worst else None,
            worst.detail if worst else "",
        )

    def _record_whole(self, record: Record) -> Receipt:
        body = record.whole_body()
        start, end, events = to_run(read_record(body), self._reception())
        whole = prepare_whole(start, end, self._policy, events)
        run_id = self._store.write(_record_once, record.key, request_digest(body), whole)
        judged = whole.judgement
        reason = judged.reason.value if judged.reason else None
        return Receipt(run_id, judged.verdict.value, reason, judged.detail)

    def _reception(self) -> Reception:
        return Reception(self._policy, self._store.clock(), attested=True)


def store_target(url: URL) -> str:
    """Name the records that belong to a database, whatever driver it is reached by."""
    plain = url.set(drivername=url.get_backend_name())
    return target_of("store", plain.render_as_string(hide_password=True))


def _start_once(tx: Transaction, key: str, digest: str, start: RunStart, policy: Policy) -> str:
    def operation(tx: Transaction) -> dict[str, Any]:
        return {"run_id": start_run(tx, start, policy).run_id}

    return str(idempotency.once(tx, _SCOPE, key, digest, operation)["run_id"])


def _record_once(tx: Transaction, key: str, digest: str, whole: WholeRun) -> str:
    def operation(tx: Transaction) -> dict[str, Any]:
        return {"run_id": record_runs(tx, [whole])[0]}

    return str(idempotency.once(tx, _SCOPE, key, digest, operation)["run_id"])


def _close(tx: Transaction, run_id: str, end: RunEnd, policy: Policy, digest: str) -> CloseResult:
    return close_run(tx, run_id, end, policy, digest)
