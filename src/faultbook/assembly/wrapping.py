"""What `faultbook run` and `faultbook import` record with: a server where one is set, or the store.

Nothing heavy is imported before it is needed: a job waits for all that happens here.
"""

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from faultbook.base.settings import Settings, load_settings
from faultbook.intake.wrapper.attempt import Attempt
from faultbook.intake.wrapper.context import find_context
from faultbook.intake.wrapper.job import Place, WrappedJob
from faultbook.intake.wrapper.order import Order
from faultbook.intake.wrapper.process import Job
from faultbook.intake.wrapper.record import target_of
from faultbook.intake.wrapper.recorder import Recorder
from faultbook.intake.wrapper.reports import Report, Series, read_reports, record_report
from faultbook.intake.wrapper.spool import spool_folders
from faultbook.model.verdict import Verdict

if TYPE_CHECKING:
    from faultbook.intake.wrapper.watch import JsonCheck

_READ_SECONDS = 5.0
_STDERR = 2


def run_wrapped(job: Job, order: Order) -> int:
    """Run a job that was forked already, and record it; gives the exit code to end with.

    Raises:
        InvalidError: the order does not fit; the job was not started.
    """
    schema: JsonCheck | None = None
    if order.schema is not None:
        from faultbook.intake.wrapper.schema import load_schema  # noqa: PLC0415 - few jobs have one

        schema = load_schema(order.schema)
    wrapped = WrappedJob(job, order, os.environ, schema)
    return wrapped.run(_find_place(), say)


@dataclass(frozen=True, slots=True)
class Imported:
    """A report that was read, and what became of it.

    Attributes:
        run_id: of its run; None when nothing was recorded, or the same report was before, with
            another time.
    """

    report: Report
    run_id: str | None = None

    @property
    def verdict(self) -> Verdict:
        """How the run came out."""
        return self.report.judgement.verdict


def import_reports(paths: Sequence[str], series: Series, *, dry_run: bool) -> list[Imported]:
    """Read reports and record them, unless it is only tried.

    Raises:
        FaultbookError: a file can't be read or is no report, the settings do not fit, or the place
            for records can't be had.
    """
    settings = load_settings(os.environ, Path.cwd())
    context = find_context(os.environ, Path.cwd())
    placed = replace(
        series,
        branch=series.branch or context.branch,
        code_version=series.code_version or context.code_version,
        url=series.url or context.url,
    )
    reports = read_reports(paths, placed, settings.limits.junit_bytes)
    if dry_run:
        return [Imported(report) for report in reports]
    recorder = open_recorder(settings)
    try:
        return [_import(report, recorder) for report in reports]
    finally:
        recorder.close()


def _import(report: Report, recorder: Recorder) -> Imported:
    receipt = record_report(report, recorder)
    return Imported(report, receipt.run_id if receipt else None)


def say(words: str) -> None:
    """Say something on stderr, between the job's own lines; that nobody listens is no trouble."""
    with contextlib.suppress(OSError):
        os.write(_STDERR, f"faultbook: {words}\n".encode("utf-8", "replace"))


def open_recorder(settings: Settings) -> Recorder:
    """Open the recorder that the settings name.

    Raises:
        InvalidError: FAULTBOOK_URL is no address.
        UnavailableError: the database can't be reached.
    """
    if settings.url is not None:
        # Each is imported where it is used: the other costs as much again.
        from faultbook.client.http import HttpClient  # noqa: PLC0415
        from faultbook.intake.wrapper.to_server import ServerRecorder  # noqa: PLC0415

        token = settings.token.get_secret_value() if settings.token else None
        client = HttpClient(settings.url, token)
        return ServerRecorder(settings.url, client, settings.limits.artifact_bytes)
    from faultbook.assembly.house import open_house  # noqa: PLC0415
    from faultbook.intake.wrapper.to_store import StoreRecorder  # noqa: PLC0415

    house = open_house(settings)
    return StoreRecorder(house, house.close)


def _find_place() -> Place:
    """Find out where records go; that the settings can't be read must not keep a job from it."""
    read = Attempt(lambda: load_settings(os.environ, Path.cwd()))
    read.wait(_READ_SECONDS)
    settings = read.result
    if settings is None:
        return Place(_raising(read.error), None, spool_folders(None))
    target = Attempt(lambda: _target(settings))
    target.wait(_READ_SECONDS)
    folders = spool_folders(settings.home.absolute())
    return Place(lambda: open_recorder(settings), target.result, folders)


def _raising(error: Exception | None) -> Callable[[], Recorder]:
    def open_it() -> Recorder:
        raise error or TimeoutError("the settings could not be read in time")

    return open_it


def _target(settings: Settings) -> str:
    if settings.url is not None:
        return target_of("server", settings.url)
    from sqlalchemy import make_url  # noqa: PLC0415 - a server needs none of it

    from faultbook.assembly.house import database_url  # noqa: PLC0415
    from faultbook.intake.wrapper.to_store import store_target  # noqa: PLC0415

    return store_target(make_url(database_url(settings)))
