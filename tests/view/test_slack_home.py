"""App Home where approvals and tasks wait: what is whose, and how much of it fits."""

from dataclasses import replace

from faultbook.model.approval_sight import ApprovalSight
from faultbook.view.slack_home import ApprovalsPart, TasksPart, home_view
from tests.view.answers import HEADLINES
from tests.view.approvals import APPROVAL, POLICY
from tests.view.slack_rules import assert_view, texts
from tests.view.tasks import TASK

SIGHT = ApprovalSight(APPROVAL, POLICY)
ASKED_BY_YOU = "*Asked by you, or for your tasks:*"
_MOST = 60


def said(approvals: ApprovalsPart, tasks: TasksPart | None = None) -> list[str]:
    view = home_view(HEADLINES["nothing"], tasks=tasks or TasksPart(), approvals=approvals)
    assert_view(view)
    return [one["text"] for one in texts(view)]


def test_home_tells_what_waits_for_a_person_from_what_they_asked() -> None:
    told = said(ApprovalsPart([], [SIGHT]))
    at = told.index("Nothing waits for you.")
    assert told[at - 1 : at + 2] == ["Waiting for me", "Nothing waits for you.", ASKED_BY_YOU]
    assert told[at + 2].startswith("*A-7* `refund` 120.00 EUR to c_881 in prod")
    assert not any("asked by you or" in one for one in told)


def test_home_has_no_heading_above_nothing() -> None:
    assert ASKED_BY_YOU not in said(ApprovalsPart([SIGHT], []))


def test_home_says_of_tasks_that_none_is_open() -> None:
    told = said(ApprovalsPart([], []))
    assert told[told.index("My tasks") + 1] == "You have no open task."
    assert told.count("Nothing waits for you.") == 1


def test_home_stays_short_however_much_waits() -> None:
    parts = ApprovalsPart([SIGHT] * 30, [SIGHT] * 30, is_known=False)
    tasks = TasksPart([replace(TASK, number=one) for one in range(1, 9)], 40, 90)
    for case in ("200", "every standing"):
        view = home_view(HEADLINES[case], connection="Connected", tasks=tasks, approvals=parts)
        assert_view(view)
        assert len(view["blocks"]) <= _MOST
        assert "and 50 more: `/faultbook approvals`" in [one["text"] for one in texts(view)]
