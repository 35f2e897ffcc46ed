"""Roles, second factors and domain validation in the console, against a running hub."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pyotp
from playwright.sync_api import Browser, Page, expect

from tests.demo.stage import Stage
from tests.e2e.conftest import Console
from tests.e2e.console import open_console, sign_in

FIRST, OWN = "first pass phrase of hers 1", "a pass phrase of her own 22"
ROLE = "RAO: one organization"
CODE_LASTS = timedelta(seconds=30)


def _give_password(page: Page, username: str, password: str) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def _sign_out(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()
    page.get_by_role("button", name="Sign out").click()


def test_an_rao_sees_the_own_organization_only(console: Console, browser: Browser) -> None:
    page = console.page
    console.open("/administrators/new")
    page.get_by_label("User name").fill("rao-hospital")
    page.get_by_label(re.compile("^Name")).fill("Rita Organ")
    page.get_by_label("First password").fill(FIRST)
    role = page.get_by_role("group", name="Role 1")
    role.get_by_label("Role").select_option(label=ROLE)
    role.get_by_label("Organization").select_option(label="Example Hospital")
    page.get_by_role("button", name="Add administrator").click()
    expect(page.get_by_role("heading", name="Rita Organ")).to_be_visible()
    expect(page.get_by_text("RAO Example Hospital")).to_be_visible()

    hers = open_console(browser, console.url)
    _give_password(hers, "rao-hospital", FIRST)
    expect(hers.get_by_role("heading", name="New password")).to_be_visible()
    hers.get_by_label(re.compile(r"^New password( \*)?$")).fill(OWN)
    hers.get_by_label("New password, again").fill(OWN)
    hers.get_by_role("button", name="Set password").click()
    hers.locator(".topbar").wait_for()
    hers.goto(console.url + "/organizations")
    rows = hers.locator("tbody tr[data-row]")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("Example Hospital")
    expect(hers.get_by_role("link", name="Access", exact=True)).to_have_count(0)
    hers.context.close()


def test_an_authenticator_app_is_set_up_and_asked_for(stage: Stage, browser: Browser) -> None:
    grant = {"role": "MRAO"}
    new = {"username": "totp-user", "name": "Tom Otp", "password": OWN, "grants": [grant]}
    stage.api.post("/administrators", new)
    page = open_console(browser, stage.hub.url)
    sign_in(page, "totp-user", OWN)
    page.goto(stage.hub.url + "/profile?tab=security")
    page.get_by_role("button", name="Set up").click()
    dialog = page.get_by_role("dialog")
    drawn = dialog.get_by_alt_text("QR code").evaluate(
        "image => image.decode().then(() => image.naturalWidth)"
    )
    assert drawn > 0
    secret = dialog.locator(".copy .mono").inner_text()
    app = pyotp.TOTP(secret)
    dialog.get_by_label("Code").fill(app.now())
    dialog.get_by_role("button", name="Set up").click()
    expect(dialog.get_by_role("heading", name="Recovery codes")).to_be_visible()
    recovery_code = page.get_by_role("dialog").locator("pre").inner_text().split()[0]
    page.get_by_label("I have kept the recovery codes").check()
    page.get_by_role("button", name="Go on").click()
    _sign_out(page, "Tom Otp")
    _give_password(page, "totp-user", OWN)
    # The code that set it up counts as used; clocks may be one code ahead.
    page.get_by_label("Code of your authenticator app").fill(app.at(datetime.now(UTC) + CODE_LASTS))
    page.get_by_role("button", name="Continue").click()
    page.locator(".topbar").wait_for()

    _sign_out(page, "Tom Otp")
    _give_password(page, "totp-user", OWN)
    page.get_by_role("button", name="Use a recovery code").click()
    page.get_by_label("Recovery code").fill("not-a-code")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Recovery code").fill(recovery_code)
    page.get_by_role("button", name="Continue").click()
    page.locator(".topbar").wait_for()
    page.context.close()


def test_the_validation_of_a_domain_says_what_to_do(console: Console) -> None:
    organization = console.stage.api.post("/organizations", {"name": "Example Shipping"})["id"]
    console.stage.api.post("/domains", {"organization_id": organization, "name": "shipping.example.com"})
    page = console.page
    console.open("/domains?q=shipping")
    page.get_by_role("link", name="shipping.example.com").click()
    page.get_by_role("link", name="Validate").click()
    page.get_by_role("radio", name="HTTP/HTTPS file").check()
    page.get_by_role("button", name="Show what to do").click()
    expect(page.get_by_role("heading", name="What to do: HTTP/HTTPS file")).to_be_visible()
    expect(page.get_by_text("http://shipping.example.com/.well-known/pki-validation/")).to_be_visible()
    expect(page.get_by_role("button", name="Copy content")).to_be_visible()
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("Not shown yet")).to_be_visible()
    page.get_by_role("link", name="Attempts").click()
    expect(page.get_by_text("This hub")).to_be_visible()
