"""Private keys in the console: out of a store into the browser, from the browser into a store, and gone."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path

import pyotp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Console
from tests.e2e.console import sign_in
from tests.e2e.given import PASSWORD, issue, make_administrator

_POST = """async ([path, body]) => {
  const {csrf_token} = await (await fetch("/api/v1/session")).json();
  const headers = {"Content-Type": "application/json", "X-CSRF-Token": csrf_token};
  const answer = await fetch(`/api/v1${path}`, {method: "POST", headers, body: JSON.stringify(body)});
  return answer.json();
}"""


def _set_up_app(page: Page) -> pyotp.TOTP:
    """Set up an authenticator app in the page's session."""
    app = pyotp.TOTP(page.evaluate(_POST, ["/profile/totp", {}])["secret"])
    page.evaluate(_POST, ["/profile/totp/confirm", {"code": app.at(time.time() - app.interval)}])
    return app


def _keeper(guest: Console, name: str) -> pyotp.TOTP:
    """Sign in as somebody new who may have keys; return the app, whose code was not asked for."""
    guest.complaints.expected_statuses |= {403}
    make_administrator(guest.stage, name, privileges=["download_keys"])
    sign_in(guest.page, name, PASSWORD)
    return _set_up_app(guest.page)


def _step_up(dialog: Locator, app: pyotp.TOTP) -> None:
    # A password is not enough for keys.
    dialog.get_by_label("Code of your authenticator app").fill(app.now())
    dialog.get_by_role("button", name="Confirm code").click()


def test_a_key_comes_out_of_the_store_into_the_browser_and_openssl_reads_it(
    guest: Console, tmp_path: Path
) -> None:
    page, stage = guest.page, guest.stage
    store = stage.agent_record("pks")["id"]
    number = issue(stage, "vault.demo.example", method="pks", key_type="EC-P256", pks_agent_id=store)
    app = _keeper(guest, "key.keeper")
    guest.open(f"/certificates/ssl/{number}")
    page.get_by_role("button", name="Download").click()
    page.get_by_role("button", name=re.compile("Certificate and private key")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Download key").click()
    _step_up(dialog, app)
    expect(dialog.get_by_role("heading", name="Private key received")).to_be_visible(timeout=30_000)
    page.keyboard.press("Escape")
    passphrase = dialog.locator("pre").inner_text().strip()
    with page.expect_download() as downloading:
        dialog.get_by_role("button", name="Save vault.demo.example.p12").click()
    file = tmp_path / "vault.p12"
    downloading.value.save_as(file)
    dialog.get_by_role("button", name="I have both, close").click()
    expect(page.get_by_text(passphrase)).to_have_count(0)

    def read(*words: str) -> bytes:
        command = ["openssl", "pkcs12", "-in", str(file), "-passin", "stdin", *words]
        return subprocess.run(
            command, input=passphrase.encode(), capture_output=True, check=True, timeout=60
        ).stdout

    key = load_pem_private_key(read("-nocerts", "-noenc"), None)
    leaf = x509.load_pem_x509_certificate(read("-clcerts", "-nokeys"))
    shown = stage.api.get(f"/certificates/{number}")
    assert leaf.public_bytes(Encoding.PEM).decode().strip() == shown["certificate"].strip()
    assert key.public_key() == leaf.public_key()  # type: ignore[union-attr]
    assert passphrase not in json.dumps(shown)


def test_a_key_goes_into_the_store_and_is_removed_again(guest: Console, tmp_path: Path) -> None:
    page, stage, name = guest.page, guest.stage, "brought.demo.example"
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    number = issue(stage, name, csr=request.public_bytes(Encoding.PEM).decode())
    sealed = BestAvailableEncryption(b"of the file")
    (tmp_path / "own.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed))
    app = _keeper(guest, "key.bringer")

    guest.open(f"/certificates/ssl/{number}?tab=management")
    panel = page.get_by_role("region", name="Private key")
    panel.get_by_role("button", name="Upload key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Private key store").select_option("demo key store")
    fingerprint = stage.pks.status()["receiver_fingerprint"]
    expect(dialog.get_by_text(fingerprint)).to_be_visible()
    dialog.get_by_label("Key file").set_input_files(tmp_path / "own.key")
    dialog.get_by_label("Passphrase of the file").fill("of the file")
    upload = dialog.get_by_role("button", name="Upload key")
    expect(upload).to_be_disabled()
    dialog.get_by_role("checkbox", name="It is the same on the agent's host").check()
    upload.click()
    _step_up(dialog, app)
    upload.click()
    expect(dialog).to_have_count(0, timeout=30_000)
    expect(panel).to_contain_text("demo key store")

    panel.get_by_role("button", name="Delete key").click()
    dialog.get_by_label(f"Write {name} to confirm").fill(name)
    dialog.get_by_role("button", name="Delete private key").click()
    expect(panel).to_contain_text("Not with any agent", timeout=30_000)
