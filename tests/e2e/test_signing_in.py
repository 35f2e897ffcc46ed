"""Passkeys, which need the hub to be opened by a name, and identity providers in the console.

Chromium's virtual authenticator (WebAuthn Level 2, 11) stands for the device's own.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.demo.stage import Stage
from tests.e2e.conftest import Console
from tests.e2e.console import chromium, sign_in
from tests.integration.access_signin.authority import Authority
from tests.integration.access_signin.real_op import RealOp

PASSWORD = "a pass phrase of her own 33"
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass(frozen=True, slots=True)
class Device:
    """The authenticator of the machine that the browser runs on."""

    cdp: CDPSession
    id: str

    def forget(self) -> None:
        """Lose all passkeys."""
        self.cdp.send("WebAuthn.clearCredentials", {"authenticatorId": self.id})


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A hub that is opened as https://localhost: at an address of digits browsers have no passkeys."""
    stage = Stage(tmp_path_factory.mktemp("named"))
    stage.hub.addresses = {"http": "localhost:0"}
    try:
        stage.start_hub()
        yield stage
    finally:
        stage.stop()


async def _rest() -> None:
    """Let the loop close what was told to close, which takes it a few rounds."""
    for _ in range(100):
        await asyncio.sleep(0)


@contextmanager
def _provider(tls: ssl.SSLContext) -> Iterator[Any]:
    """Run an OpenID provider in a thread of its own, as the browser's calls block this one."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    running = RealOp.running(tls)
    try:
        yield asyncio.run_coroutine_threadsafe(running.__aenter__(), loop).result(30)
        asyncio.run_coroutine_threadsafe(running.__aexit__(None, None, None), loop).result(30)
        asyncio.run_coroutine_threadsafe(_rest(), loop).result(30)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _introduce(stage: Stage, op: Any, ca_pem: str) -> None:
    """Tell hub and provider of each other."""
    settings = {
        "issuer": op.issuer,
        "client_id": "certwright",
        "private_network": True,
        "ca_pem": ca_pem,
        "mapping": {"username": "preferred_username", "name": "name", "email": "email"},
        "templates": [{"attribute": "profile", "value": "pki-admin", "grants": [{"role": "MRAO"}]}],
    }
    body = {"name": "op", "label": "Corp ID", "client_secret": "shhh", "settings": settings}
    made = stage.api.post("/identity-providers/oidc", body)
    shown = stage.api.get(f"/identity-providers/{made['id']}")
    op.register("certwright", "shhh", shown["redirect_uri"])


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, ssl.SSLContext]:
    """The CA of the provider's certificate: its file, its PEM, and TLS that sends it along."""
    folder = tmp_path_factory.mktemp("authority")
    kind: Any = Authority  # untyped
    authority = kind()
    authority.server_context(folder)
    with (folder / "server.pem").open("a") as chain:
        chain.write(authority.pem)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "server.pem")
    ca_file = folder / "ca.pem"
    ca_file.write_text(authority.pem)
    return ca_file, authority.pem, tls


@pytest.fixture(scope="module")
def op(stage: Stage, authority: tuple[Path, str, ssl.SSLContext]) -> Iterator[Any]:
    """An OpenID provider that the hub knows."""
    _, pem, tls = authority
    with _provider(tls) as found:
        _introduce(stage, found, pem)
        yield found


# After the provider, so that it is closed before: its connections end while the provider can still see that.
@pytest.fixture(scope="module")
def browser(stage: Stage, authority: tuple[Path, str, ssl.SSLContext], op: Any) -> Iterator[Browser]:
    """Chromium, told to trust the hub's own CA and the provider's."""
    assert op.issuer
    with chromium(stage.hub.data_dir / "ca.pem", authority[0]) as running:
        yield running


@pytest.fixture
def device(guest: Console) -> Device:
    """An authenticator without passkeys, in the guest's browser."""
    cdp = guest.page.context.new_cdp_session(guest.page)
    cdp.send("WebAuthn.enable")
    made = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    return Device(cdp, made["authenticatorId"])


def _add(stage: Stage, username: str) -> None:
    grants = [{"role": "MRAO"}]
    new = {"username": username, "name": username.title(), "password": PASSWORD, "grants": grants}
    stage.api.post("/administrators", new)


def _give_password(page: Page, username: str) -> None:
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def _sign_out(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def _keep_codes(page: Page) -> str:
    """Confirm that the recovery codes are kept; return the first."""
    codes = page.locator("pre").inner_text().split()
    # They are shown once: no slip of the finger closes them, not even two.
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.get_by_label("I have kept the recovery codes").check()
    page.get_by_role("button", name="Go on").click()
    return codes[0]


def _add_passkey(console: Console, name: str) -> None:
    console.open("/profile?tab=security")
    console.page.get_by_role("button", name="Add passkey").click()
    console.page.get_by_role("dialog").get_by_label("Name").fill(name)
    console.page.get_by_role("button", name="Go on").click()


def test_a_passkey_from_the_profile_signs_in_alone(guest: Console, device: Device) -> None:
    page = guest.page
    _add(guest.stage, "keira")
    sign_in(page, "keira", PASSWORD)
    _add_passkey(guest, "Work laptop")
    _keep_codes(page)
    row = page.get_by_role("row", name="Work laptop")
    expect(row).to_be_visible()
    expect(page.get_by_text("10 left")).to_be_visible()
    _sign_out(page, "Keira")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("button", name="Keira")).to_be_visible()
    guest.open("/profile?tab=sessions")
    expect(page.locator("tbody tr").first).to_contain_text(re.compile("passkey", re.IGNORECASE))


def test_a_device_holds_one_passkey_of_an_account(guest: Console, device: Device) -> None:
    page = guest.page
    _add(guest.stage, "twice")
    sign_in(page, "twice", PASSWORD)
    _add_passkey(guest, "Phone")
    _keep_codes(page)
    _add_passkey(guest, "Phone again")
    expect(page.get_by_role("alert")).to_contain_text("This device is registered already")


def test_a_removed_passkey_signs_nobody_in(guest: Console, device: Device) -> None:
    page = guest.page
    _add(guest.stage, "lara")
    sign_in(page, "lara", PASSWORD)
    _add_passkey(guest, "Old phone")
    _keep_codes(page)
    page.get_by_role("row", name="Old phone").get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("row", name="Old phone")).to_have_count(0)
    _sign_out(page, "Lara")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("Not signed in")
    # The password still does, and asks for no second factor any more.
    sign_in(page, "lara", PASSWORD)


def test_a_passkey_is_asked_for_after_the_password(guest: Console, device: Device) -> None:
    page = guest.page
    _add(guest.stage, "sofia")
    sign_in(page, "sofia", PASSWORD)
    _add_passkey(guest, "Key ring")
    code = _keep_codes(page)
    _sign_out(page, "Sofia")
    _give_password(page, "sofia")
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("button", name="Sofia")).to_be_visible()

    _sign_out(page, "Sofia")
    device.forget()
    _give_password(page, "sofia")
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was used")
    page.get_by_role("button", name="Use a recovery code").click()
    page.get_by_label("Recovery code").fill(code)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name="Sofia")).to_be_visible()


def test_a_role_that_needs_a_second_factor_sets_up_a_passkey_first(guest: Console, device: Device) -> None:
    page = guest.page
    _add(guest.stage, "nadia")
    guest.stage.api.call("PUT", "/sign-in-policy", {"second_factor_roles": ["MRAO"]})
    try:
        _give_password(page, "nadia")
        expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
        page.get_by_role("button", name="Passkey").click()
        _keep_codes(page)
        expect(page.get_by_role("button", name="Nadia")).to_be_visible()
    finally:
        guest.stage.api.call("PUT", "/sign-in-policy", {"second_factor_roles": []})
    guest.open("/profile?tab=security")
    expect(page.get_by_role("row", name="First passkey")).to_be_visible()


def test_an_identity_provider_signs_in_and_leads_to_where_one_wanted_to_go(guest: Console) -> None:
    page = guest.page
    guest.open("/audit")
    page.get_by_role("button", name="Continue with Corp ID").click()
    expect(page.get_by_role("button", name="Bob B.")).to_be_visible()
    expect(page).to_have_url(f"{guest.url}/audit")
    _sign_out(page, "Bob B.")


def test_what_an_identity_provider_does_wrong_is_told(guest: Console, op: Any) -> None:
    page = guest.page
    page.get_by_role("button", name="Continue with Corp ID").wait_for()
    right, op.change_tokens = op.change_tokens, lambda tokens: {**tokens, "id_token": "made.up.token"}
    try:
        page.get_by_role("button", name="Continue with Corp ID").click()
        expect(page.get_by_role("alert")).to_contain_text("Not signed in")
    finally:
        op.change_tokens = right
    # Neither the answer nor the problem stays in the address.
    expect(page).to_have_url(f"{guest.url}/sign-in")
    page.get_by_role("button", name="Continue with Corp ID").click()
    expect(page.get_by_role("button", name="Bob B.")).to_be_visible()
