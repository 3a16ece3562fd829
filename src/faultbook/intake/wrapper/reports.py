"""Test reports that were written elsewhere, recorded as runs: the report's bytes are the evidence.

Every file is read and judged before the first is recorded. The same bytes for the same series are
one run, however often they are imported (for as long as keys are kept, see `store.idempotency`).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultbook.base.clock import Instant, iso, system_clock
from faultbook.base.errors import ConflictError, InvalidError, NotFoundError, TooLargeError
from faultbook.base.redaction import redact
from faultbook.base.text import cut, cut_middle, one_line
from faultbook.intake.wrapper.record import Record, artifact_documents, said
from faultbook.intake.wrapper.recorder import Receipt, Recorder
from faultbook.intake.wrapper.watch import Found
from faultbook.model.artifact_bytes import ArtifactReader
from faultbook.model.documents import JUNIT_MEDIA_TYPE, read_record, read_start
from faultbook.model.judge import Outcome, TestCounts, judge
from faultbook.model.junit import count_tests
from faultbook.model.verdict import Judgement

DEFAULT_WORKFLOW = "tests"
"""What a single report's workflow is called where nobody says so."""

_LONGEST_NAME, _LONGEST_PATH = 200, 500
# The key came with another time; the run is closed already.
_REPEATED = frozenset({"idempotency_key_reused", "run_closed"})


@dataclass(frozen=True, slots=True)
class Series:
    """Where reports belong; None where it was not said."""

    workflow: str | None = None
    environment: str | None = None
    branch: str | None = None
    code_version: str | None = None
    url: str | None = None
    started_at: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """One run's reports, read and judged; nothing is recorded yet.

    Attributes:
        files: the paths as they were given.
    """

    files: tuple[str, ...]
    workflow: str
    counts: TestCounts
    judgement: Judgement
    record: Record
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    data: bytes
    modified_at: Instant
    counts: TestCounts


def read_reports(paths: Sequence[str], series: Series, limit: int) -> list[Report]:
    """Read report files and say what runs they make.

    With a workflow all files are one run, its tests added up. Without, a single file belongs to the
    workflow `tests`, and each of several to the workflow of its own name.

    Args:
        paths: the files.
        series: where they belong.
        limit: bytes that are read of a file at most.

    Raises:
        InvalidError: a file can't be read, is no report, or a word of the series does not fit.
    """
    files = [_read(path, limit) for path in dict.fromkeys(paths)]
    if series.workflow is not None or len(files) == 1:
        return [_report(files, series.workflow or DEFAULT_WORKFLOW, series)]
    by_name: dict[str, _File] = {}
    for file in files:
        name = _stem(file.path)
        if name in by_name:
            raise InvalidError(
                f"{_shown(by_name[name].path)} and {_shown(file.path)} have the same name.",
                code="same_workflow",
                next_step="Name one run for all of them: --workflow W. Nothing was recorded.",
                where=file.path,
            )
        by_name[name] = file
    return [_report([file], name, series) for name, file in by_name.items()]


def record_report(report: Report, recorder: Recorder) -> Receipt | None:
    """Record a report; None when the same bytes were recorded for the series before.

    Raises:
        UnavailableError: the place for records can't be had; nothing was recorded.
        FaultbookError: it refuses the record.
    """
    files = {found.artifact.name: found for found in report.found}
    try:
        return recorder.finish(report.record, files)
    except (InvalidError, ConflictError) as error:
        if error.code not in _REPEATED:
            raise
        return None


def _read(path: str, limit: int) -> _File:
    try:
        size = Path(path).stat().st_size
        if size > limit:
            raise TooLargeError(
                f"{_shown(path)} has {size} bytes; {limit} are read at most.",
                code="report_too_large",
                next_step="Split it, or raise limits.junit_bytes. Nothing was recorded.",
                where=path,
            )
        data, modified = Path(path).read_bytes(), Path(path).stat().st_mtime_ns // 1000
    except OSError as error:
        raise NotFoundError(
            f"{_shown(path)} can't be read: {error.strerror}.",
            code="report_unreadable",
            next_step="Check the path; nothing was recorded.",
            where=path,
        ) from error
    try:
        counts = count_tests(data, limit)
    except InvalidError as error:
        raise InvalidError(
            f"{_shown(path)}: {error.message}",
            code=error.code,
            next_step=error.next_step,
            where=f"{path}:{error.where.removeprefix('line ')}" if error.where else path,
        ) from error
    return _File(path, data, modified, counts)


def _report(files: Sequence[_File], workflow: str, series: Series) -> Report:
    counts = files[0].counts
    for file in files[1:]:
        counts = counts.plus(file.counts)
    found = tuple(_found(file) for file in files)
    outcome = Outcome(artifacts=tuple(each.artifact for each in found), tests=counts)
    # The newest: reports of an earlier run that nobody cleaned away must not make this one old.
    modified = min(max(file.modified_at for file in files), system_clock())
    started_at = series.started_at or iso(modified)
    run: dict[str, Any] = said(
        {
            "workflow": workflow,
            "environment": series.environment,
            "branch": series.branch,
            "code_version": series.code_version,
            "url": series.url,
            "started_at": started_at,
            "ended_at": started_at,  # nothing younger is known of it
            "artifacts": artifact_documents(found),
        }
    )
    record = Record(_key(run), run)
    read_start(record.start_body())  # what a person gave is named first
    read_record(record.whole_body())
    return Report(
        tuple(file.path for file in files), workflow, counts, judge(outcome), record, found
    )


def _found(file: _File) -> Found:
    name = cut_middle(one_line(redact(file.path)), _LONGEST_PATH)
    reader = ArtifactReader(name, JUNIT_MEDIA_TYPE)
    reader.feed(file.data)
    return Found(reader.finish(), file.path, file.data)


def _key(run: Mapping[str, Any]) -> str:
    """Know the same bytes in the same series again, whatever time they are said to be from."""
    digest = hashlib.sha256()
    for part in (run["workflow"], run.get("environment"), run.get("branch")):
        digest.update(f"{part}\0".encode())
    for artifact in run["artifacts"]:
        digest.update(f"{artifact['sha256']}\0".encode())
    return f"junit-{digest.hexdigest()}"


def _stem(path: str) -> str:
    return cut(one_line(Path(path).stem), _LONGEST_NAME) or DEFAULT_WORKFLOW


def _shown(path: str) -> str:
    return cut_middle(one_line(redact(path)), 120)
