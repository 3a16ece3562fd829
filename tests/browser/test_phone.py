"""A newcomer on a phone: the first question and its answer, in a workspace of its own."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import answer_to, say, shot

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.usefixtures("samples")]


def test_a_phone_reads_the_answer_without_scrolling_sideways(phone: Page, tmp_path: Path) -> None:
    answer = answer_to(phone, say(phone, "@faultbook what's failing?"))
    expect(answer).to_contain_text("crm-sync")
    width = phone.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    shot(phone, "phone", tmp_path)
