"""Outside text as it is kept: redacted first, then cut, so that no cut halves a secret."""

from faultbook.base.redaction import redact
from faultbook.base.text import cut

TAIL_BYTES = 10_000
"""How much of the end of an output is kept, as runitor does."""

TEXT_CHARACTERS = 2_000
"""How much of a detail or an event's text is kept."""

# More than is kept, so that a secret is whole when it is looked for.
_TAIL_CHARACTERS_READ = 50_000
_TEXT_CHARACTERS_READ = 20_000


def kept_text(text: str) -> str:
    """Keep the beginning of a text."""
    if not text:
        return ""
    return cut(redact(plain(text[:_TEXT_CHARACTERS_READ])), TEXT_CHARACTERS)


def kept_tail(text: str | None) -> str | None:
    """Keep the end of an output."""
    if text is None:
        return None
    clean = redact(plain(text[-_TAIL_CHARACTERS_READ:])).encode("utf-8", "replace")
    return clean[-TAIL_BYTES:].decode("utf-8", "ignore")


def plain(text: str) -> str:
    """Show NUL instead of keeping it: PostgreSQL's text can't hold it."""
    return text.replace("\0", "\\u0000") if "\0" in text else text
