"""The console in a real browser: Chromium without a screen, and everything that it complains about."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Response, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE = (1440, 900)
NARROW = (390, 844)


@dataclass
class Complaints:
    """What the browser did not like: script errors, refused content, failed loads."""

    found: list[str] = field(default_factory=list)
    # Statuses that a test provokes on purpose; the browser logs each as an error.
    expected_statuses: set[int] = field(default_factory=lambda: {401})

    def watch(self, page: Page) -> None:
        """Listen to a page from now on."""
        page.on("console", self._on_console)
        page.on("pageerror", self._on_error)
        page.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        # A failed load is judged by its status, in _on_response.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.found.append(f"console: {message.text}")

    def _on_error(self, error: Error) -> None:
        self.found.append(f"script: {error.message}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected_statuses:
            self.found.append(f"{response.status} of {response.request.method} {response.url}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a browser for the length of a ``with`` block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def open_console(browser: Browser, url: str, *, size: tuple[int, int] = WIDE, dark: bool = False) -> Page:
    """Open the console in a fresh profile. The hub's own CA is not one that the browser knows."""
    context = browser.new_context(
        ignore_https_errors=True,
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        accept_downloads=True,
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto(url)
    return page


def sign_in(page: Page, username: str, password: str) -> None:
    """Fill in the sign-in page and wait for the console's frame."""
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.locator(".topbar").wait_for()


def settle(page: Page) -> None:
    """Wait until the page has a heading and loads nothing any more."""
    page.locator("h1").first.wait_for()
    page.wait_for_selector("[aria-busy=true]", state="detached")
