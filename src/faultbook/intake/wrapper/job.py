"""A wrapped job: recorded before it starts, run untouched, verified, recorded again.

Wrong usage ends it before the start. From then on nothing that befalls the record, whatever it is,
keeps the job from running or changes its exit code.
"""

import math
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from faultbook.base.clock import seconds, system_clock
from faultbook.base.errors import (
    ConflictError,
    FaultbookError,
    ForbiddenError,
    UnavailableError,
)
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line
from faultbook.client.codes import NOT_SENT
from faultbook.intake.wrapper.attempt import Attempt
from faultbook.intake.wrapper.confirm import Confirmation, confirm
from faultbook.intake.wrapper.context import Context, find_context
from faultbook.intake.wrapper.ending import end_document
from faultbook.intake.wrapper.order import Order
from faultbook.intake.wrapper.process import Job, JobEnd
from faultbook.intake.wrapper.record import Record, said
from faultbook.intake.wrapper.recorder import Receipt, Recorder
from faultbook.intake.wrapper.spool import deliver, keep, keep_refused
from faultbook.intake.wrapper.watch import Found, JsonCheck, Watch
from faultbook.model.documents import read_start

_START_SECONDS = 5.0
"""How long the job waits at most until its start is recorded."""

_CHECK_SECONDS = 600.0
_START_LIMIT_SECONDS = 30.0
_FINISH_SECONDS = 60.0
_SLOWEST_UPLOAD = 250_000  # bytes a second
_CLOSE_SECONDS = 2.0
_DELIVER_SECONDS = 10.0
_MOST_DELIVERED = 50

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job's record goes.

    Attributes:
        open: makes the recorder; it may fail and take its time.
        target: the mark of what belongs there; None when even that can't be told.
        folders: where records wait that could not be delivered.
    """

    open: Callable[[], Recorder]
    target: str | None
    folders: Sequence[Path]


class WrappedJob:
    """One job and its record.

    Args:
        job: forked already, and waiting.
        order: what it promises and where it belongs.
        environ: where CI variables are looked up; nothing of it is stored.
        schema: what JSON output is held against.

    Raises:
        InvalidError: the order does not fit; the job was not started.
    """

    def __init__(
        self, job: Job, order: Order, environ: Mapping[str, str], schema: JsonCheck | None
    ) -> None:
        self._job = job
        self._order = order
        self._watch = Watch(order.artifacts, schema)
        placed = Attempt(lambda: find_context(environ, Path.cwd()))
        placed.wait(_START_SECONDS)
        self._began_at, self._began = system_clock(), time.monotonic()
        context = placed.result or Context()
        run = order.start_document(context, self._watch.promised, self._began_at)
        self._record = Record(secrets.token_hex(16), run)
        read_start(self._record.start_body())

    def run(self, place: Place, say: Say) -> int:
        """Run the job and record it; gives the exit code to end with."""
        looked = Attempt(self._watch.look)
        looked.wait(_CHECK_SECONDS)
        teller = _Teller(self._record, place, self._job)
        end = self._job.run(self._order.timeout)
        ending = Attempt(lambda: self._record_end(end, teller, say))
        ending.wait(math.inf)  # each of its steps has its own limit
        if ending.error is not None:
            say(f"the end is not recorded: {_words(ending.error)}")
        return end.status

    def _record_end(self, end: JobEnd, teller: "_Teller", say: Say) -> None:
        for words in _of_the_start(end):
            say(words)
        probe = self._confirm(end, say)
        checked = Attempt(self._watch.check)
        checked.wait(_CHECK_SECONDS, lambda: self._job.hurried)
        if checked.error is not None:
            say(f"the artifacts could not be read: {_words(checked.error)}")
        found = checked.result or []
        whole = {**self._record.run, **self._end_document(end, found, probe)}
        teller.tell(whole, found, say, verbose=self._order.verbose)

    def _confirm(self, end: JobEnd, say: Say) -> Confirmation | None:
        if self._order.confirm is None or not end.succeeded:
            return None
        probe = confirm(self._order.confirm, lambda: self._job.hurried)
        if probe.outcome != "succeeded":
            how = probe.outcome.replace("_", " ")
            say(f"the confirm command {how}: {probe.words or 'it said nothing'}")
        return probe

    def _end_document(
        self, end: JobEnd, found: Sequence[Found], probe: Confirmation | None
    ) -> dict[str, Any]:
        ended_at = self._began_at + seconds(end.ended - self._began)
        if self._order.timeout is not None and not end.timed_out:
            # It kept its limit, which counts from its own start; ours was a moment earlier.
            ended_at = min(ended_at, self._began_at + seconds(self._order.timeout))
        document = end_document(end, ended_at, found)
        return document | said({"confirm": probe.outcome if probe else None})


class _Teller:
    """Tells a recorder of a job, and keeps for later what it does not take now."""

    def __init__(self, record: Record, place: Place, job: Job) -> None:
        """Record the start; the job waits for that a moment only."""
        self._record = replace(record, target=place.target)
        self._place = place
        self._is_hurried = lambda: job.hurried
        self._recorder: Recorder | None = None
        self._start = Attempt(self._open_and_start)
        self._start.wait(_START_SECONDS)

    def _open_and_start(self) -> str:
        self._recorder = self._open()
        return self._recorder.start(self._record)

    def _open(self) -> Recorder:
        try:
            return self._place.open()
        except FaultbookError as error:  # the settings, not this record, are what does not fit
            raise UnavailableError(error.message, code=error.code) from error

    def tell(
        self, run: Mapping[str, Any], found: Sequence[Found], say: Say, *, verbose: bool
    ) -> None:
        """Record the whole of it, or keep it."""
        self._start.wait(_START_LIMIT_SECONDS, self._is_hurried)
        record = replace(
            self._record,
            run=run,
            run_id=self._start.result,
            maybe_started=self._may_have_started(),
        )
        files = {each.artifact.name: each for each in found}
        size = sum(each.artifact.size or 0 for each in found if each.path)
        finish = Attempt(lambda: self._finish(record, files))
        finish.wait(_FINISH_SECONDS + size / _SLOWEST_UPLOAD, self._is_hurried)
        if finish.result is not None:
            if verbose:
                say(_recorded(finish.result, self._recorder))
            self._deliver_others(say)
        elif isinstance(finish.error, ConflictError):
            say(f"{_words(finish.error)} The job's own end is not in its record.")
        else:
            _keep(record, self._place.folders, finish.error, say)
        if self._recorder is not None:
            Attempt(self._recorder.close).wait(_CLOSE_SECONDS)

    def _may_have_started(self) -> bool:
        if self._start.result is not None or (self._start.is_over and self._recorder is None):
            return False
        return getattr(self._start.error, "code", None) != NOT_SENT

    def _finish(self, record: Record, files: Mapping[str, Found]) -> Receipt:
        if not self._start.is_over:
            raise UnavailableError("The place for records did not answer in time.")
        if self._recorder is None:
            self._recorder = self._open()
        return self._recorder.finish(record, files)

    def _deliver_others(self, say: Say) -> None:
        """Bring what earlier jobs had to keep."""
        recorder = self._recorder
        if recorder is None:
            return
        folders, own = self._place.folders, {recorder.target}
        attempt = Attempt(lambda: deliver(folders, recorder, own, most=_MOST_DELIVERED))
        attempt.wait(_DELIVER_SECONDS, self._is_hurried)
        for words in attempt.result.words if attempt.result else ():
            say(f"a kept record was not taken: {_shown(words)}")


def _keep(record: Record, folders: Sequence[Path], why: Exception | None, say: Say) -> None:
    """Keep a record: to be delivered, or to be looked at where it is the record that is wrong."""
    refused = isinstance(why, FaultbookError) and not isinstance(
        why, (UnavailableError, ForbiddenError)
    )
    kept = Attempt(lambda: (keep_refused if refused else keep)(record, folders))
    kept.wait(_DELIVER_SECONDS)
    trouble = _words(why) if why else "The place for records did not answer in time."
    if kept.result is None:
        say(f"{trouble} {_words(kept.error) if kept.error else 'The record is lost.'}")
    elif refused:
        say(f"{trouble} The record was refused; it lies in {kept.result}.")
    else:
        say(f"{trouble} The record waits in {kept.result}; the next run delivers it.")


def _of_the_start(end: JobEnd) -> list[str]:
    words = []
    if end.failure is not None:
        words.append(f"the command can't be started: {end.failure.strerror}")
    if end.lost_output:
        words.append("some of its output could not be written")
    return words


def _recorded(receipt: Receipt, recorder: Recorder | None) -> str:
    reason = f" ({receipt.reason}: {_shown(receipt.detail)})" if receipt.reason else ""
    place = f" in {recorder.place}" if recorder else ""
    return f"recorded {receipt.run_id[-8:]} as {receipt.verdict}{reason}{place}"


def _words(error: Exception) -> str:
    if isinstance(error, FaultbookError):
        return _shown(f"{error.message} [{error.code}]")
    return _shown(f"{type(error).__name__}: {error}")


def _shown(text: str) -> str:
    return cut(one_line(redact(text)), 300)
