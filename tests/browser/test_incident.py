"""From a failing message to a rule in git: the modal refuses, accepts, and git shows it."""

import os
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Up
from tests.browser.pages import say, shot

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.usefixtures("samples")]

RULE = "The sync ends blocked when the CRM does not answer within 5 s (crm-sync.sh, line 2)."
TEMPLATE_WORDS = "One sentence a stranger can check: when X, do Y, held by Z."
_SOON = 40_000  # the timer looks every 30 s
_DAY = 24 * 3600 * 1_000_000


def _git(up: Up, *arguments: str) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", *arguments],
        cwd=up.home / "ledger.git",
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout


def _incidents(up: Up) -> set[str]:
    told = _git(up, "ls-tree", "-r", "--name-only", "refs/heads/main")
    return {path for path in told.splitlines() if "/incidents/" in path}


def _ask(page: Page, words: str) -> None:
    """Ask in the channel, and open the thread of the answer once it is there."""
    expect(page.get_by_test_id("connection")).to_have_text("faultbook is connected", timeout=20_000)
    say(page, words).get_by_test_id("thread-link").click(timeout=10_000)


def _failing(page: Page) -> Locator:
    """Ask what's failing; gives the answer, in its thread."""
    _ask(page, "@faultbook is crm-sync failing?")
    answer = page.get_by_test_id("thread").get_by_test_id("message").filter(has_text="As of").last
    expect(answer).to_contain_text("crm-sync", timeout=20_000)
    return answer


def _open_by_shortcut(page: Page) -> Locator:
    answer = _failing(page)
    _said(page, "Possibly lesson")  # said once, for what fails for the first time
    answer.hover()
    answer.get_by_test_id("more").click()
    page.get_by_role("menuitem", name="Open incident").click()
    modal = page.get_by_test_id("modal")
    expect(modal).to_contain_text("crm-sync", timeout=20_000)
    return modal


def _said(page: Page, words: str, timeout: float = 8_000) -> Locator:
    told = page.get_by_test_id("thread").get_by_test_id("message").filter(has_text=words).last
    expect(told).to_be_visible(timeout=timeout)
    return told


def test_the_modal_refuses_what_is_no_rule_and_git_shows_the_one_that_is(
    desk: Page, up: Up, tmp_path: Path
) -> None:
    before = _incidents(up)
    modal = _open_by_shortcut(desk)
    shot(desk, "incident-modal", tmp_path)
    rule = modal.get_by_label("Prevention rule")
    expect(rule).to_have_value("")
    expect(modal.get_by_label("Title")).to_have_value("crm-sync: exit code 1")
    modal.get_by_label("How does the detail").fill("A CRM that is away is no failure of ours.")
    for refused, words in (
        ("", "Please complete this required field."),
        ("   ", "There is no prevention rule."),
        ("Be more careful", "“Be more careful” can't be checked. Say what stops it, and where."),
        (TEMPLATE_WORDS, "These are the template's words. Write your own."),
    ):
        rule.fill(refused)
        modal.get_by_test_id("modal-submit").click()
        expect(modal.get_by_test_id("field-error")).to_contain_text(words)
        assert _incidents(up) == before
    shot(desk, "incident-refused", tmp_path)
    rule.fill(RULE)
    began = time.monotonic()
    modal.get_by_test_id("modal-submit").click()
    while _incidents(up) == before:
        assert time.monotonic() - began < 3, "not in the remote's main within three seconds"
    [path] = _incidents(up) - before
    shown = _git(up, "show", f"refs/heads/main:{path}")
    assert RULE in shown
    assert f"]({path.removeprefix('lessons/')}) |" in _git(
        up, "show", "refs/heads/main:lessons/_ledger.md"
    )
    told = _said(desk, "Incident opened")
    expect(told).to_contain_text(path)
    expect(told).to_contain_text(RULE)
    shot(desk, "incident-opened", tmp_path)

    told.get_by_role("button", name="Close incident").click()
    expect(modal).to_contain_text("No run has passed since")
    modal.get_by_test_id("modal-submit").click()
    expect(modal.get_by_test_id("field-error")).to_contain_text("Name a run that passed")
    shot(desk, "incident-close", tmp_path)
    modal.get_by_test_id("modal-close").click()
    expect(modal).to_have_count(0)


def _move_drafts(up: Up, *, due_in: float) -> None:
    """Let every draft be due in so many seconds, as the hours would have done."""
    with sqlite3.connect(up.home / "faultbook.db", timeout=20) as database:
        due = time.time_ns() // 1000 + round(due_in * 1_000_000)
        database.execute(
            "UPDATE incident_drafts SET due_at = ?, created_at = ? WHERE state = 'draft'",
            (due, due - _DAY),
        )


def test_a_draft_is_kept_reminded_of_late_and_then_written(
    phone: Page, up: Up, tmp_path: Path
) -> None:
    before = _incidents(up)
    answer = _failing(phone)
    answer.get_by_role("button", name="Open incident").first.click()
    modal = phone.get_by_test_id("modal")
    expect(modal).to_contain_text("crm-sync", timeout=20_000)
    width = phone.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    shot(phone, "phone-incident", tmp_path)
    modal.get_by_label("Title").fill("The CRM is away")
    modal.get_by_role("button", name="Save draft").click()
    expect(modal).to_contain_text("Draft saved: The CRM is away", timeout=20_000)
    shot(phone, "phone-draft-kept", tmp_path)
    modal.get_by_test_id("modal-close").click()
    _said(phone, "Its prevention rule is due")

    _move_drafts(up, due_in=4 * 3600 - 1)
    reminder = _said(phone, "needs its prevention rule by", timeout=_SOON)
    expect(reminder).to_contain_text("@")
    shot(phone, "phone-reminder", tmp_path)
    _move_drafts(up, due_in=-1)
    told = up.faultbook("failing")
    assert "draft late" in told.stdout
    assert "The CRM is away" in told.stdout

    reminder.get_by_role("button", name="Write rule").click()
    expect(modal.get_by_label("Title")).to_have_value("The CRM is away", timeout=20_000)
    modal.get_by_label("Prevention rule").fill(
        "A job that talks to the CRM waits for its health page first (crm-sync.sh, line 1)."
    )
    modal.get_by_label("How does the detail").fill("It tells which page to wait for.")
    modal.get_by_test_id("modal-submit").click()
    opened = _said(phone, "Incident opened: The CRM is away")
    opened.scroll_into_view_if_needed()
    shot(phone, "phone-opened", tmp_path)
    assert len(_incidents(up) - before) == 1
    assert "draft late" not in up.faultbook("failing").stdout


def test_lessons_are_found_where_people_talk(desk: Page, tmp_path: Path) -> None:
    _ask(desk, "@faultbook have we seen invoices without lines before?")
    told = _said(desk, "match")
    expect(told).to_contain_text("The wrapper fails any export that does not leave its file")
    shot(desk, "lessons", tmp_path)
    desk.locator('[data-testid="channel"][data-name="dm"]').click()
    desk.get_by_test_id("tab-home").click()
    home = desk.get_by_test_id("home")
    expect(home).to_contain_text("Learned", timeout=20_000)
    home.get_by_text("Learned").scroll_into_view_if_needed()
    shot(desk, "home-lessons", tmp_path)
