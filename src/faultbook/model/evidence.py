"""Evidence: artifacts, and what reading their bytes came to."""

from dataclasses import dataclass
from enum import StrEnum

from faultbook.model.verdict import Reason


class Check(StrEnum):
    """What reading an artifact came to; `verified` means that Faultbook read the bytes."""

    VERIFIED = "verified"
    STALE = "stale"
    EMPTY = "empty"
    MISMATCH = "mismatch"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A named piece of evidence and its check.

    Attributes:
        uri: where the caller says it can be read; shown, never opened by the server.
        sha256: hex digest that Faultbook computed over the bytes it read; None when it read none.
        size: bytes read; None when none were.
        mismatch: what did not fit, `digest_mismatch` or `schema_mismatch`, when `check` is so.
        excerpt: the first lines, redacted, for people to read where they are.
        detail: why the check came out so, in words.
    """

    name: str
    check: Check
    uri: str | None = None
    sha256: str | None = None
    size: int | None = None
    media_type: str | None = None
    mismatch: Reason | None = None
    excerpt: str | None = None
    detail: str = ""
