"""What is said when a document does not fit: the field, what is wrong with it, what would fit."""

import difflib
import typing
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from faultbook.base.errors import InvalidError
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line

_SHOWN = 80
_WORDS = {
    "string_pattern_mismatch": "does not fit",
    "string_too_short": "is too short",
    "int_type": "is no whole number",
    "int_parsing_size": "is too large a number",
    "float_type": "is no number",
    "decimal_type": "is no number",
    "decimal_parsing": "is no number",
    "finite_number": "is no finite number",
    "bool_type": "is neither true nor false",
    "string_type": "is no text",
    "tuple_type": "is no list",
    "model_type": "is no JSON object",
    "dict_type": "is no JSON object",
}
_UNKNOWN_WORD_CODES = {
    "verdict": "unknown_verdict",
    "reason": "unknown_reason",
    "failure_class": "unknown_failure_class",
}
# By the field's name: what fits a pattern is better said than shown.
_FITTING = {
    "time": "Write RFC 3339 with its zone: 2026-11-18T15:04:05Z.",
    "url": "Give an http or https link, without a user or password in it.",
    "sha256": "Give 64 hexadecimal digits.",
    "input_sha256": "Give 64 hexadecimal digits.",
    "media_type": "Give a media type such as text/plain.",
}
_FITTING_EMPTY = "Fill it in; nothing was recorded."
_FITTING_NAME = "Write it on one line, without control characters or blanks at its ends."


def explain_document(error: ValidationError, model: type[BaseModel]) -> InvalidError:
    """Put the first thing that does not fit into words.

    Args:
        error: what validating a document of `model` raised.
        model: the document, whose field names are offered for a mistyped one.
    """
    return explain_field(error.errors(include_url=False)[0], model)


def explain_field(
    problem: Any,  # noqa: ANN401 - pydantic's ErrorDetails, or FastAPI's equal of it
    model: type[BaseModel],
    above: int = 0,
) -> InvalidError:
    """Put one thing that does not fit into words.

    Args:
        problem: as pydantic describes it.
        model: the document it is about.
        above: how many parts of the path stand above the document.
    """
    first = {**problem, "loc": tuple(problem["loc"])[above:]}
    path = first["loc"]
    where = ".".join(str(part) for part in path)
    kind = first["type"]
    if kind == "json_invalid":
        words = first["msg"].removeprefix("Invalid JSON: ")
        return InvalidError(
            f"This is no JSON: {cut(one_line(redact(words)), 200)}.",
            code="malformed_json",
            next_step="Send one JSON object in UTF-8.",
        )
    if kind == "extra_forbidden":
        return _unknown_field(path, model)
    if kind in ("enum", "literal_error"):
        return _unknown_word(path, first["input"], model)
    if kind == "missing":
        return InvalidError(
            f"`{where}` is missing.", code="missing_field", next_step="Add it.", where=where
        )
    return InvalidError(
        f"`{where}` {_wrong(first)}." if where else f"The document {_wrong(first)}.",
        code="bad_time" if _is_time(first) else "bad_field",
        next_step=_fitting(first),
        where=where,
    )


def _wrong(problem: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    """Say what is wrong, as the rest of a sentence about the field."""
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "string_pattern_mismatch" and _is_time(problem):
        return "is no time with a zone"
    if kind in _WORDS:
        return "is empty" if _is_empty(problem) else _WORDS[kind]
    if kind == "string_too_long":
        return f"is longer than {context['max_length']} characters"
    if kind == "too_long":
        return f"has more than {context['max_length']} entries"
    limits = {
        "greater_than": ("gt", "is not above"),
        "greater_than_equal": ("ge", "is below"),
        "less_than": ("lt", "is not below"),
        "less_than_equal": ("le", "is above"),
    }
    if kind in limits:
        name, words = limits[kind]
        return f"{words} {context[name]:g}"
    return cut(one_line(redact(str(problem["msg"]))), 200)


def _fitting(problem: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    name = next((part for part in reversed(problem["loc"]) if isinstance(part, str)), "")
    if _is_time(problem):
        return _FITTING["time"]
    if problem["type"] == "string_pattern_mismatch":
        return _FITTING.get(name, _FITTING_EMPTY if _is_empty(problem) else _FITTING_NAME)
    return _FITTING_EMPTY if _is_empty(problem) else "Correct it; nothing was recorded."


def _is_empty(problem: Any) -> bool:  # noqa: ANN401 - pydantic's ErrorDetails
    """Tell whether a text says nothing that had to say something."""
    given = problem.get("input")
    needed = problem["type"] in ("string_pattern_mismatch", "string_too_short")
    return needed and isinstance(given, str) and not given.strip()


def _is_time(problem: Any) -> bool:  # noqa: ANN401 - pydantic's ErrorDetails
    path = problem["loc"]
    return bool(path) and (str(path[-1]).endswith("_at") or path[-1] == "since")


def _unknown_field(path: Sequence[Any], model: type[BaseModel]) -> InvalidError:
    name = cut(one_line(redact(str(path[-1]))), _SHOWN)
    where = ".".join([*(str(part) for part in path[:-1]), name])
    holder = _annotation(path[:-1], model)
    known = holder.model_fields if holder is not None else {}
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.4)
    return InvalidError(
        f"`{where}` is no field of this document.",
        code="unknown_field",
        next_step=f"Nearest: `{near[0]}`." if near else "Remove it.",
        where=where,
    )


def _unknown_word(path: Sequence[Any], given: object, model: type[BaseModel]) -> InvalidError:
    where, name = ".".join(str(part) for part in path), str(path[-1])
    holder = _annotation(path[:-1], model)
    field = holder.model_fields.get(name) if holder is not None else None
    words = list(_words_of(field.annotation)) if field else []
    shown = cut(one_line(redact(str(given))), _SHOWN)
    near = difflib.get_close_matches(shown, words, n=1, cutoff=0)
    few = len(words) <= 6  # noqa: PLR2004 - as many as are read at a glance
    return InvalidError(
        f"`{where}` can't be `{shown}`.",
        code=_UNKNOWN_WORD_CODES.get(name, "unknown_word"),
        next_step=f"One of: {', '.join(words)}." if few else f"Nearest: `{near[0]}`.",
        where=where,
    )


def _annotation(path: Sequence[Any], model: type[BaseModel]) -> type[BaseModel] | None:
    """Find the document that a path within another leads to."""
    found: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, int):
            continue
        field = found.model_fields.get(str(part)) if found else None
        found = next(_models_of(field.annotation), None) if field else None
    return found


def _models_of(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _models_of(inner)


def _words_of(annotation: object) -> Iterator[str]:
    if isinstance(annotation, type) and hasattr(annotation, "__members__"):
        yield from (str(member) for member in annotation)  # type: ignore[attr-defined] # an enum
    for inner in typing.get_args(annotation):
        if isinstance(inner, str):
            yield inner
        else:
            yield from _words_of(inner)
