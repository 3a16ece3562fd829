"""Outside text as it is kept: redacted first, then cut, so that no cut halves a secret."""

import re
from collections.abc import Callable
from typing import TypeAlias

from pydantic_core import SchemaValidator, core_schema

from faultbook.base.redaction import SIGNS, redact
from faultbook.base.text import cut

Redaction: TypeAlias = Callable[[str], str]
"""Takes the secrets out of a text."""

TAIL_BYTES = 10_000
"""How much of the end of an output is kept, as runitor does."""

TEXT_CHARACTERS = 2_000
"""How much of a detail or an event's text is kept."""

# More than is kept, so that a secret is whole when it is looked for.
_TAIL_CHARACTERS_READ = 50_000
_TEXT_CHARACTERS_READ = 20_000
# The same signs as redaction's own, in pydantic's engine: one pass over a whole document costs a
# hundredth of asking for each of its texts.
_SUSPICIOUS = SchemaValidator(
    core_schema.str_schema(pattern=f"(?i){'|'.join(map(re.escape, SIGNS))}|://[^\\s/]*@")
)


def redaction_for(raw: bytes) -> Redaction:
    """Choose how the texts of a JSON document are redacted.

    Nothing has to be where the document as a whole shows no sign of a secret. An escape could hide
    one, so a document with any but the ordinary ones has each text looked at.
    """
    if b"\\u" in raw or b"\\/" in raw or _SUSPICIOUS.isinstance_python(raw):
        return redact
    return _as_it_is


def _as_it_is(text: str) -> str:
    return text


def kept_text(text: str, redaction: Redaction) -> str:
    """Keep the beginning of a text."""
    if not text:
        return ""
    return cut(redaction(plain(text[:_TEXT_CHARACTERS_READ])), TEXT_CHARACTERS)


def kept_tail(text: str | None, redaction: Redaction) -> str | None:
    """Keep the end of an output."""
    if text is None:
        return None
    clean = redaction(plain(text[-_TAIL_CHARACTERS_READ:])).encode("utf-8", "replace")
    return clean[-TAIL_BYTES:].decode("utf-8", "ignore")


def plain(text: str) -> str:
    """Show NUL instead of keeping it: PostgreSQL's text can't hold it."""
    return text.replace("\0", "\\u0000") if "\0" in text else text
