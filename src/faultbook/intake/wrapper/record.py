"""The record of one job: one whole-run document, and the start and the close that are in it.

A record is what is sent, and what is kept in the spool while nobody can take it. The same record
gives the same bytes each time, since a repeated request is known by them.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from faultbook.base.errors import InvalidError
from faultbook.intake.wrapper.watch import INLINE_BYTES, Found
from faultbook.model.documents import CloseDocument, StartDocument
from faultbook.model.evidence import Artifact, Check

_FORMAT = 1
_MOST_INLINE = 4_000_000
_START_FIELDS = frozenset(StartDocument.model_fields)
# What its start has promised its close need not promise again.
_CLOSE_FIELDS = frozenset(CloseDocument.model_fields) - {"promised"}


@dataclass(frozen=True, slots=True)
class Record:
    """One run to be recorded.

    Attributes:
        key: what a repetition is known by.
        run: the whole-run document; while the job runs, only what its start says.
        target: where it belongs; None where that could not be told, then anywhere.
        run_id: of the run that was opened at the start; None when none was.
        maybe_started: the start may have arrived, and nobody said so.
    """

    key: str
    run: Mapping[str, Any]
    target: str | None = None
    run_id: str | None = None
    maybe_started: bool = False

    @property
    def start_key(self) -> str:
        """What a repetition of its start is known by."""
        return f"{self.key}-start"

    def start_body(self) -> bytes:
        """Write the document that opens the run."""
        return write_document({name: self.run[name] for name in self.run if name in _START_FIELDS})

    def close_body(self) -> bytes:
        """Write the document that closes the run."""
        return write_document({name: self.run[name] for name in self.run if name in _CLOSE_FIELDS})

    def whole_body(self) -> bytes:
        """Write the document that tells the run in one piece."""
        return write_document(self.run)

    def inline_names(self) -> frozenset[str]:
        """Name the artifacts whose bytes are in the document, and are few enough to be sent so."""
        return frozenset(
            each["name"]
            for each in self.run.get("artifacts", ())
            if 0 < len(each.get("content", "")) <= _MOST_INLINE * 4 // 3 + 4  # base64
        )

    def without(self, names: frozenset[str]) -> "Record":
        """Leave artifacts out that were brought by themselves."""
        artifacts = [each for each in self.run.get("artifacts", ()) if each["name"] not in names]
        return replace(self, run={**self.run, "artifacts": artifacts})


def write_record(record: Record) -> bytes:
    """Write a record as it lies in the spool."""
    return write_document(
        {
            "format": _FORMAT,
            "key": record.key,
            "target": record.target,
            "run_id": record.run_id,
            "maybe_started": record.maybe_started,
            "run": record.run,
        }
    )


def read_record_file(data: bytes) -> Record:
    """Read a record from the spool.

    Raises:
        InvalidError: it is none, or one of a newer Faultbook.
    """
    try:
        told = json.loads(data)
        if told["format"] == _FORMAT and isinstance(told["run"], dict):
            return Record(
                str(told["key"]),
                told["run"],
                told["target"],
                told["run_id"],
                bool(told["maybe_started"]),
            )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _no_record() from error
    raise _no_record()


def _no_record() -> InvalidError:
    return InvalidError(
        "This file of the spool holds no record that can be read.",
        code="bad_record",
        next_step="Look at it; nothing of it was recorded.",
    )


def target_of(kind: str, address: str) -> str:
    """Name where records belong without telling the address, which may hold a password."""
    return f"{kind}:{hashlib.sha256(address.rstrip('/').encode()).hexdigest()[:16]}"


def artifact_documents(found: Sequence[Found]) -> list[dict[str, Any]]:
    """Describe artifacts, with their bytes where they are small or a test report.

    Bytes of others travel by themselves, or the wrapper's word has to stand for them; a report's
    are always there, since its tests are counted from them.
    """
    left, documents = _MOST_INLINE, []
    for each in found:
        document = _artifact_document(each.artifact)
        content = each.content if each.path is not None else None
        is_report = content is not None and len(content) > INLINE_BYTES
        if content is not None and (len(content) <= left or is_report):
            left -= len(content)
            document["content"] = base64.b64encode(content).decode("ascii")
        documents.append(document)
    return documents


def _artifact_document(artifact: Artifact) -> dict[str, Any]:
    document = {
        "name": artifact.name,
        "uri": artifact.uri,
        "media_type": artifact.media_type,
        "sha256": artifact.sha256,
        "size": artifact.size,
        "excerpt": artifact.excerpt,
        "check": artifact.check.value,
        "mismatch": artifact.mismatch.value if artifact.mismatch else None,
        "detail": artifact.detail or None,
    }
    if artifact.check is not Check.VERIFIED:
        # Old or wrong bytes are no evidence; what they were is only said.
        document["excerpt"] = artifact.excerpt if artifact.check is Check.MISMATCH else None
    return said(document)


def said(document: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is not said."""
    return {name: value for name, value in document.items() if value is not None}


def write_document(document: Mapping[str, Any]) -> bytes:
    """Write a document, the same one always by the same bytes."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
