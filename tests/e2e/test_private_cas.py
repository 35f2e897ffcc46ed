"""Private CAs in a browser: the wizard for a root and for an issuing CA under it, a new key, a download."""

from __future__ import annotations

from cryptography import x509
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Console


def fill_wizard(page: Page, *, name: str, parent: str, template: str) -> None:
    """Go through all steps up to the confirmation."""
    page.get_by_label("CA name").fill(name)
    page.get_by_label("Parent issuer").select_option(label=parent)
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Template").select_option(template)
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Signature algorithm").select_option("SHA-384")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Customer name").fill("Example Ltd")
    page.get_by_label("City or locality").fill("Vienna")
    page.get_by_label("Country").fill("at")
    page.get_by_role("button", name="Next").click()


def test_a_root_and_an_issuing_ca_are_made_in_the_wizard(console: Console) -> None:
    page = console.page
    console.open("/private-cas")
    page.get_by_role("link", name="Add private CA").click()
    fill_wizard(page, name="Example root", parent="None: a self-issued root", template="ec-p384-root")
    expect(page.get_by_text("CN=Example Ltd Root CA, O=Example Ltd, L=Vienna, C=AT")).to_be_visible()
    page.get_by_role("button", name="Create CA").click()
    expect(page.get_by_role("heading", name="Example root")).to_be_visible()
    expect(page.get_by_text("Signed", exact=True)).to_be_visible()

    console.open("/private-cas/new")
    fill_wizard(page, name="Example servers", parent="Example root", template="rsa-2048-issuing")
    page.get_by_role("button", name="Create CA").click()
    expect(page.get_by_role("heading", name="Example servers")).to_be_visible()
    expect(page.get_by_text("CN=Example Ltd Root CA,O=Example Ltd,L=Vienna,C=AT")).to_be_visible()

    console.open("/private-cas")
    row = page.get_by_role("row").filter(has_text="Example servers")
    expect(row).to_contain_text("SHA-384 with RSA")
    with page.expect_download() as waited:
        row.get_by_role("button", name="Download the certificate of Example servers").click()
    certificate = x509.load_der_x509_certificate(waited.value.path().read_bytes())
    assert waited.value.suggested_filename.endswith(".cer")
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0

    # Profiles find the issuing CA among the backends.
    assert "Example servers" in {item["name"] for item in console.stage.api.get("/ca-backends")["items"]}


def test_a_ca_gets_a_new_key_and_the_log_says_so(console: Console) -> None:
    made = console.stage.api.call(
        "POST",
        "/private-cas",
        {"name": "Rolling root", "template": "ec-p256-root", "subject": {"organization": "Rolling Ltd"}},
    )
    page = console.page
    console.open(f"/private-cas/{made['id']}")
    page.get_by_role("button", name="New key").click()
    page.get_by_role("dialog").get_by_role("button", name="Make new key").click()
    table = page.get_by_role("table", name="Cross-certificates")
    expect(table.get_by_text("the old key, signed with the new one")).to_be_visible()
    expect(table.get_by_text("the new key, signed with the old one")).to_be_visible()
    console.open("/private-cas/ceremonies")
    row = page.get_by_role("row").filter(has_text="New key took over").filter(has_text="Rolling root")
    expect(row).to_be_visible()
    expect(page.get_by_role("button", name="Print")).to_be_visible()
