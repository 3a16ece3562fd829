"""The JSON of lessons, incidents and the ledger's counts, as `--json` shows them."""

from collections.abc import Mapping

from faultbook.base.clock import iso_or_none
from faultbook.ledger.incident_file import IncidentFile
from faultbook.ledger.stats import LedgerStats
from faultbook.model.known_failure import Repeats
from faultbook.model.lesson import Lesson
from faultbook.view.documents import Document

_NO_REPEATS = Repeats()


def lesson_document(lesson: Lesson, repeats: Mapping[int, Repeats]) -> Document:
    """Show a lesson."""
    counted = repeats.get(lesson.number or 0, _NO_REPEATS)
    return {
        "number": lesson.number,
        "what_failed": lesson.what_failed,
        "fix": lesson.fix,
        "rule": lesson.rule,
        "area": lesson.area,
        "incident": lesson.incident,
        "retired": lesson.retired,
        "superseded_by": lesson.superseded_by,
        "line": lesson.line,
        "repeats": counted.count,
        "last_repeat_at": iso_or_none(counted.last_at),
    }


def incident_document(file: IncidentFile) -> Document:
    """Show an incident's front matter and sections."""
    fields = file.fields
    return {
        "path": file.path,
        "title": fields.title,
        "date": fields.date,
        "severity": fields.severity.value,
        "status": fields.status.value,
        "area": fields.area,
        "owner": fields.owner,
        "lesson": fields.lesson,
        "prevention_rule": fields.prevention_rule,
        "rule_author": fields.rule_author,
        "enforcement": fields.enforcement.value,
        "enforcement_ref": fields.enforcement_ref,
        "related": list(fields.related),
        "fingerprint": fields.fingerprint,
        "why_linked": fields.why_linked,
        "what_failed": fields.what_failed,
        "impact": fields.impact,
        "root_cause": fields.root_cause,
        "fix": fields.fix,
        "verification": fields.verification,
    }


def stats_document(stats: LedgerStats) -> Document:
    """Show the ledger's counts."""
    return {
        "lessons": stats.lessons,
        "in_force": stats.in_force,
        "retired": stats.retired,
        "areas": [
            {"area": area.area, "in_force": area.in_force, "retired": area.retired}
            for area in stats.areas
        ],
        "held_by_test_or_gate": stats.held,
        "enforcement": {
            by.value if by else "not_said": count for by, count in stats.enforcement.items()
        },
        "repeats": [{"lesson": lesson, "count": count} for lesson, count in stats.repeats.items()],
        "lags": [
            {
                "path": lag.path,
                "lesson": lag.lesson,
                "seconds": lag.seconds,
                "in_time": lag.in_time,
            }
            for lag in stats.lags
        ],
    }
