"""How a job ended, as a document says it."""

from collections.abc import Sequence
from typing import Any

from faultbook.base.clock import Instant, iso
from faultbook.base.redaction import redact
from faultbook.intake.wrapper.process import JobEnd
from faultbook.intake.wrapper.record import artifact_documents, said
from faultbook.intake.wrapper.watch import Found
from faultbook.model.document_text import kept_tail


def end_document(end: JobEnd, ended_at: Instant, found: Sequence[Found]) -> dict[str, Any]:
    """Describe a job's end and what was found of its artifacts; its output is redacted here."""
    return said(
        {
            "ended_at": iso(ended_at),
            "exit_code": end.exit_code,
            "signal": end.signal,
            "command_started": False if end.failure else None,
            "timed_out": end.timed_out or None,
            "cpu_seconds": round(end.cpu_seconds, 6),
            "peak_memory_bytes": end.peak_memory_bytes,
            "stdout_tail": kept_tail(end.stdout_tail, redact),
            "stderr_tail": kept_tail(end.stderr_tail, redact),
            "artifacts": artifact_documents(found),
        }
    )
