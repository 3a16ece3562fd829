"""Reading an artifact's bytes: digest, size, whether they say anything, and their first lines.

Used for uploads and for files on the wrapper's own host, so that "verified" means the same
everywhere: Faultbook read the bytes.
"""

import codecs
import hashlib

from faultbook.base.redaction import redact
from faultbook.model.evidence import Artifact, Check
from faultbook.model.verdict import Reason

EXCERPT_LINES = 20
EXCERPT_CHARACTERS = 2_000
# Longer than the excerpt, so that a secret is whole when it is looked for.
_HEAD_BYTES = 16_384
# Characters without ink that `str.isspace` does not count: byte order mark, zero width, Mongolian.
_INKLESS = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u180e"))


class ArtifactReader:
    """Takes an artifact's bytes piece by piece, in constant memory, and says what they came to."""

    def __init__(
        self,
        name: str,
        media_type: str | None = None,
        uri: str | None = None,
        claimed_sha256: str | None = None,
    ) -> None:
        self._name = name
        self._media_type = media_type
        self._uri = uri
        self._claimed = claimed_sha256.lower() if claimed_sha256 else None
        self._hash = hashlib.sha256()
        self._size = 0
        self._head = bytearray()
        self._blank = True
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._hash.update(chunk)
        self._size += len(chunk)
        if len(self._head) < _HEAD_BYTES:
            self._head += chunk[: _HEAD_BYTES - len(self._head)]
        if self._blank:
            self._blank = self._is_blank(chunk, final=False)

    def finish(self) -> Artifact:
        """Judge the bytes: a digest that differs, nothing in them, or verified."""
        sha256 = self._hash.hexdigest()
        check, mismatch, detail = Check.VERIFIED, None, ""
        if self._claimed is not None and self._claimed != sha256:
            check, mismatch = Check.MISMATCH, Reason.DIGEST_MISMATCH
            detail = (
                f"{self._name}: its digest is {sha256[:12]}, {self._claimed[:12]} was announced"
            )
        elif self._blank and self._is_blank(b"", final=True):
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
            excerpt=None if check is Check.EMPTY else excerpt_of(bytes(self._head)),
            detail=detail,
        )

    def _is_blank(self, chunk: bytes, *, final: bool) -> bool:
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeDecodeError:
            return False  # binary content is content
        return not text.translate(_INKLESS).strip()


def excerpt_of(head: bytes) -> str | None:
    """Give the first lines of text, redacted; None for binary content."""
    try:
        # The head may end within a character.
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else cut_excerpt(text)


def cut_excerpt(text: str) -> str:
    """Redact text and cut it to what is kept for people to read where they are."""
    lines = redact(text).splitlines(keepends=True)[:EXCERPT_LINES]
    return "".join(lines)[:EXCERPT_CHARACTERS]
