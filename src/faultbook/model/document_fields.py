"""The kinds of fields that public documents are made of: names, times, numbers, links.

Patterns are matched by pydantic's own engine (Rust's `regex`), whose `$` is the very end: a
trailing line break does not pass.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from faultbook.base.clock import Instant, from_datetime

EARLIEST: Instant = from_datetime(datetime(2000, 1, 1, tzinfo=UTC))
"""Before this no run that is told today can have started: a clock that was never set."""

# Written so that JSON Schema's readers (ECMA-262) understand them too.
_CONTROL = r"\x00-\x1f\x7f-\x9f"
_LINE = rf"[^\s{_CONTROL}](?:[^{_CONTROL}\u2028\u2029]*[^\s{_CONTROL}])?"
_ONE_LINE = rf"^{_LINE}$"
_ONE_LINE_OR_NONE = rf"^(?:{_LINE})?$"
_RFC3339 = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})$"
)
# No user or password before the host: such a link shows another name than it opens.
_LINK = (
    rf'^[hH][tT][tT][pP][sS]?://[^\s{_CONTROL}/?#@\\<>|"]+'
    rf'(?:[/?#][^\s{_CONTROL}\\<>|"]*)?$'
)
_PART = r"[A-Za-z0-9_!#$&^.+-]+"  # RFC 6838, 4.2
_MEDIA_TYPE = rf"^{_PART}/{_PART}(?:[ ]*;[^{_CONTROL}]*)?$"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TEN_YEARS_SECONDS = 315_576_000


def read_instant(text: str) -> Instant:
    """Take a time as RFC 3339 writes it, with its zone.

    Raises:
        PydanticCustomError: it names no time, or one before the year 2000.
    """
    try:
        instant = (datetime.fromisoformat(text.upper()) - _EPOCH) // _MICROSECOND
    except (ValueError, TypeError, OverflowError) as error:
        raise PydanticCustomError("bad_time", "names no time") from error
    if instant < EARLIEST:
        raise PydanticCustomError("absurd_time", "is before the year 2000")
    return instant


Name: TypeAlias = Annotated[str, StringConstraints(max_length=200, pattern=_ONE_LINE)]
"""What series, agents, models and versions are called: 1 to 200 characters on one line."""

NameOrNone: TypeAlias = Annotated[str, StringConstraints(max_length=200, pattern=_ONE_LINE_OR_NONE)]
"""A name, or nothing."""

ArtifactName: TypeAlias = Annotated[str, StringConstraints(max_length=500, pattern=_ONE_LINE)]
"""What an artifact is called. It may look like a path; it is only a name and is never opened."""

Reference: TypeAlias = Annotated[str, StringConstraints(max_length=2_000, pattern=_ONE_LINE)]
"""A path or URI, shown as it is and never opened."""

Link: TypeAlias = Annotated[str, StringConstraints(max_length=2_000, pattern=_LINK)]
"""A link that people can follow; Faultbook never opens it."""

MediaType: TypeAlias = Annotated[str, StringConstraints(max_length=200, pattern=_MEDIA_TYPE)]

Sha256: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$")]


class _TimeSchema:
    """Reads a time while a document is validated."""

    def __get_pydantic_core_schema__(
        self, _source: object, _handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        # Written back (a close is recognised by what it says), it is a number, no longer text.
        return core_schema.no_info_after_validator_function(
            read_instant,
            core_schema.str_schema(pattern=_RFC3339),
            serialization=core_schema.to_string_ser_schema(),
        )

    def __get_pydantic_json_schema__(
        self, _schema: core_schema.CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "format": "date-time"}


Time: TypeAlias = Annotated[Instant, _TimeSchema()]
"""RFC 3339 with its zone, 2000 or later; kept as an instant."""

Count: TypeAlias = Annotated[int, Field(ge=0, le=2**53 - 1)]
"""A number of things: not negative, not a boolean, exact in every JSON reader (RFC 8259, 6)."""

Seconds: TypeAlias = Annotated[float, Field(ge=0, le=_TEN_YEARS_SECONDS)]

Cost: TypeAlias = Annotated[Decimal, Field(ge=0, le=10**12)]
"""In the currency the team reports in; kept to six decimal places."""
