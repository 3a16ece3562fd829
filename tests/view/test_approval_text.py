"""Approvals as a terminal shows them."""

from dataclasses import replace

from faultbook.model.approval_policy import ApprovalPolicies
from faultbook.view.approval_documents import approval_document
from faultbook.view.approval_text import approval_text, approvals_text
from faultbook.view.terminal import Look
from tests.view.approvals import APPROVAL, NOW, POLICY

ASKED = replace(APPROVAL, policy_version=POLICY.version)


def test_what_nobody_can_decide_says_why_and_names_no_command_that_decides() -> None:
    decidable = approval_document(ASKED, ApprovalPolicies((POLICY,)))
    assert "Next: faultbook approval approve A-7 --digest" in approval_text(decidable, NOW, Look())
    stuck = approval_text(approval_document(ASKED, ApprovalPolicies()), NOW, Look())
    assert "Next:" not in stuck
    why = "Nobody can decide it here: the policy refund-prod is not set, or not as it was then."
    assert why in stuck


def test_a_list_says_to_whom_as_slacks_list_does() -> None:
    waiting = approval_document(ASKED, ApprovalPolicies((POLICY,)))
    told = approvals_text([waiting], NOW, Look())
    assert "refund in prod" in told
    assert "120.00 EUR to c_881, by invoice-bot" in told
