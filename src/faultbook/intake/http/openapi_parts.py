"""The pieces that the API's description of itself is put together from."""

from typing import Any

from faultbook.model.verdict import FailureClass, Verdict

SCHEMAS = "#/components/schemas/"
JSON_LINES = "application/x-ndjson"

KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same body is answered with the first result, for 48 h.",
    "schema": {"type": "string", "maxLength": 200},
}
TEXT: dict[str, Any] = {"type": "string"}
TEXT_OR_NULL = {"type": ["string", "null"]}
TIME = {"type": "string", "format": "date-time"}
VERDICT = {"type": ["string", "null"], "enum": [*(verdict.value for verdict in Verdict), None]}
CLASS = {"type": ["string", "null"], "enum": [*(known.value for known in FailureClass), None]}
OBJECTS = {"type": "array", "items": {"type": "object"}}


def query(name: str, description: str) -> dict[str, Any]:
    """Describe a parameter behind the `?`."""
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": {"type": "string"},
    }


def path_part(name: str, description: str) -> dict[str, Any]:
    """Describe a parameter within the path."""
    parameter = query(name, description)
    return parameter | {"in": "path", "required": True}


def takes(schema: str, media_type: str = "application/json") -> dict[str, Any]:
    """Describe the body of a request."""
    content = {media_type: {"schema": {"$ref": SCHEMAS + schema}}}
    return {"requestBody": {"required": True, "content": content}}


def gives(status: str, schema: str, words: str, media_type: str = "application/json") -> Any:  # noqa: ANN401 - a piece of OpenAPI
    """Describe an answer."""
    content = {media_type: {"schema": {"$ref": SCHEMAS + schema}}}
    return {status: {"description": words, "content": content}}


def an_object(required: tuple[str, ...], **properties: dict[str, Any]) -> dict[str, Any]:
    """Describe a JSON object."""
    return {"type": "object", "required": list(required), "properties": properties}
