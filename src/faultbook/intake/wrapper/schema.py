"""A JSON Schema that a job's output has to fit (https://json-schema.org, all published drafts)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import ValidationError
from jsonschema.exceptions import SchemaError, best_match
from jsonschema.protocols import Validator
from jsonschema.validators import Draft202012Validator, validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from faultbook.base.errors import InvalidError
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line

_LONGEST = 200


class Schema:
    """A schema that was read and is sound; nothing outside its file is ever fetched."""

    def __init__(self, path: str, validator: Validator) -> None:
        self._path = path
        self._validator = validator

    def problem(self, data: bytes) -> str | None:
        """Say what does not fit, in words made fit to show; None when all does."""
        try:
            document = json.loads(data, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            return f"is no JSON: {_shown(str(error))}"
        try:
            worst: ValidationError | None = best_match(self._validator.iter_errors(document))
        except RecursionError:
            return "is nested too deep to be checked"
        except Unresolvable as error:
            return f"can't be checked: {_shown(self._path)} refers to {_shown(str(error))}"
        if worst is None:
            return None
        return f"does not fit: {_shown(f'{worst.json_path}: {worst.message}')}"


def load_schema(path: str) -> Schema:
    """Read a schema's file.

    Raises:
        InvalidError: it can't be read, is no JSON, is no sound schema, or refers to another file.
    """
    try:
        schema: Any = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise _broken(path, f"can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise _broken(path, f"is no JSON: {_shown(str(error))}") from error
    if not isinstance(schema, dict | bool):
        raise _broken(path, "is no JSON Schema: it is neither an object nor true or false")
    kind: Any = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise _broken(path, f"is no JSON Schema: {_shown(error.message)}") from error
    for reference in _references(schema):
        # jsonschema would fetch it; what a job's verdict rests on must lie beside the job.
        if reference.lower().startswith(("http:", "https:", "file:", "ftp:")):
            raise _broken(path, f"refers to {_shown(reference)}, which is not fetched")
    # A registry of its own: jsonschema's default one opens URLs.
    registry: Registry[Any] = Registry()
    return Schema(path, kind(schema, registry=registry))


def _references(part: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    pending = [part]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            found = each.get("$ref")
            if isinstance(found, str):
                yield found
            pending += each.values()
        elif isinstance(each, list):
            pending += each


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON number")


def _shown(text: str) -> str:
    return cut(one_line(redact(text)), _LONGEST)


def _broken(path: str, why: str) -> InvalidError:
    return InvalidError(
        f"The schema {_shown(path)} {why}.",
        code="bad_schema",
        next_step="Correct the schema's file. The job was not started.",
        where="--schema",
    )
