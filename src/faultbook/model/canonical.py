"""Canonical JSON (RFC 8785), so that the same action always has the same digest.

Numbers with a fraction have no place in what is hashed: languages write them differently.
"""

import hashlib
import math
import re
from typing import TypeAlias

import rfc8785

from faultbook.base.errors import InvalidError, TooLargeError
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"

LARGEST_ACTION = 64_000
"""Bytes of an action's canonical form."""
_DEEPEST = 32
_LARGEST_INTEGER = 2**53 - 1  # what every JSON reader holds exactly
_REFERENCE = re.compile(r"secret:([A-Za-z0-9][A-Za-z0-9_./-]{0,99})")
# Whatever a key of such a name holds, a sentence or a number too, is the secret.
_NAMES_SECRET = re.compile(
    r"(?i)(?:password|passwd|passphrase|secret|(?:api|access|private)[_-]?key"
    r"|(?:auth|access)[_-]?token)$"
)


def canonical(value: object) -> bytes:
    """Give the canonical form of a value that `check_json` has let through."""
    return rfc8785.dumps(value)  # type: ignore[arg-type]  # its own alias of JSON allows floats


def digest_of(value: object) -> str:
    """Give the SHA-256 of a value's canonical form, in hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def check_json(value: object, where: str, name: str = "", depth: int = 0) -> Json:
    """Hold a value to what can be hashed the same everywhere, and shown.

    `where` is the place that refusals name, `name` the key whose value it is.

    Raises:
        InvalidError: a fraction, a secret, or what is no JSON.
    """
    if depth > _DEEPEST:
        raise _unfit(where, f"is nested deeper than {_DEEPEST} levels", "Send it flatter.")
    if isinstance(value, dict):
        return {
            _key(key, where): check_json(item, f"{where}.{_shown(str(key))}", str(key), depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [
            check_json(item, f"{where}[{index}]", name, depth + 1)
            for index, item in enumerate(value)
        ]
    if isinstance(value, str):
        return _text(value, where, name)
    return _scalar(value, where, name)


def check_size(value: object, where: str) -> bytes:
    """Give a value's canonical form, held to its limit.

    Raises:
        TooLargeError: it is over the limit.
    """
    told = canonical(value)
    if len(told) > LARGEST_ACTION:
        raise TooLargeError(
            f"The action has {len(told):,} bytes; {LARGEST_ACTION:,} are the most.",
            code="action_too_large",
            next_step="Put what is long into a file and name its digest.",
            where=where,
        )
    return told


def _scalar(value: object, where: str, name: str) -> Json:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) > _LARGEST_INTEGER:
            raise _unfit(where, "is a number that not every reader holds", "Send it as a string.")
        if _NAMES_SECRET.search(name):
            raise _secret(where)
        return value
    if isinstance(value, float) and not math.isfinite(value):
        raise _unfit(where, "is no number that JSON knows", "Send JSON values.", "float")
    if isinstance(value, float):
        raise _unfit(
            where, "is a number with a fraction", 'Send decimals as strings: "120.00".', "float"
        )
    raise _unfit(where, "is no JSON", "Send JSON values.")


def _text(value: str, where: str, name: str = "") -> str:
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise _unfit(where, "is no Unicode text", "Send valid UTF-8.")
    reference = _REFERENCE.fullmatch(value)
    if reference is not None:
        if redact(reference[1]) != reference[1]:
            raise _secret(where)  # the secret itself, with the prefix put before it
        return value
    # By its key's name too, as `password: hunter2` would be found in a log.
    in_words = " " not in value and redact(f"{name}={value}") != f"{name}={value}"
    if redact(value) != value or in_words or (value and _NAMES_SECRET.search(name)):
        raise _secret(where)
    return value


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise _unfit(where, "has a key that is no text", "Send JSON.")
    return _text(key, f"{where} (a key)")


def _secret(where: str) -> InvalidError:
    advice = "Send secret:NAME; the executor knows it."
    return _unfit(where, "holds a secret", advice, "secret")


def _shown(text: str) -> str:
    return cut(one_line(redact(text)), 60)


def _unfit(where: str, what: str, advice: str, code: str = "unfit") -> InvalidError:
    return InvalidError(
        f"`{where}` {what}.", code=f"{code}_in_action", next_step=advice, where=where
    )
