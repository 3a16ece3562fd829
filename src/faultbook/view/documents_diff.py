"""The public JSON document of a comparison."""

from faultbook.base.clock import iso, iso_or_none
from faultbook.model.diff import Change, Commit, Point, SideVerdict, VerdictDiff
from faultbook.view.documents import Document, run_mark_document


def diff_document(diff: VerdictDiff) -> Document:
    """Show the answer to "what changed?" as JSON."""
    return {
        "exit_code": diff.exit_code,
        "before": _point(diff.before),
        "after": _point(diff.after),
        "as_of": iso(diff.as_of),
        "newest_record_at": iso_or_none(diff.newest_record_at),
        "stale": diff.stale,
        "branch": diff.branch,
        "newly_failing": [_change(change) for change in diff.newly_failing],
        "reason_changed": [_change(change) for change in diff.reason_changed],
        "still_failing": [_change(change) for change in diff.still_failing],
        "newly_passing": [_change(change) for change in diff.newly_passing],
        "no_longer_passing": [_change(change) for change in diff.no_longer_passing],
        "still_passing": diff.still_passing,
        "still_unproven": diff.still_unproven,
        "compared": diff.compared,
        "missing_before": diff.missing_before,
        "missing_after": diff.missing_after,
    }


def _point(point: Point) -> Document:
    if isinstance(point, Commit):
        return {"commit": point.version, "at": None}
    return {"commit": None, "at": iso(point.instant)}


def _change(change: Change) -> Document:
    return {
        "workflow": change.place.workflow,
        "environment": change.place.environment,
        "before": None if change.before is None else _side(change.before),
        "after": _side(change.after),
    }


def _side(side: SideVerdict) -> Document:
    return {
        "standing": side.standing.value,
        "silent_since": iso_or_none(side.silent_since),
        "reason": None if side.reason is None else side.reason.value,
        "failure_class": None if side.failure_class is None else side.failure_class.value,
        "detail": side.detail,
        "branch": side.branch,
        "run": run_mark_document(side.run),
    }
