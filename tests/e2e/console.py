"""The console in a real browser: Chromium without a screen, and everything that it complains about."""

from __future__ import annotations

import base64
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
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


def _key_pin(ca_file: Path) -> str:
    """Return the base64 SHA-256 of a CA's public key, as Chromium's command line takes it."""
    key = x509.load_pem_x509_certificate(ca_file.read_bytes()).public_key()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


@contextmanager
def chromium(*ca_files: Path) -> Iterator[Browser]:
    """Run a browser that trusts a hub's own CA, and no other strange one, for the length of a ``with`` block.

    Ignoring errors of certificates altogether makes Chromium try a request again for each connection, and
    sometimes give up with ERR_TOO_MANY_RETRIES.
    """
    trust = f"--ignore-certificate-errors-spki-list={','.join(map(_key_pin, ca_files))}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, trust])
        try:
            yield browser
        finally:
            browser.close()


def open_console(
    browser: Browser,
    url: str,
    *,
    size: tuple[int, int] = WIDE,
    dark: bool = False,
    cookies: Path | None = None,
) -> Page:
    """Open the console in a fresh profile, or in one that has a session's cookies already."""
    context = browser.new_context(
        storage_state=cookies,
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
