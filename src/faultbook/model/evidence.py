"""Evidence: artifacts, and what reading their bytes came to."""

from dataclasses import dataclass, replace
from enum import StrEnum

from faultbook.model.verdict import Reason


class Check(StrEnum):
    """What reading an artifact came to; `verified` means that Faultbook read the bytes."""

    VERIFIED = "verified"
    STALE = "stale"
    EMPTY = "empty"
    MISMATCH = "mismatch"
    UNREACHABLE = "unreachable"


WORST_CHECK_FIRST: tuple[Check, ...] = (
    Check.MISMATCH,
    Check.UNREACHABLE,
    Check.STALE,
    Check.EMPTY,
    Check.VERIFIED,
)


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
        announced: the digest that a report names for bytes that did not come with it; not stored.
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
    announced: str | None = None

    @property
    def is_named_only(self) -> bool:
        """Tell whether this came without its bytes."""
        return self.sha256 is None or self.announced is not None


def weighed(brought: Artifact, told: Artifact) -> Artifact:
    """Hold an artifact whose bytes were brought against a later word about it without bytes.

    The word can only worsen it: another digest is a mismatch, a worse check counts, and merely
    naming it changes nothing.
    """
    if told.announced is not None and brought.sha256 not in (None, told.announced):
        words = f"{brought.name}: its digest is {str(brought.sha256)[:12]}, "
        words += f"{told.announced[:12]} was announced"
        return replace(brought, check=Check.MISMATCH, mismatch=Reason.DIGEST_MISMATCH, detail=words)
    ranks = WORST_CHECK_FIRST.index(told.check), WORST_CHECK_FIRST.index(brought.check)
    if told.check is Check.UNREACHABLE or ranks[0] >= ranks[1]:
        return brought
    return replace(brought, check=told.check, mismatch=told.mismatch, detail=told.detail)
