"""Fingerprints: what recognises a failure when it comes again, though its words differ a little.

A fingerprint is of the workflow, the failure's class and reason, and the words of its detail with
everything taken out that differs from one run to the next: ids, numbers, times, temporary paths.
Environment and branch are no part of it: the same failure elsewhere is the same failure.
"""

import hashlib
import re
from functools import lru_cache

from faultbook.model.verdict import FailureClass, Reason

_VERSION = "f1"
"""Changes whenever the rules below do: what was recognised by others is not recognised by these."""

_DIGEST_CHARACTERS = 20
_WORDS = 300
"""How much of the normalised detail counts; what follows is output more often than cause."""

# In this order: what the first takes is not seen by the next.
_VOLATILE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<id>"),
    (
        re.compile(
            r"\b\d{4}-\d{2}-\d{2}(?:[t ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?"
            r"(?: ?(?:z|utc|[+-]\d{2}:?\d{2}))?)?\b"
        ),
        "<time>",
    ),
    (re.compile(r"\b\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\b"), "<time>"),
    (re.compile(r"(?:/private)?/(?:var/)?tmp/[^\s'\",;:)]+"), "<temporary>"),
    (re.compile(r"\b0x[0-9a-f]+\b"), "<id>"),
    # Hashes, and the random names that machines give: letters and digits mixed.
    (re.compile(r"(?<![a-z0-9])(?=[a-f]*\d)[0-9a-f]{7,}(?![a-z0-9])"), "<id>"),
    (re.compile(r"(?<![a-z0-9])(?=(?:[a-z]*\d){3})(?=\d*[a-z])[a-z0-9]{10,}(?![a-z0-9])"), "<id>"),
    (re.compile(r"\d+(?:[.,:/_-]\d+)*"), "#"),
    (re.compile(r"\s+"), " "),
)


@lru_cache(maxsize=4096)
def fingerprint(
    workflow: str, failure_class: FailureClass | None, reason: Reason | None, detail: str
) -> str:
    """Give the fingerprint of a failure: `f1-` and 20 hexadecimal digits, safe in any text."""
    parts = (
        workflow.casefold(),
        failure_class.value if failure_class else "",
        reason.value if reason else "",
        normalised(detail),
    )
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{_VERSION}-{digest[:_DIGEST_CHARACTERS]}"


def normalised(detail: str) -> str:
    """Take out of a failure's words whatever differs from one run to the next."""
    text = detail.casefold()[: 4 * _WORDS]
    for pattern, placeholder in _VOLATILE:
        text = pattern.sub(placeholder, text)
    return text.strip()[:_WORDS]
