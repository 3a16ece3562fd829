"""A real browser on the page of a real `faultbook up`."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


_STANDINGS = (
    r"failing +crm-sync",
    r"unproven +price-feed",
    r"unproven +stock-report",
    r"silent +nightly-dump",
)
"""What the sample jobs come to; a job that runs for the first time is unknown before."""


@dataclass(frozen=True)
class Up:
    """A running `faultbook up --samples`."""

    page: str
    home: Path
    environ: dict[str, str]

    def faultbook(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the command line against the same home."""
        return subprocess.run(
            [sys.executable, "-m", "faultbook", *arguments],
            cwd=self.home,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start headless Chromium, or skip with a visible line where there is none.

    For a module and no longer: while Playwright is started this thread counts as running an event
    loop, and every asynchronous test after it would fail to start its own.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("REQUIRE_BROWSER is set, and no chromium is on the PATH")
        pytest.skip("no chromium on the PATH: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        expect.set_options(timeout=20_000)  # the machine may be busy
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Start the bot as `make run` does, on free ports and a home of its own."""
    home = tmp_path_factory.mktemp("home")
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FAULTBOOK_", "SLACK_"))
    } | {"FAULTBOOK_HOME": str(home)}
    command = [sys.executable, "-m", "faultbook", "up", "--samples", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--workspace-port", "0"],
        cwd=home,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        page = ""
        for line in process.stdout:
            found = re.search(r"Ask it\s+(\S+)", line)
            page = found[1] if found else page
            if "Stop it" in line:
                break
        assert page, "faultbook up ended before it was ready"
        yield Up(page, home, environ)
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()
        process.wait(20)
        process.stdout.close()


@pytest.fixture(scope="module")
def samples(up: Up) -> None:
    """Wait until every sample job has reported, and the one that stops is silent."""
    told = ""
    for _ in range(60):
        told = up.faultbook("failing").stdout
        if all(re.search(standing, told) for standing in _STANDINGS):
            return
        time.sleep(0.5)
    pytest.fail(f"the sample jobs were not told:\n{told}")


@pytest.fixture
def desk(browser: Browser, up: Up) -> Iterator[Page]:
    """Open the workspace's page on a desk's screen."""
    yield from _open(browser, up, 1280, 860)


@pytest.fixture
def phone(browser: Browser, up: Up) -> Iterator[Page]:
    """Open the workspace's page on a phone's screen."""
    yield from _open(browser, up, 390, 844)


def _open(browser: Browser, up: Up, width: int, height: int) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=2,
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
    )
    page = context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.goto(up.page)
    expect(page.get_by_test_id("messages")).to_be_visible(timeout=20_000)
    yield page
    context.close()
    assert failures == []
