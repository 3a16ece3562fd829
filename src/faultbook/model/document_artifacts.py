"""From reported artifacts to checked ones: bytes read, claims weighed, tests counted."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace

from faultbook.base.errors import InvalidError
from faultbook.base.redaction import redact
from faultbook.base.text import cut
from faultbook.model.artifact_bytes import ArtifactReader, cut_excerpt
from faultbook.model.document_text import Redaction, kept_text, plain
from faultbook.model.documents import JUNIT_MEDIA_TYPE, ArtifactDocument
from faultbook.model.evidence import WORST_CHECK_FIRST, Artifact, Check
from faultbook.model.judge import TestCounts
from faultbook.model.junit import count_tests, is_report
from faultbook.model.verdict import Reason


def read_artifacts(
    documents: Sequence[ArtifactDocument], *, attested: bool, redaction: Redaction
) -> tuple[tuple[Artifact, ...], TestCounts | None]:
    """Check every artifact, and count the tests of those that are JUnit reports.

    Args:
        documents: the artifacts as they were reported.
        attested: the reporter is Faultbook's own wrapper, whose checks are believed.
        redaction: how texts are redacted.

    Raises:
        InvalidError: two share a name, one is no base64, a report can't be read.
    """
    if not documents:
        return (), None
    found: dict[str, Artifact] = {}
    tests: TestCounts | None = None
    for index, document in enumerate(documents):
        field = f"artifacts.{index}"
        data = _bytes_of(document, field)
        artifact = _artifact(document, data, attested=attested, redaction=redaction)
        if artifact.name in found:
            raise InvalidError(
                f"Two artifacts are called `{cut(artifact.name, 80)}`.",
                code="duplicate_artifact",
                next_step="Give each its own name.",
                where=f"{field}.name",
            )
        found[artifact.name] = artifact
        if data is not None and is_junit(artifact.media_type) and artifact.check is not Check.EMPTY:
            counted = count_tests(data)
            tests = counted if tests is None else tests.plus(counted)
    return tuple(found.values()), tests


def _artifact(
    document: ArtifactDocument, data: bytes | None, *, attested: bool, redaction: Redaction
) -> Artifact:
    name = redaction(document.name)
    uri = redaction(document.uri) if document.uri else None
    media_type = redaction(document.media_type) if document.media_type else None
    detail = kept_text(document.detail, redaction)
    if data is None:
        named = Artifact(name, Check.UNREACHABLE, uri, media_type=media_type, detail=detail)
        return _unread_artifact(document, named, attested=attested, redaction=redaction)
    if not is_junit(media_type) and is_report(name, media_type, data):
        media_type = JUNIT_MEDIA_TYPE
    # What was base64 could not be looked at as a part of the document.
    of_bytes = redaction if document.content is None else redact
    reader = ArtifactReader(name, media_type, uri, document.sha256, of_bytes)
    reader.feed(data)
    read = reader.finish()
    claimed = document.check
    if claimed is None or _rank(claimed) >= _rank(read.check):
        return read
    return replace(read, check=claimed, mismatch=_mismatch(document), detail=detail)


def _unread_artifact(
    document: ArtifactDocument, artifact: Artifact, *, attested: bool, redaction: Redaction
) -> Artifact:
    check, detail = document.check or Check.UNREACHABLE, artifact.detail
    if check is Check.VERIFIED and not (attested and document.sha256):
        check, detail = Check.UNREACHABLE, f"{artifact.name}: its bytes were not sent"
    elif check is Check.VERIFIED and is_junit(artifact.media_type):
        words = "its bytes were not sent, so its tests are not counted"
        check, detail = Check.UNREACHABLE, f"{artifact.name}: {words}"
    elif check is Check.UNREACHABLE and not detail:
        detail = f"{artifact.name} is named, and its bytes were not sent"
    return replace(
        artifact,
        check=check,
        mismatch=_mismatch(document),
        # A digest is ours or our wrapper's; another's word for it is not kept as one.
        sha256=document.sha256.lower() if attested and document.sha256 else None,
        size=document.size,
        excerpt=cut_excerpt(plain(document.excerpt), redaction) if document.excerpt else None,
        detail=detail,
        announced=document.sha256.lower() if document.sha256 else None,
    )


def _mismatch(document: ArtifactDocument) -> Reason | None:
    if document.check is not Check.MISMATCH:
        return None
    return Reason(document.mismatch or Reason.DIGEST_MISMATCH)


def _rank(check: Check) -> int:
    return WORST_CHECK_FIRST.index(check)


def _bytes_of(document: ArtifactDocument, field: str) -> bytes | None:
    if document.content is not None and document.text is not None:
        raise InvalidError(
            "An artifact has either `content` or `text`.",
            code="bad_field",
            next_step="Leave one of them out.",
            where=f"{field}.text",
        )
    if document.text is not None:
        return document.text.encode()
    if document.content is None:
        return None
    try:
        unwrapped = document.content.replace("\n", "").replace("\r", "")
        return base64.b64decode(unwrapped, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidError(
            f"`{field}.content` is no base64.",
            code="bad_field",
            next_step="Encode the bytes after RFC 4648, or send text as `text`.",
            where=f"{field}.content",
        ) from error


def is_junit(media_type: str | None) -> bool:
    """Tell whether a media type is that of JUnit's reports."""
    return (media_type or "").partition(";")[0].strip().lower() == JUNIT_MEDIA_TYPE
