"""Notifications in the console: rules, words with their preview, channels, what was sent, and the bell."""

from __future__ import annotations

import re
from contextlib import suppress

from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import expect

from tests.e2e.conftest import Console


def test_a_rule_is_made_and_its_notice_rings_the_bell(console: Console) -> None:
    page = console.page
    console.open("/notifications")
    page.get_by_role("button", name="Add rule").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Everybody's requests")
    dialog.get_by_label("Notification type").select_option(label="Domain approved")
    dialog.get_by_label("MRAO administrators").check()
    dialog.get_by_role("button", name="Add rule").click()
    row = page.locator("tbody tr[data-row]", has_text="Everybody's requests")
    expect(row).to_contain_text("Domain approved")
    expect(row).to_contain_text("MRAO")

    organization = console.stage.api.get("/organizations")["items"][0]["id"]
    console.stage.api.post(
        "/domains",
        {
            "organization_id": organization,
            "name": "told.example",
            "certificate_types": ["ssl"],
        },
    )
    sent = page.locator("tbody tr[data-row]", has_text="Approved: domain told.example")
    page.get_by_role("link", name="Sent").click()
    # The list does not follow what is sent; it is asked for again until it is there.
    for _ in range(30):
        page.get_by_role("button", name="Refresh").click()
        with suppress(PlaywrightTimeout):
            sent.first.wait_for(timeout=500)
            break
    expect(sent.first).to_be_visible()
    page.reload()
    page.get_by_role("button", name=re.compile(r"^Notifications, \d+ unread")).click()
    notices = page.get_by_role("group", name="Notifications")
    expect(notices.get_by_role("link", name=re.compile("Approved: domain told.example"))).to_be_visible()
    notices.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_role("button", name="Notifications", exact=True)).to_be_visible()
    notices.get_by_role("button", name="Delete all").click()
    expect(notices.get_by_text("Nothing new for you.")).to_be_visible()


def test_words_are_changed_with_a_preview_beside_them_and_reset(console: Console) -> None:
    page = console.page
    console.complaints.expected_statuses.add(400)
    console.open("/notifications?tab=templates")
    page.get_by_role("link", name="Certificate expires soon", exact=True).click()
    preview = page.get_by_role("region", name="Preview")
    expect(preview).to_contain_text("certificate for www.example.com")
    subject = page.get_by_label("Subject")
    subject.fill("Hurry: ${common_name}")
    expect(preview).to_contain_text("Hurry: www.example.com")
    subject.fill("Hurry: ${comon_name}")
    expect(page.get_by_text(re.compile(r"there is no variable \$\{comon_name\}"))).to_be_visible()
    subject.fill("Hurry: ${common_name}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved")).to_be_visible()
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("dialog").get_by_role("button", name="Reset").click()
    expect(subject).to_have_value(re.compile(r"^Expires in \$\{days_left\} days"))


def test_a_channel_is_added_tried_and_deleted(console: Console) -> None:
    page = console.page
    console.open("/notifications?tab=channels")
    page.get_by_role("button", name="Add channel").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Team chat")
    dialog.get_by_label("Kind").select_option(label="Slack")
    dialog.get_by_label("Webhook address").fill("https://127.0.0.1:9/hook")
    dialog.get_by_role("button", name="Add channel").click()
    row = page.locator("tbody tr[data-row]", has_text="Team chat")
    expect(row).to_contain_text("Slack")
    row.get_by_role("button", name="Test").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Send a test").click()
    expect(dialog.get_by_text(re.compile("AddressRefused"))).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
