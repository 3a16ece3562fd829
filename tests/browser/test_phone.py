"""A newcomer on a phone: the first question and its answer, in a workspace of its own."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_newcomer import _answer, _ask, _shot

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.usefixtures("samples")]


def test_a_phone_reads_the_answer_without_scrolling_sideways(phone: Page, tmp_path: Path) -> None:
    _ask(phone, "@faultbook what's failing?")
    answer = _answer(phone)
    expect(answer).to_contain_text("crm-sync")
    width = phone.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    _shot(phone, "phone", tmp_path)
