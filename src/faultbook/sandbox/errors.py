"""The one exception that becomes a Slack error answer."""

import json

from faultbook.sandbox.kinds import Json


class SlackError(Exception):
    """An answer with `ok: false`.

    Attributes:
        code: Slack's error code.
        extra: Further fields of the answer, such as `needed` and `provided`.
    """

    def __init__(self, code: str, **extra: object) -> None:
        super().__init__(code)
        self.code = code
        self.extra: Json = dict(extra)

    def answer(self) -> Json:
        """Builds the JSON body of the answer."""
        return {"ok": False, "error": self.code, **self.extra}


def bad_arguments(*messages: str) -> SlackError:
    """Builds `invalid_arguments` with Slack's list of what is wrong."""
    return SlackError(
        "invalid_arguments",
        response_metadata={"messages": [f"[ERROR] {message}" for message in messages]},
    )


def read_object(text: str) -> Json:
    """Reads a JSON object.

    Raises:
        SlackError: `invalid_json` or `json_not_object`.
    """
    try:
        body = json.loads(text)
    except ValueError as error:
        raise SlackError("invalid_json") from error
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    return body
