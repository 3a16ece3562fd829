"""The names that buttons, modals and their handlers share."""

import json

from faultbook.base.errors import InvalidError
from faultbook.model.answer import FailingQuery

ASK_FAILING = "ask.failing"
ASK_HELP = "ask.help"
FAILING_DETAILS = "failing.details"
FAILING_BRANCHES = "failing.branches"
FAILING_SHOW_ALL = "failing.show_all"
FAILING_NEXT_PAGE = "failing.next_page"
FAILING_PREVIOUS_PAGE = "failing.previous_page"
"""Within the modal of all series; the value holds the question and the page."""
FAILING_POST_HERE = "failing.post_here"
TIMELINE_OPEN = "timeline.open"
"""The value is the run's id."""
MODAL_SHOWN = "modal.shown"
"""The callback of every modal that only shows something."""
LINK = "link"
"""Link buttons click too; they are acknowledged and nothing else."""

_FIELDS = ("environment", "workflow", "branch", "place", "since", "all_branches")


def write_query(query: FailingQuery, page: int = 0) -> str:
    """Put a question into a button's value, so that the button can ask it again."""
    values = {name: getattr(query, name) for name in _FIELDS if getattr(query, name)}
    values |= {"page": page} if page else {}
    # Letters as they are: escaped, long names would not fit the 2000 characters of a value.
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False)


def read_query(value: str) -> tuple[FailingQuery, int]:
    """Take a question and a page number back from a button's value.

    Raises:
        InvalidError: the value is none of ours.
    """
    try:
        values = json.loads(value or "{}")
        page = values.pop("page", 0)
        query = FailingQuery(**values)
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidError("This button is from another version.", code="unknown_button") from error
    if not isinstance(page, int):
        raise InvalidError("This button is from another version.", code="unknown_button")
    return query, page
