"""Reading an artifact's bytes: digest, size, whether they say anything, and their first lines.

Used for uploads and for files on the wrapper's own host, so that "verified" means the same
everywhere: Faultbook read the bytes.
"""

import codecs
import hashlib
from collections.abc import Callable

from faultbook.base.redaction import redact
from faultbook.model.evidence import Artifact, Check
from faultbook.model.verdict import Reason

EXCERPT_LINES = 20
EXCERPT_CHARACTERS = 2_000
# Longer than the excerpt, so that a secret is whole when it is looked for.
_HEAD_BYTES = 16_384
# Characters without ink that `str.strip` leaves: byte order mark, zero width, Mongolian separator.
_INKLESS = "\ufeff\u200b\u200c\u200d\u2060\u180e"
_WITHOUT_INKLESS = dict.fromkeys(map(ord, _INKLESS))


class ArtifactReader:
    """Takes an artifact's bytes piece by piece, in constant memory, and says what they came to."""

    def __init__(
        self,
        name: str,
        media_type: str | None = None,
        uri: str | None = None,
        claimed_sha256: str | None = None,
        redaction: Callable[[str], str] = redact,
    ) -> None:
        self._name = name
        self._media_type = media_type
        self._uri = uri
        self._claimed = claimed_sha256.lower() if claimed_sha256 else None
        self._hash = hashlib.sha256()
        self._size = 0
        self._redaction = redaction
        self._head = b""
        # Until there is more than the head, its blankness is seen at the end.
        self._blank_beyond = True
        self._decoder: codecs.IncrementalDecoder | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._hash.update(chunk)
        self._size += len(chunk)
        room = _HEAD_BYTES - len(self._head)
        if room > 0:
            self._head += chunk[:room]
        if self._size > _HEAD_BYTES and self._blank_beyond:
            self._look_beyond(chunk if room <= 0 else self._head + chunk[room:])

    def finish(self) -> Artifact:
        """Judge the bytes: a digest that differs, nothing in them, or verified."""
        sha256 = self._hash.hexdigest()
        check, mismatch, detail = Check.VERIFIED, None, ""
        if self._claimed is not None and self._claimed != sha256:
            check, mismatch = Check.MISMATCH, Reason.DIGEST_MISMATCH
            detail = (
                f"{self._name}: its digest is {sha256[:12]}, {self._claimed[:12]} was announced"
            )
        elif self._is_blank():
            check = Check.EMPTY
            what = "holds white space only" if self._size else "has no bytes"
            detail = f"{self._name} {what}"
        return Artifact(
            self._name,
            check,
            uri=self._uri,
            sha256=sha256,
            size=self._size,
            media_type=self._media_type,
            mismatch=mismatch,
            excerpt=None if check is Check.EMPTY else excerpt_of(self._head, self._redaction),
            detail=detail,
        )

    def _look_beyond(self, chunk: bytes) -> None:
        if self._decoder is None:
            self._decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            self._blank_beyond = _has_no_ink(self._decoder.decode(chunk))
        except UnicodeDecodeError:
            self._blank_beyond = False  # binary content is content

    def _is_blank(self) -> bool:
        if self._decoder is not None:
            # Bytes of a character that was cut off are content too.
            return self._blank_beyond and not self._decoder.getstate()[0]
        try:
            return _has_no_ink(self._head.decode())
        except UnicodeDecodeError:
            return False


def _has_no_ink(text: str) -> bool:
    left = text.strip()
    return not left or (left[0] in _INKLESS and not left.translate(_WITHOUT_INKLESS).strip())


def excerpt_of(head: bytes, redaction: Callable[[str], str] = redact) -> str | None:
    """Give the first lines of text, redacted; None for binary content."""
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if len(head) < _HEAD_BYTES or error.end != len(head):
            return None
        text = head[: error.start].decode()  # the head ends within a character
    return None if "\0" in text else cut_excerpt(text, redaction)


def cut_excerpt(text: str, redaction: Callable[[str], str] = redact) -> str:
    """Redact text and cut it to what is kept for people to read where they are."""
    lines = redaction(text).splitlines(keepends=True)[:EXCERPT_LINES]
    return "".join(lines)[:EXCERPT_CHARACTERS]
