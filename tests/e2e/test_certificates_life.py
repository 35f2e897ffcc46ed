"""A certificate's life in the console, on a real hub with real agents and servers.

Two approvals, edits, imports, replacements, many at once, and times of installation.
"""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

from cryptography import x509
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.conftest import Console
from tests.e2e.console import open_console, sign_in
from tests.e2e.given import PASSWORD, issue, make_administrator
from tests.e2e.populate import signing_request
from tests.simulators.found_certificates import certificate, pem


def _status(page: Page) -> Locator:
    return page.locator(".page-head .badge")


def _next(page: Page, heading: str) -> None:
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()


def _confirm(page: Page, button: str) -> None:
    page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()


def _approve(page: Page, message: str = "") -> None:
    page.get_by_role("button", name="Approve").click()
    page.get_by_label("Message to the requester").fill(message)
    _confirm(page, "Approve")
    expect(page.get_by_role("dialog")).to_have_count(0)


def _choose_order(page: Page, organization: str, profile: str, term: str) -> None:
    page.get_by_label("Organization").select_option(organization)
    page.get_by_label("Certificate profile").select_option(profile)
    page.get_by_label("Term").select_option(term)


def test_two_administrators_approve_what_was_requested_under_an_agreement(
    console: Console, browser: Browser, tmp_path: Path
) -> None:
    page, name = console.page, "cards.demo.example"
    console.open("/certificates/ssl/request")
    _next(page, "Details")
    _choose_order(page, "Example Bank", "Payments TLS", "47 days")
    expect(page.get_by_text("Needs the approval of 2 administrators.")).to_be_visible()
    _next(page, "CSR")
    page.get_by_label("Certificate signing request").fill(signing_request((name, f"www.{name}")))
    expect(page.get_by_role("region", name="What it says")).to_contain_text("EC-P256 (256 bits)")
    _next(page, "Domains")
    page.get_by_role("button", name="Get names from the CSR").click()
    expect(page.get_by_label("Common name")).to_have_value(name)
    _next(page, "Renewal")
    expect(page.get_by_text("it renews itself when 67 % of its lifetime are over")).to_be_visible()
    page.get_by_label("Passphrase", exact=True).fill("open sesame 1")
    page.get_by_label("Passphrase once more").fill("open sesame 1")
    _next(page, "Agreement")
    accept = page.get_by_role("checkbox", name=re.compile("I have read"))
    expect(accept).to_be_disabled()
    page.get_by_role("region", name="Subscriber agreement").focus()
    page.keyboard.press("End")
    accept.check()
    _next(page, "Review")
    expect(page.get_by_role("region", name="Your request")).to_contain_text("Read and accepted")
    page.get_by_role("button", name="Request certificate").click()

    _approve(page, "Checked the names")
    approvals = page.get_by_role("group", name="Approvals")
    expect(approvals).to_contain_text("1 of 2 approvals")
    expect(approvals).to_contain_text("Another administrator still has to approve.")
    expect(_status(page)).to_have_text("Requested")

    make_administrator(console.stage, "second.pair.of.eyes")
    other = open_console(browser, console.url)
    sign_in(other, "second.pair.of.eyes", PASSWORD)
    other.goto(page.url)
    expect(other.get_by_role("group", name="Approvals")).to_contain_text("Checked the names")
    _approve(other)
    other.context.close()

    expect(_status(page)).to_have_text("Issued")
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Certificate and intermediates, PEM").click()
    downloading.value.save_as(tmp_path / "chain.pem")
    leaf, *issuers = x509.load_pem_x509_certificates((tmp_path / "chain.pem").read_bytes())
    leaf.verify_directly_issued_by(issuers[0])
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days in {46, 47}
    page.get_by_role("link", name="Management").click()
    expect(page.get_by_role("region", name="Self-service")).to_contain_text("Set")
    expect(page.get_by_role("region", name="Auto-renewal")).to_contain_text("67%")


def test_a_declined_request_is_edited_and_approved(console: Console) -> None:
    page = console.page
    console.open("/certificates/ssl?q=test.example.net")
    page.get_by_role("link", name="test.example.net").click()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Certificate profile").select_option("Internal TLS, short-lived")
    page.get_by_label("Term").select_option("47 days")
    page.get_by_label("Comments").fill("Now under its staging name")
    _next(page, "CSR")
    page.get_by_label("Certificate signing request").fill(signing_request(("test.staging.example.net",)))
    _next(page, "Domains")
    page.get_by_role("button", name="Get names from the CSR").click()
    _next(page, "Renewal")
    _next(page, "Review")
    page.get_by_role("button", name="Save request").click()
    expect(page.get_by_role("heading", name="test.staging.example.net")).to_be_visible()
    expect(_status(page)).to_have_text("Declined")
    expect(page.get_by_role("region", name="Order")).to_contain_text("Now under its staging name")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("dialog")).to_contain_text("It was declined: Use the staging name instead.")
    _confirm(page, "Approve")
    expect(_status(page)).to_have_text("Issued")
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("region", name="History")).to_contain_text("Request edited")


def test_a_name_that_is_not_delegated_is_refused_at_its_step(console: Console) -> None:
    page = console.page
    organization = console.stage.api.post(
        "/organizations",
        {"name": "Example Museum", "locality": "Delft", "state": "Zuid-Holland", "country": "NL"},
    )["id"]
    console.stage.api.post("/domains", {"organization_id": organization, "name": "museum.example"})
    console.open("/certificates/ssl/request")
    _next(page, "Details")
    _choose_order(page, "Example Museum", "Private TLS server", "90 days")
    _next(page, "CSR")
    page.get_by_label("Certificate signing request").fill(signing_request(("www.elsewhere.example",)))
    _next(page, "Domains")
    page.get_by_role("button", name="Next").click()
    expect(page.locator(".field-error")).to_contain_text("www.elsewhere.example")
    expect(page.get_by_role("heading", name="Domains")).to_be_visible()


def test_an_archive_is_imported_with_a_result_a_file(console: Console, tmp_path: Path) -> None:
    page = console.page
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("web/legacy.pem", pem(certificate("legacy.example.com")))
        archive.writestr("broken.cer", b"this is no certificate")
    (tmp_path / "old.zip").write_bytes(out.getvalue())
    console.open("/certificates/ssl")
    page.get_by_role("button", name="Import", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Organization").select_option("Example Logistics")
    dialog.get_by_label("ZIP archive").set_input_files(tmp_path / "old.zip")
    dialog.get_by_role("button", name="Import", exact=True).click()
    expect(dialog).to_contain_text("Finished")
    expect(dialog).to_contain_text("2 of 2 files")
    dialog.get_by_role("link", name="What became of each file").click()
    broken = page.get_by_role("row").filter(has_text="broken.cer")
    expect(broken).to_contain_text("Failed")
    page.get_by_role("row").filter(has_text="legacy.pem").get_by_role("link", name=re.compile("#")).click()
    expect(page.get_by_role("heading", name="legacy.example.com")).to_be_visible()
    expect(_status(page)).to_have_text("External")

    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Delete…").click()
    _confirm(page, "Delete certificate")
    expect(page.get_by_role("heading", name="SSL certificates")).to_be_visible()
    page.get_by_role("searchbox").fill("legacy.example.com")
    expect(page.get_by_text("No certificates match")).to_be_visible()


def test_a_replacement_says_what_it_replaces(console: Console) -> None:
    page, stage = console.page, console.stage
    number = issue(stage, "replaced.demo.example")
    console.open(f"/certificates/ssl/{number}?do=replace")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("The laptop with its key was stolen")
    dialog.get_by_label("Certificate signing request").fill(signing_request(("replaced.demo.example",)))
    dialog.get_by_role("button", name="Request replacement").click()
    expect(_status(page)).to_have_text("Requested")
    _approve(page)
    expect(_status(page)).to_have_text("Issued")
    page.get_by_role("link", name=f"#{number}").click()
    expect(_status(page)).to_have_text("Replaced")
    expect(page.locator(".summary")).to_contain_text("Replaced by")


def test_many_at_once_have_a_result_each(console: Console) -> None:
    page, stage = console.page, console.stage
    first, second = (issue(stage, f"{name}.bulk.demo.example") for name in ("one", "two"))
    console.open("/certificates/ssl?q=bulk.demo.example")
    page.get_by_role("row").filter(has_text="one.bulk").get_by_role("checkbox").check()
    page.get_by_role("row").filter(has_text="two.bulk").get_by_role("checkbox").check()
    toolbar = page.get_by_role("toolbar", name="List")
    toolbar.get_by_role("button", name="More").click()
    toolbar.get_by_role("button", name="Switch auto-renewal on…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("When").select_option("Days before it expires")
    dialog.get_by_label("Days before it expires").fill("20")
    _confirm(page, "Switch auto-renewal on")
    expect(dialog.get_by_role("status")).to_have_text("2 of 2 done.")
    dialog.get_by_role("button", name="Close", exact=True).last.click()
    assert stage.api.get(f"/certificates/{first}")["auto_renew"]["days_before"] == 20

    # Meanwhile somebody revokes one of them: the other is done, and the reader learns why one is not.
    page.get_by_role("row").filter(has_text="one.bulk").get_by_role("checkbox").check()
    page.get_by_role("row").filter(has_text="two.bulk").get_by_role("checkbox").check()
    toolbar.get_by_role("button", name="Revoke").click()
    dialog.get_by_label("Reason").select_option("superseded")
    stage.api.post(f"/certificates/{second}/revoke", {})
    _confirm(page, "Revoke certificates")
    expect(dialog.get_by_role("status")).to_have_text("1 of 2 done, 1 could not be done.")
    expect(dialog.get_by_role("row").filter(has_text="two.bulk")).to_contain_text("Not done")
    expect(dialog.get_by_role("row").filter(has_text="one.bulk")).to_contain_text("Done")


def test_an_installation_is_scheduled_and_then_done_at_once(console: Console) -> None:
    page = console.page
    console.open("/certificates/ssl/request")
    page.get_by_role("radio", name=re.compile("Made and installed")).check()
    _next(page, "Details")
    _choose_order(page, "Default", "Private TLS server", "90 days")
    _next(page, "Private key")
    page.get_by_label("Key type").select_option("EC-P256")
    _next(page, "Domains")
    page.get_by_label("Common name").fill("api.demo.example")
    _next(page, "Nodes and ports")
    page.get_by_role("checkbox", name=re.compile("api.demo.example")).check()
    _next(page, "Installation")
    page.get_by_role("radio", name=re.compile("Scheduled")).check()
    page.get_by_label("Time zone").select_option("Europe/Berlin")
    page.get_by_label("Not earlier than").fill("2036-01-05T10:00")
    page.get_by_role("checkbox", name="Saturday").check()
    expect(
        page.get_by_text("Installs Saturday, 22:00 to 04:00 of the next day, Europe/Berlin")
    ).to_be_visible()
    _next(page, "Renewal")
    _next(page, "Review")
    page.get_by_role("button", name="Request certificate").click()
    _approve(page)
    expect(_status(page)).to_have_text("Issued")
    page.get_by_role("link", name="Management").click()
    panel = page.get_by_role("region", name="Auto-installation")
    expect(panel).to_contain_text("not before 2036-01-05 10:00")
    expect(panel).to_contain_text("Certificate Saved")

    panel.get_by_role("button", name="Times").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Not earlier than")).to_have_value("2036-01-05T10:00")
    dialog.get_by_role("checkbox", name="Sunday").check()
    _confirm(page, "Save")
    expect(panel).to_contain_text("Saturday, Sunday")
    panel.get_by_role("button", name="Install now").click()
    _confirm(page, "Install now")
    expect(panel.locator(".panel-actions > .badge")).to_have_text("Successful", timeout=30_000)
    expect(panel.locator(".node .badge")).to_have_text("Installed")


def test_what_people_write_and_switch_on_the_management_tab(console: Console) -> None:
    page, stage = console.page, console.stage
    number = issue(stage, "managed.demo.example")
    console.open(f"/certificates/ssl/{number}?tab=management")
    locations = page.get_by_role("region", name="Locations")
    locations.get_by_role("button", name="Add location").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Load balancer in Leeds")
    _confirm(page, "Add location")
    locations.get_by_role("button", name="Edit").click()
    dialog.get_by_label("Name").fill("Load balancer in York")
    dialog.get_by_label("Details").fill("Slot 3")
    _confirm(page, "Save")
    expect(locations.get_by_role("row").filter(has_text="York")).to_contain_text("Slot 3")
    expect(locations).not_to_contain_text("Leeds")
    locations.get_by_role("button", name="Remove").click()
    _confirm(page, "Remove location")
    expect(locations).to_contain_text("It has not been seen anywhere")

    notifications = page.get_by_role("region", name="Notifications")
    notifications.get_by_role("button", name="Suspend").click()
    _confirm(page, "Suspend")
    expect(notifications).to_contain_text("Suspended")

    renewal = page.get_by_role("region", name="Auto-renewal")
    renewal.get_by_role("button", name="Edit renewal").click()
    dialog.get_by_label("Renewal").select_option("By itself")
    dialog.get_by_label("When").select_option("After a share of its lifetime")
    dialog.get_by_label("Share of the lifetime in percent").fill("50")
    dialog.get_by_label("Key").select_option("Same key pair")
    _confirm(page, "Save")
    expect(renewal.locator(".panel-actions > .badge")).to_have_text("Scheduled")
    stored = stage.api.get(f"/certificates/{number}")
    assert (stored["auto_renew"]["share"], stored["auto_renew"]["new_key_pair"]) == (0.5, False)
    assert stored["notifications_suspended"] is True

    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Move to another owner…").click()
    dialog.get_by_label("Organization").select_option("Example Bank")
    _confirm(page, "Move")
    expect(page.locator(".summary")).to_contain_text("Example Bank")
