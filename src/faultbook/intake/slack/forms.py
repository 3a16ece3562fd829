"""What stands in a modal's inputs, read into values; outside text is redacted at once."""

from collections.abc import Mapping

from faultbook.base.redaction import redact
from faultbook.base.text import one_line, visible
from faultbook.intake.slack.payloads import Json
from faultbook.model.draft import IncidentForm

_ONE_LINE = ("title", "area", "rule", "enforcement_ref", "enforcement_change", "why_linked")
_SEVERAL = ("what_failed", "impact", "root_cause", "fix")
_CHOSEN = ("severity", "enforcement", "repeats")


class FormError(Exception):
    """A modal that can't be taken as it is.

    Attributes:
        errors: what to say under which input, by its block's id.
    """

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(", ".join(errors))
        self.errors = dict(errors)

    def as_answer(self) -> Json:
        """Give the acknowledgement that keeps the modal open and shows what is wrong.

        Slack shows it as plain text: backticks would stand there as they are.
        """
        plain = {field: words.replace("`", "") for field, words in self.errors.items()}
        return {"response_action": "errors", "errors": plain}


def read_field(values: Json, name: str) -> str:
    """Read what was entered in one input; empty where nothing was."""
    block = values.get(name)
    if not isinstance(block, dict):
        return ""
    for element in block.values():
        if not isinstance(element, dict):
            continue
        chosen = element.get("selected_option") or {}
        found = element.get("value") or element.get("selected_user") or chosen.get("value")
        return redact(found).strip() if isinstance(found, str) else ""
    return ""


def read_incident_form(values: Json, user: str) -> IncidentForm:
    """Read the modal "Open incident"; a rule that stands there is `user`'s."""
    said = {name: one_line(read_field(values, name)) for name in (*_ONE_LINE, *_CHOSEN)}
    said |= {name: visible(read_field(values, name)) for name in _SEVERAL}
    return IncidentForm(
        **said,
        owner_id=read_field(values, "owner"),
        rule_author_id=user if said["rule"] else "",
    )
