"""The certificates: the grid, and a request's way from the wizard to a file."""

from __future__ import annotations

import csv
from pathlib import Path
from urllib.parse import parse_qs, urlparse

from cryptography import x509
from playwright.sync_api import expect

from tests.e2e.conftest import Console
from tests.e2e.populate import WANTED, signing_request


def test_the_grid_finds_filters_and_sorts(console: Console) -> None:
    page = console.page
    console.open("/certificates/ssl")
    rows = page.locator("tbody tr[data-row]")
    page.get_by_role("searchbox").fill("example.org")
    expect(rows).to_have_count(sum(wanted.names[0].endswith("example.org") for wanted in WANTED))
    page.get_by_role("button", name="Filter", exact=True).click()
    page.get_by_label("Column", exact=True).select_option("Status")
    page.get_by_label("Value").select_option("Revoked")
    page.get_by_role("button", name="Add filter").click()
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("old-portal.example.org")
    assert parse_qs(urlparse(page.url).query)["filter"] == ["status:eq:Revoked"]
    page.get_by_role("button", name="Remove filter: Status is Revoked").click()
    page.get_by_role("button", name="Common name").click()
    expect(rows.first).to_contain_text("atm-gateway.example.org")


def test_columns_are_kept_and_the_csv_has_them(console: Console, tmp_path: Path) -> None:
    page = console.page
    console.open("/certificates/ssl?view=waiting")
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="Requester", exact=True).check()
    page.keyboard.press("Escape")
    page.reload()
    expect(page.get_by_role("columnheader", name="Requester")).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download as CSV").click()
    downloading.value.save_as(tmp_path / "certificates.csv")
    with (tmp_path / "certificates.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert {row["Common Name"] for row in found} >= {"partners.example.com", "telehealth.example.net"}
    assert {row["Status"] for row in found} == {"Requested"}
    assert "Requester" in found[0]
    assert "Subject" not in found[0]


def test_from_a_csr_to_a_file(console: Console, tmp_path: Path) -> None:
    page = console.page
    name = "new-shop.example.com"
    console.open("/certificates/ssl/request")
    following = page.get_by_role("button", name="Next")
    following.click()
    page.get_by_label("Organization").select_option("Example Logistics")
    page.get_by_label("Certificate profile").select_option("Private TLS server")
    page.get_by_label("Term").select_option("90 days")
    page.get_by_label("Comments").fill("For the spring sale")
    following.click()
    page.get_by_label("Certificate signing request").fill(signing_request((name, f"www.{name}")))
    for heading in ("Domains", "Renewal", "Review"):
        following.click()
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    page.get_by_role("button", name="Request certificate").click()

    expect(page.get_by_role("heading", name=name)).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    page.get_by_label("Message to the requester").fill("Welcome")
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    # Nothing is reloaded by hand: the event stream brings the new status.
    expect(page.locator(".page-head .badge")).to_have_text("Issued")

    page.get_by_role("button", name="Download").click()
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Certificate only, PEM").click()
    downloading.value.save_as(tmp_path / "certificate.cer")
    certificate = x509.load_pem_x509_certificate((tmp_path / "certificate.cer").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {name, f"www.{name}"}
    expect(page.locator(".page-head .badge")).to_have_text("Downloaded")
    page.get_by_role("link", name="Time span").click()
    expect(page.get_by_role("region", name="Time span")).to_contain_text("Downloaded")
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("region", name="History")).to_contain_text("Welcome")


def test_a_bad_csr_is_shown_at_its_step(console: Console) -> None:
    page = console.page
    console.open("/certificates/ssl/request")
    following = page.get_by_role("button", name="Next")
    following.click()
    page.get_by_label("Organization").select_option("Example Bank")
    page.get_by_label("Certificate profile").select_option("Private TLS server")
    page.get_by_label("Term").select_option("90 days")
    following.click()
    broken = signing_request(("a.example.org",)).splitlines()
    broken[2] = broken[2][::-1]
    field = page.get_by_label("Certificate signing request")
    field.fill("\n".join(broken))
    # The hub has read it before anything is sent.
    expect(page.locator(".field-error")).to_be_visible()
    following.click()
    expect(page.get_by_role("heading", name="CSR", exact=True)).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill(signing_request(("a.example.org",)))
    following.click()
    expect(page.get_by_role("heading", name="Domains", exact=True)).to_be_visible()


def test_several_requests_are_declined_at_once(console: Console) -> None:
    page = console.page
    console.open("/certificates/ssl?view=waiting")
    page.get_by_role("row").filter(has_text="fx-rates").get_by_role("checkbox").check()
    page.get_by_role("row").filter(has_text="telehealth").get_by_role("checkbox").check()
    page.get_by_role("button", name="Decline").click()
    page.get_by_role("dialog").get_by_label("Message").fill("Not this month")
    page.get_by_role("dialog").get_by_role("button", name="Decline requests").click()
    expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("2 of 2 done.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("row").filter(has_text="telehealth")).to_have_count(0)
    console.open("/certificates/ssl?view=trouble")
    expect(page.get_by_role("row").filter(has_text="fx-rates")).to_contain_text("Declined")


def test_revoking_asks_first_and_shows_in_the_crl(console: Console) -> None:
    page = console.page
    console.open("/certificates/ssl?q=treasury")
    page.get_by_role("link", name="treasury.example.org").click()
    page.get_by_role("button", name="Revoke").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").select_option("keyCompromise")
    dialog.get_by_role("button", name="Revoke certificate").click()
    expect(page.locator(".page-head .badge")).to_have_text("Revoked")
    expect(page.get_by_role("button", name="Revoke")).to_have_count(0)
    expect(page.get_by_role("region", name="Order")).to_contain_text("keyCompromise")
