"""Signing in and out, and what happens to the console when the hub goes away."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.conftest import Console
from tests.e2e.console import sign_in


def test_a_wrong_password_is_refused_with_words(guest: Console) -> None:
    guest.page.get_by_label("User name").fill("admin")
    guest.page.get_by_label("Password").fill("not it")
    guest.page.get_by_role("button", name="Sign in").click()
    expect(guest.page.get_by_role("alert")).to_contain_text("Not signed in")
    expect(guest.page.get_by_role("alert")).to_contain_text("Request")


def test_one_gets_to_where_one_wanted_to_go(guest: Console) -> None:
    guest.open("/agents")
    guest.sign_in()
    expect(guest.page.get_by_role("heading", name="Agents", level=1)).to_be_visible()
    expect(guest.page).to_have_title("Agents · Certwright")


def test_signing_out_ends_the_session(guest: Console) -> None:
    guest.sign_in()
    guest.page.get_by_role("button", name="admin").click()
    guest.page.get_by_role("button", name="Sign out").click()
    expect(guest.page.get_by_role("heading", name="Sign in")).to_be_visible()
    guest.page.reload()
    expect(guest.page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_works_by_keyboard_alone(guest: Console) -> None:
    keyboard = guest.page.keyboard
    guest.open("/certificates/ssl?view=live")
    expect(guest.page.get_by_label("User name")).to_be_focused()
    keyboard.type("admin")
    keyboard.press("Tab")
    keyboard.type(guest.stage.hub.credentials["admin"]["password"])
    keyboard.press("Enter")
    rows = guest.page.locator("tbody tr[data-row]")
    rows.first.wait_for()
    guest.page.keyboard.press("/")
    keyboard.type("pacs")
    expect(rows).to_have_count(1)
    rows.first.focus()
    keyboard.press("Enter")
    expect(guest.page.get_by_role("heading", name="pacs.example.net")).to_be_visible()


def test_a_hub_that_restarts_is_waited_for(console: Console) -> None:
    status = console.page.locator(".live")
    expect(status).to_have_text("Live")
    console.stage.hub.stop()
    expect(status).to_have_text("Not live", timeout=15_000)
    console.stage.hub.start()
    expect(status).to_have_text("Live", timeout=20_000)
    # Loads fail while nobody answers; that is what this test is about.
    console.complaints.found.clear()
    for kind in ("network", "pks"):
        console.stage.agent_record(kind)


def test_an_ended_session_leads_to_sign_in_and_back(console: Console) -> None:
    console.open("/domains")
    console.page.locator("tbody tr[data-row]").first.wait_for()
    console.page.context.clear_cookies()
    console.page.get_by_role("button", name="Refresh").click()
    expect(console.page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(console.page, "admin", console.stage.hub.credentials["admin"]["password"])
    expect(console.page.get_by_role("heading", name="Domains")).to_be_visible()
