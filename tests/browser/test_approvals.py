"""Approvals in the browser: an agent asks, the requester may not decide, another person does."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Up
from tests.browser.pages import say, shot

pytestmark = [pytest.mark.browser, pytest.mark.long]


def _as(page: Page, up: Up, name: str) -> None:
    page.goto(f"{up.page}?as={name}")
    expect(page.get_by_test_id("messages")).to_be_visible(timeout=20_000)


def _open_thread(page: Page, message: Locator) -> Locator:
    """Open the thread of a message; gives the approval's card in it."""
    message.get_by_test_id("thread-link").click(timeout=20_000)
    thread = page.get_by_test_id("thread")
    return thread.get_by_test_id("message").filter(has_text="digest").last


def test_the_requester_may_not_approve_and_another_person_does(
    desk: Page, up: Up, tmp_path: Path
) -> None:
    given = say(desk, "@faultbook refund 120.00 EUR to c_881")
    card = _open_thread(desk, given)
    expect(card).to_contain_text("refund-bot asks to run refund", timeout=20_000)
    for shown in ("120.00", "EUR", "c_881", "can't be undone", "0 of 1"):
        expect(card).to_contain_text(shown)
    shot(desk, "approval-pending", tmp_path)
    card.get_by_role("button", name="Approve").click()
    desk.get_by_test_id("confirm-yes").click()
    refused = desk.locator('[data-testid="message"][data-ephemeral="true"]').last
    expect(refused).to_contain_text("You can't decide this", timeout=20_000)
    shot(desk, "approval-refused", tmp_path)

    _as(desk, up, "ben")
    card = _open_thread(desk, given)
    card.get_by_role("button", name="Approve").click()
    desk.get_by_test_id("confirm-yes").click()
    expect(card).to_contain_text("Approved by Ben Okafor", timeout=20_000)
    expect(card).to_contain_text("Executed", timeout=30_000)
    expect(card.get_by_role("button", name="Approve")).to_have_count(0)
    task = desk.get_by_test_id("thread").get_by_test_id("message").filter(has_text="done: passed")
    expect(task).to_contain_text("refund.csv", timeout=30_000)
    shot(desk, "approval-executed", tmp_path)
    verified = up.faultbook("audit", "verify")
    assert "intact" in verified.stdout + verified.stderr


def test_a_denial_says_who_and_why_and_nothing_runs(desk: Page, up: Up, tmp_path: Path) -> None:
    given = say(desk, "@faultbook refund 77.00 EUR to c_12")
    _as(desk, up, "chris")
    card = _open_thread(desk, given)
    expect(card).to_contain_text("77.00", timeout=20_000)
    card.get_by_role("button", name="Deny").click()
    modal = desk.get_by_test_id("modal")
    modal.get_by_role("textbox").fill("wrong customer")
    shot(desk, "approval-deny", tmp_path)
    modal.get_by_test_id("modal-submit").click()
    expect(card).to_contain_text("Denied by Chris Lind", timeout=20_000)
    expect(card).to_contain_text("wrong customer")
    expect(card).to_contain_text("Nothing ran")
    failed = desk.get_by_test_id("thread").get_by_test_id("message").filter(has_text="failed")
    expect(failed.first).to_be_visible(timeout=30_000)


def test_what_nobody_answers_expires_and_changed_parameters_supersede(
    desk: Page, tmp_path: Path
) -> None:
    card = _open_thread(desk, say(desk, "@faultbook refund 5.00 EUR to c_5 within 3 s"))
    expect(card).to_contain_text("Expired", timeout=30_000)
    expect(card).to_contain_text("which denies it")
    desk.get_by_test_id("thread-close").click()
    message = say(desk, "@faultbook refund 50.00 or rather 45.00 EUR to c_6")
    message.get_by_test_id("thread-link").click(timeout=20_000)
    cards = desk.get_by_test_id("thread").get_by_test_id("message").filter(has_text="digest")
    expect(cards).to_have_count(2, timeout=30_000)
    expect(cards.first).to_contain_text("Superseded by A-", timeout=20_000)
    expect(cards.last).to_contain_text("45.00")
    shot(desk, "approval-superseded", tmp_path)
