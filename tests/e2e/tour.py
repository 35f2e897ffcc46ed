"""Pictures of every screen: ``python -m tests.e2e.tour URL CA_FILE USER PASSWORD FOLDER``.

For looking at them, and for ``docs/images/console.png`` (the certificates of a hub filled by
:mod:`tests.e2e.populate`).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.e2e.console import NARROW, Complaints, chromium, open_console, settle, sign_in

# Name of the picture -> address, and what to click before it is taken.
SCREENS: dict[str, tuple[str, tuple[str, ...]]] = {
    "dashboard": ("/", ()),
    "certificates": ("/certificates/ssl", ()),
    "certificates-filter": ("/certificates/ssl?view=live", ("button:has-text('Filter')",)),
    "certificates-columns": ("/certificates/ssl", ("[aria-label='Columns']",)),
    "certificates-none": ("/certificates/ssl?q=nothing-like-this", ()),
    "certificates-groups": ("/certificates/ssl?group=status", ()),
    "certificates-selected": (
        "/certificates/ssl",
        ("tbody tr[data-row] input", ".grid-bar .menu-anchor:last-of-type button"),
    ),
    "certificates-import": ("/certificates/ssl", ("button:has-text('Import')",)),
    "request": ("/certificates/ssl/request", ()),
    "tasks": ("/discovery/tasks", ()),
    "task-add": ("/discovery/tasks", ("button:has-text('Add task')",)),
    "endpoints": ("/discovery/endpoints", ()),
    "agents": ("/agents", ()),
    "commands": ("/commands", ()),
    "tokens": ("/enrollment-tokens", ()),
    "token-create": ("/enrollment-tokens?new=1", ()),
    "organizations": ("/organizations", ()),
    "organization-add": ("/organizations", ("button:has-text('Add organization')",)),
    "domains": ("/domains", ()),
    "profiles": ("/profiles", ()),
    "profile-add": ("/profiles", ("button:has-text('Add profile')",)),
    "ca-backends": ("/ca-backends", ()),
    "ca-add": ("/ca-backends", ("button:has-text('Create private CA')",)),
    "audit": ("/audit", ()),
    "administrators": ("/administrators", ()),
    "administrator-add": ("/administrators/new", ()),
    "api-tokens": ("/api-tokens", ()),
    "profile": ("/profile", ()),
    "profile-security": ("/profile?tab=security", ()),
    "domain-validation": ("/domain-validation", ()),
    "domain-validate": ("/domain-validation/start", ()),
    "dns-writer-add": ("/dns-writers", ("button:has-text('Add DNS writer')",)),
    "person-add": ("/persons", ("button:has-text('Add person')",)),
    "custom-field-add": ("/custom-fields", ("button:has-text('Add custom field')",)),
    "access-rules": ("/access", ()),
    "access-policy": ("/access?tab=policy", ()),
    "access-providers": ("/access?tab=providers", ()),
    "settings": ("/settings", ()),
    "user-menu": ("/", (".topbar .menu-anchor > button",)),
}
# List -> the pictures of its first row's tabs.
DETAILS: dict[str, tuple[str, tuple[str, ...]]] = {
    "certificate": (
        "/certificates/ssl?view=live&q=demo.example",
        ("", "management", "chain", "timespan", "history", "audit"),
    ),
    "certificate-waiting": ("/certificates/ssl?view=waiting", ("",)),
    "task": ("/discovery/tasks", ("", "details")),
    "agent": ("/agents?q=network", ("", "servers", "details")),
    "command": ("/commands", ("",)),
    "organization": ("/organizations", ("", "departments", "domains")),
    "profile": ("/profiles", ("",)),
    "ca-backend": ("/ca-backends", ("",)),
}


def take(page: Page, folder: Path, name: str) -> None:
    """Save what is seen, once nothing loads any more."""
    settle(page)
    expect(page.locator(".live[data-state=connecting]")).to_have_count(0)
    page.screenshot(path=folder / f"{name}.png")


def tour(page: Page, url: str, folder: Path) -> None:
    """Take all pictures."""
    for name, (path, clicks) in SCREENS.items():
        page.goto(url + path)
        for selector in clicks:
            page.locator(selector).first.click()
        take(page, folder, name)
    for name, (path, tabs) in DETAILS.items():
        page.goto(url + path)
        page.locator("tbody a").first.click()
        expect(page).not_to_have_url(url + path)
        address = page.url.partition("?")[0]
        for tab in tabs:
            page.goto(f"{address}?tab={tab}" if tab else address)
            take(page, folder, f"{name}-{tab}" if tab else name)


def wizard(page: Page, url: str, folder: Path) -> None:
    """Walk through a request with auto-installation."""

    def forth(heading: str) -> None:
        page.get_by_role("button", name="Next").click()
        page.get_by_role("heading", name=heading, exact=True).wait_for()

    page.goto(url + "/certificates/ssl/request")
    page.get_by_role("radio", name=re.compile("Made and installed")).check()
    forth("Details")
    page.get_by_role("button", name="Next").click()
    take(page, folder, "request-errors")
    page.get_by_label("Organization").select_option("Default")
    page.get_by_label("Certificate profile").select_option("Private TLS server")
    page.get_by_label("Term").select_option("90 days")
    take(page, folder, "request-details")
    forth("Private key")
    page.get_by_label("Key type").select_option("EC-P256")
    take(page, folder, "request-key")
    forth("Domains")
    page.get_by_label("Common name").fill("shop.demo.example")
    take(page, folder, "request-domains")
    forth("Nodes and ports")
    page.get_by_role("checkbox", name=re.compile("shop.demo.example")).check()
    take(page, folder, "request-nodes")
    forth("Installation")
    page.get_by_role("radio", name=re.compile("Scheduled")).check()
    take(page, folder, "request-installation")
    forth("Renewal")
    page.get_by_label("Renewal").select_option("By itself")
    take(page, folder, "request-renewal")
    forth("Review")
    take(page, folder, "request-review")


def narrow_and_dark(browser: Browser, url: str, who: tuple[str, str], folder: Path) -> None:
    """Take a few pictures on a telephone, and in the dark."""
    for suffix, size, dark in (("narrow", NARROW, False), ("dark", (1440, 900), True)):
        page = open_console(browser, url, size=size, dark=dark)
        take(page, folder, f"sign-in-{suffix}")
        sign_in(page, *who)
        for name in ("dashboard", "certificates", "request", "agents"):
            page.goto(url + SCREENS[name][0])
            take(page, folder, f"{name}-{suffix}")
        page.goto(url + "/certificates/ssl?view=live")
        page.locator("tbody a").first.click()
        take(page, folder, f"certificate-{suffix}")
        page.context.close()


def main() -> int:
    """Take the tour; fail when the browser complained."""
    url, ca_file, username, password, target = sys.argv[1:6]
    folder = Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    complaints = Complaints()
    with chromium(Path(ca_file)) as browser:
        page = open_console(browser, url)
        complaints.watch(page)
        take(page, folder, "sign-in")
        sign_in(page, username, password)
        tour(page, url, folder)
        wizard(page, url, folder)
        narrow_and_dark(browser, url, (username, password), folder)
    for complaint in complaints.found:
        print(complaint)
    return 1 if complaints.found else 0


if __name__ == "__main__":
    sys.exit(main())
